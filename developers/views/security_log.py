"""My Account → Security → Security log: what happened to the account and to its token, in one list.

Each event is one row of one table, written by one function: `accounts.security_log.record` for
the account, `developers.issuance` for the token. Copying the one into the other would make two
truths. `accounts` knows of no token, so the page is here, and joins both by a UNION in the
database, newest first, which both tables have an index for. With them come the counts of what is
not listed singly. `botpenguin.urls` puts it among the
account's pages.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import F, Q, QuerySet, TextChoices, Value
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.events import EventCount, SecurityEvent
from accounts.models import User
from accounts.security_log import FAILURES, FAILURES_AN_HOUR
from accounts.web import spreadsheets
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from developers.events import TokenEvent

FILE_NAME = "botpenguin-security-log.csv"
MOST_ROWS_OF_A_FILE = 10_000
ROWS_AT_ONCE = 1_000

Account, Token = SecurityEvent.Kind, TokenEvent.Kind

TOKEN_WORDS = {
    Token.ISSUED: gettext_lazy("API token issued"),
    Token.SHOWN: gettext_lazy("API token shown"),
    Token.COPIED: gettext_lazy("API token copied"),
    Token.TRIED: gettext_lazy("API token tried out"),
    Token.REVOKED: gettext_lazy("API token revoked"),
    Token.REFUSED: gettext_lazy("Revoked API token refused"),
}


class Group(TextChoices):
    SIGNING_IN = "signing-in", gettext_lazy("Log-ins and log-outs")
    FAILED = "failed", gettext_lazy("Failed attempts")
    PASSWORD = "password-and-email", gettext_lazy("Password and email")
    FACTORS = "ways-to-log-in", gettext_lazy("Ways to log in")
    TOKEN = "api-token", gettext_lazy("API token")


KINDS: dict[str, list[str]] = {
    Group.SIGNING_IN: [
        *(Account.SIGNED_UP, Account.SIGNED_IN, Account.SIGN_IN_FAILED, Account.SIGNED_OUT),
        *(Account.SESSION_ENDED, Account.SESSIONS_ENDED, Account.CONFIRMED, Account.CONFIRMING_FAILED),
    ],
    Group.FAILED: [*FAILURES, Token.REFUSED],
    Group.PASSWORD: [
        *(Account.PASSWORD_CHANGED, Account.PASSWORD_RESET),
        *(Account.EMAIL_ASKED, Account.EMAIL_CHANGED),
    ],
    Group.FACTORS: [
        *(Account.FACTOR_ADDED, Account.FACTOR_REMOVED, Account.FACTORS_REMOVED),
        *(Account.CODES_RENEWED, Account.CODE_USED, Account.PASSKEY_COPIED),
    ],
    Group.TOKEN: [*Token],
}
# The marks of the token page: what is new, what ended, what was refused.
NEW = (Account.SIGNED_UP, Account.SIGNED_IN, Account.FACTOR_ADDED, Token.ISSUED)
ENDED = (
    *(Account.SIGNED_OUT, Account.SESSION_ENDED, Account.SESSIONS_ENDED),
    *(Account.FACTOR_REMOVED, Account.FACTORS_REMOVED, Token.REVOKED),
)
MARKS = dict.fromkeys(NEW, "issued") | dict.fromkeys(ENDED, "revoked") | dict.fromkeys(KINDS[Group.FAILED], "refused")


class Entry(NamedTuple):
    """An event of either table, or a count of those that came on top, as the page and the file tell it."""

    id: int
    at: datetime
    kind: str
    detail: str
    hint: str
    ip: str | None
    client: str
    on_top: int

    @property
    def what(self) -> str:
        return str(TOKEN_WORDS[Token(self.kind)] if self._is_of_token else Account(self.kind).label)

    @property
    def more(self) -> str:
        choices: type[TextChoices] = TokenEvent.Note if self._is_of_token else SecurityEvent.Means
        label = str(choices(self.detail).label) if self.detail else ""
        if not self.on_top:
            return label
        told = ngettext("and %(number)d more", "and %(number)d more", self.on_top) % {"number": self.on_top}
        return f"{label.rstrip('.')}, {told}" if label else told

    @property
    def mark(self) -> str:
        return MARKS.get(self.kind, "")

    @property
    def cells(self) -> list[str]:
        at = self.at.astimezone(UTC).isoformat(timespec="seconds")
        return [at, self.what, self.more, self.hint, self.ip or "", self.client]

    @property
    def _is_of_token(self) -> bool:
        return self.kind in Token.values


@require_safe
@never_cache
def security_log(request: LoggedInRequest) -> HttpResponse:
    group = _chosen(request)
    context = paged(request, events_of(request.user, group))
    page = context["page"]
    page.object_list = [Entry(*row) for row in page.object_list]
    context |= {"group": group, "groups": Group.choices}
    context |= {"failures": FAILURES_AN_HOUR, "most": settings.EVENTS_AN_HOUR, "most_rows": MOST_ROWS_OF_A_FILE}
    return render(request, "developers/security_log.html", context)


@require_safe
@never_cache
def download(request: LoggedInRequest) -> HttpResponse:
    """Hand out the newest events, of the group that the address asks for, as a file for spreadsheets."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    spreadsheets.write(response, [[_("When"), _("What"), _("Detail"), _("Token"), _("From"), _("Client")]])
    for entries in _batches(request.user, _chosen(request)):
        spreadsheets.write(response, (entry.cells for entry in entries))
    return response


def events_of(owner: User, group: str = "", after: Entry | None = None) -> QuerySet[Any, Any]:
    """Return rows in the shape of `Entry`, newest first, of one group or all; those that come after one."""
    wanted = Q(user=owner)
    if group:
        wanted &= Q(kind__in=KINDS[group])
    if after:
        same_id = Q(at=after.at, id=after.id, kind__gt=after.kind)
        wanted &= Q(at__lt=after.at) | Q(at=after.at, id__lt=after.id) | same_id
    tables: list[tuple[QuerySet[Any], list[Any]]] = [
        (SecurityEvent.objects.all(), [F("means"), Value(""), "ip", "client", Value(0)]),
        (TokenEvent.objects.all(), [F("note"), "hint", "ip", "client", Value(0)]),
        (EventCount.objects.all(), ["detail", Value(""), "ip", "client", "count"]),
    ]
    account, *others = (
        rows.filter(wanted).order_by().values_list("id", "at", "kind", *columns) for rows, columns in tables
    )
    return account.union(*others, all=True).order_by("-at", "-id", "kind")


def _batches(owner: User, group: str) -> Iterator[list[Entry]]:
    """Yield the newest events, a few at a time, since all of them would be held at once."""
    last, left = None, MOST_ROWS_OF_A_FILE
    while left:
        size = min(left, ROWS_AT_ONCE)
        entries = [Entry(*row) for row in events_of(owner, group, last)[:size]]
        yield entries
        if len(entries) < size:
            return
        last, left = entries[-1], left - size


def _chosen(request: LoggedInRequest) -> str:
    asked_for = request.GET.get("kind", "")
    return asked_for if asked_for in Group.values else ""
