"""Makes a restored database safe to serve.

A backup does not contain later revokes, log-outs, sent mails and used links. So its tokens are replaced, its sessions
end, mailed links become invalid, and waiting mails and changes of email are deleted. New ids begin far beyond those of
the backup, since mails that were sent after it contain ids: the link that confirms an address contains the id of the
address, and a `Message-ID` the id of its event.
"""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader
from django.db.models import F, Max
from django.utils import timezone
from post_office.models import STATUS, Email

from accounts import email_changes
from accounts.events import SecurityEvent
from accounts.models import Session, SignUp, User, new_epoch
from accounts.orm.batches import delete_in_batches
from accounts.throttling import counters
from accounts.web.clients import Client
from botpenguin.operations import checks, rows, schemas
from botpenguin.operations.backups import Unusable
from developers import issuance
from developers.models import ApiToken, RevokedToken

HERE = Client(None, "manage.py restore")
# More rows than any table gets after a backup, and few enough for hundreds of restores with ids of 32 bits.
SKIPPED_IDS = 10_000_000
SKIP_IDS = {
    "sqlite": [
        "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_master"
        " WHERE sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence)",
        f"UPDATE sqlite_sequence SET seq = seq + {SKIPPED_IDS}",  # noqa: S608 - a number of ours
    ],
    "postgresql": [
        "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass,"  # noqa: S608 - a number of ours
        f" coalesce(last_value, 0) + {SKIPPED_IDS}) FROM pg_sequences WHERE schemaname = current_schema()"
    ],
}
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True)
class Settled:
    """How many tokens were replaced, sessions ended, and mails dropped."""

    tokens: int
    sessions: int
    mails: int


def bring_up_to_date() -> None:
    """Migrate the database to this version, and check it.

    Raises `Unusable` if it is newer, not of this project, or differs from what this version makes.
    """
    _refuse_foreign()
    try:
        schemas.migrate()
    except (DatabaseError, InconsistentMigrationHistory) as error:
        raise Unusable(f"It cannot be brought up to date: {str(error).strip().rstrip('.')}.") from error
    if found := schemas.differences():
        raise Unusable(f"Its schema is not that of this version: {schemas.in_words(found)}.")
    if connection.vendor == "sqlite" and (found := rows.contradictions()):
        raise Unusable(f"Its rows contradict each other: {schemas.in_words(found)}.")


def _refuse_foreign() -> None:
    """Raise `Unusable` if the database could run planted code during the migrations, or make them fail."""
    loader = MigrationLoader(connection)
    if ("developers", "0001_initial") not in loader.applied_migrations:
        raise Unusable("It is not a database of this project.")
    known = set(loader.disk_migrations).union(*(migration.replaces for migration in loader.disk_migrations.values()))
    newer = sorted(f"{app}.{name}" for app, name in set(loader.applied_migrations) - known)
    if newer:
        raise Unusable(f"It is of a newer version, which is to restore it: this one does not know {', '.join(newer)}.")
    if found := schemas.active():
        raise Unusable(f"It holds what no version of this project has: {schemas.in_words(found)}.")
    if connection.vendor == "sqlite" and (found := rows.of_other_types()):
        raise Unusable(f"Columns hold values of other types than theirs: {schemas.in_words(found)}.")


def newest_entry() -> datetime | None:
    """Return the time of the last record, which is about the time of the backup."""
    newest = [
        SecurityEvent.objects.aggregate(at=Max("at"))["at"],
        Session.objects.aggregate(at=Max("last_seen_at"))["at"],
        ApiToken.objects.aggregate(at=Max("last_used_at"))["at"],
    ]
    return max(filter(None, newest), default=None)


def count_replaced_since(now: dict[int, int]) -> int:
    """Count the tokens that were replaced after the backup, given the current generation of each user's token."""
    then = ApiToken.objects.values_list("user_id", "generation")
    return sum(now.get(owner, 0) > generation for owner, generation in then.iterator())


def settle(*, keep_tokens: bool) -> Settled:
    """Invalidate what the backup brings back. Raises `Unusable` if `TOKEN_KEYS` lacks keys that the database needs."""
    with connection.cursor() as cursor:
        for statement in SKIP_IDS[connection.vendor]:
            cursor.execute(statement)
    # Most were sent soon after the backup, and their links have expired. The security log has the events.
    # In batches: Django reads the rows that it deletes, and a mail can be large.
    mails = sum(delete_in_batches(Email.objects.filter(status__in=[STATUS.queued, STATUS.requeued])))
    sessions = sum(delete_in_batches(Session.objects.all()))
    # The epoch ends log-ins under way, and the time ends links for a new password.
    User.objects.update(session_epoch=new_epoch(), restored_at=timezone.now())
    # A new password may have ended some of them after the backup. Their links must not work again.
    sum(delete_in_batches(email_changes.waiting()))
    sum(delete_in_batches(SignUp.objects.all()))
    # A link that confirms an address contains its id. No skipped id is used again.
    EmailAddress.objects.filter(verified=False).update(id=F("id") + SKIPPED_IDS)
    tokens = 0 if keep_tokens else issuance.revoke_all(ApiToken.objects.all(), HERE, RevokedToken.Reason.RESTORED)
    problems = checks.check_ring_fits_database(None, databases=["default"])
    if problems:
        raise Unusable(" ".join(f"{problem.msg} {problem.hint}" for problem in problems))
    counters.forget_all()
    return Settled(tokens, sessions, mails)


def is_used_by_others() -> bool:
    """Return whether anybody else is connected to the PostgreSQL database. Call it before any other query."""
    # A pool opens connections by itself, which would count as others.
    connection.settings_dict["OPTIONS"]["pool"] = False
    with connection.cursor() as cursor:
        cursor.execute(OTHERS)
        return bool(cursor.fetchone()[0])
