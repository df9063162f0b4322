"""Django's database sessions, extended with their person and browser in the way that Django documents.

A page takes one query for its session. Deleting the row ends the session: a copy of its cookie no longer works.

The key of the cookie is stored as a digest, so a stolen dump of the database gives access to no session. (The
asynchronous half of the interface, which nothing here uses, looks up keys as they are, and finds none.)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import blake2b
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import CharField, DateTimeField, QuerySet
from django.utils import timezone

from accounts import email_changes
from accounts.models import Session, SessionQuerySet, User, new_epoch, valid_times
from accounts.orm import best_effort
from accounts.orm.batches import BATCH, delete_in_batches
from accounts.orm.changes import Gone
from accounts.orm.compiled import CompiledQuery, Parameter
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest

LAST_SEEN_RESOLUTION = timedelta(minutes=1)
# Anybody can have a session created: by a challenge for passkeys, a password before its second step, a mailed link.
# It lasts as long as a log-in may take, by allauth's default.
VISITOR_SESSION_AGE = timedelta(minutes=15)
# Sessions per person, more than anybody has browsers: a program that logs in repeatedly must not fill the table.
MOST_SESSIONS, ENDED_AT_ONCE = 500, 50
UNKNOWN_CLIENT = Client(None, "")
# Compiled once, since each page reads its session.
TIMES = {name: Parameter(name, DateTimeField()) for name in ("now", "latest", "last_end")}
BY_KEY = CompiledQuery(
    lambda: Session.objects.valid_between(**TIMES).filter(pk=Parameter("key", CharField())).order_by()
)


class SessionEnded(Exception):
    """The session was ended, or the person deactivated, during the request."""


class SessionStore(DatabaseSessionStore):
    """A session, its current client, and its row as last read or written."""

    client = UNKNOWN_CLIENT
    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def note_seen(self) -> None:
        """Load the session and record its client, at most once a minute. Every write records it too."""
        now, client = timezone.now(), self.client
        if SESSION_KEY in self and self.row and now - self.row.last_seen_at >= LAST_SEEN_RESOLUTION:
            row = Session.objects.filter(pk=self.row.pk)
            best_effort.try_write(
                f"Where user {self.row.user_id} was last seen",
                lambda: row.update(last_seen_at=now, ip=client.ip, user_agent=client.user_agent),
            )

    def get_session_cookie_age(self) -> int:
        """Return the seconds that the session lasts from its last change: only minutes before a log-in."""
        age = settings.SESSION_COOKIE_AGE if SESSION_KEY in self else VISITOR_SESSION_AGE.total_seconds()
        return int(age)

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(pk=digest(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            Session.objects.filter(pk=digest(key)).delete()

    def save(self, must_create: bool = False) -> None:
        """Write the session. Raises `UpdateError`, answered with 400, where the session or its person was deleted."""
        try:
            super().save(must_create)
        except (Gone, IntegrityError):
            raise UpdateError from None
        except UpdateError as error:
            # Django raises it for every other error of the database too.
            raise cast(DatabaseError, error.__context__)  # noqa: B904 - its own cause shows that it is an outage

    @classmethod
    def clear_expired(cls) -> None:
        """Delete expired sessions, for `manage.py clearsessions`."""
        sum(forget_expired())

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        now = timezone.now()
        row = cast(Session, super().create_model_instance(data))
        row.session_key = digest(row.session_key)
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        before = self.row
        row.signed_in_at = before.signed_in_at if before and before.user_id == row.user_id else now
        row.last_seen_at, row.ip, row.user_agent = now, self.client.ip, self.client.user_agent
        if before and before.pk == row.pk:
            row.takes_the_place_of(before)
        self.row = row
        return row

    def _get_session_from_db(self) -> Session | None:
        found = BY_KEY.objects(key=digest(self.session_key or ""), **valid_times())
        self.row = found[0] if found else None
        if self.row is None:
            self._session_key = None
        return self.row


@contextmanager
def still_logged_in(request: LoggedInRequest) -> Iterator[None]:
    """Lock the person's row for a transaction that changes their ways to log in.

    So what a request adds, such as a passkey, is stored before another request ends the session, or not at all. Raises
    `SessionEnded` where the session was ended first.
    """
    with transaction.atomic():
        person, session = request.user, Session.objects.filter(pk=digest(request.session.session_key or ""))
        unchanged = User.objects.select_for_update(no_key=True).filter(
            pk=person.pk, is_active=True, password=person.value_as_read("password"), session_epoch=person.session_epoch
        )
        if not unchanged.values("pk").first() or not session.exists():
            raise SessionEnded
        yield


def sessions_context(request: LoggedInRequest) -> dict[str, Any]:
    """Return what the list of sessions shows: the current session, and the others, last seen first."""
    return {"here": cast(SessionStore, request.session).row, "elsewhere": other_sessions(request)}


def other_sessions(request: LoggedInRequest) -> SessionQuerySet:
    """Return the person's open sessions except the current one."""
    here = digest(request.session.session_key or "")
    return Session.objects.open().filter(user=request.user).exclude(pk=here)


def end_all(person: AbstractBaseUser) -> None:
    """Log a person out everywhere, and cancel a change of email that one of the sessions may have requested.

    Otherwise an intruder could still follow the link and take over the account. Log-ins under way are refused too,
    since they began in an earlier epoch.
    """
    start_epoch(person)
    Session.objects.filter(user=person.pk).delete()
    email_changes.cancel(person)


def end_oldest(person: AbstractBaseUser) -> None:
    """End the sessions last seen longest ago, so that one more fits into `MOST_SESSIONS`. No log-in is refused."""
    by_last_seen = Session.objects.filter(user=person.pk).order_by("-last_seen_at").values_list("pk", flat=True)
    if oldest := list(by_last_seen[MOST_SESSIONS - 1 :][:ENDED_AT_ONCE]):
        Session.objects.filter(pk__in=oldest).delete()


def start_epoch(person: AbstractBaseUser) -> None:
    """Make all earlier sessions invalid, including one that a log-in is about to write."""
    person.session_epoch = new_epoch()  # type: ignore[attr-defined]
    User.objects.filter(pk=person.pk).update(session_epoch=person.session_epoch)  # type: ignore[attr-defined]


def expired() -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=timezone.now())


def forget_expired() -> Iterator[int]:
    """Delete expired sessions, and yield the number of rows after each batch."""
    return delete_in_batches(expired())


def delete_some_expired() -> None:
    """Delete some expired sessions, once a minute at most: visitors add them faster than housekeeping deletes them."""
    if cache.add("accounts.sessions.room", 1, timeout=60):
        # It does not wait for other bulk work, since a person waits for the page.
        expired().filter(pk__in=list(expired().values_list("pk", flat=True)[:BATCH])).delete()


def digest(session_key: str) -> str:
    """Return what is stored of a session's key, which has 165 random bits: a digest of 40 hex characters."""
    return blake2b(session_key.encode(), digest_size=20).hexdigest()
