"""My Account → Security → Security log: the events of the account and its token, as a page and as a file."""

from collections.abc import Sequence
from datetime import UTC
from itertools import chain, islice

from django.conf import settings
from django.core.paginator import Page
from django.db.models import QuerySet, TextChoices
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import security_log as log
from accounts.events import FAILURES, EventCount, Kind, SecurityEvent
from accounts.security_log import Event
from accounts.web import spreadsheets
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest

FILE_NAME = "botpenguin-security-log.csv"
MOST_ROWS_OF_A_FILE = 10_000
ROWS_AT_ONCE = 1_000


class Group(TextChoices):
    LOGGING_IN = "signing-in", gettext_lazy("Log-ins and log-outs")
    FAILED = "failed", gettext_lazy("Failed attempts")
    PASSWORD = "password-and-email", gettext_lazy("Password and email")
    FACTORS = "ways-to-log-in", gettext_lazy("Ways to log in")
    TOKEN = "api-token", gettext_lazy("API token")
    WEBHOOKS = "webhooks", gettext_lazy("Webhooks")


KINDS: dict[str, Sequence[str]] = {
    Group.LOGGING_IN: [
        *(Kind.SIGNED_UP, Kind.LOGGED_IN, Kind.LOG_IN_FAILED, Kind.LOGGED_OUT),
        *(Kind.SESSION_ENDED, Kind.SESSIONS_ENDED, Kind.CONFIRMED, Kind.CONFIRMING_FAILED),
    ],
    Group.FAILED: FAILURES,
    Group.PASSWORD: [
        *(Kind.PASSWORD_CHANGED, Kind.PASSWORD_RESET),
        *(Kind.EMAIL_ASKED, Kind.EMAIL_CHANGED),
    ],
    Group.FACTORS: [
        *(Kind.FACTOR_ADDED, Kind.FACTOR_REMOVED, Kind.FACTORS_REMOVED),
        *(Kind.CODES_RENEWED, Kind.CODE_USED, Kind.PASSKEY_COPIED),
    ],
    Group.TOKEN: log.TOKEN_KINDS,
    Group.WEBHOOKS: [
        *(Kind.WEBHOOK_MADE, Kind.WEBHOOK_STOPPED, Kind.WEBHOOK_RESUMED),
        *(Kind.WEBHOOKS_PAUSED, Kind.WEBHOOKS_STOPPED),
    ],
}


@require_safe
@never_cache
def security_log(request: LoggedInRequest) -> HttpResponse:
    group = _chosen(request)
    events, counts = log.of(request.user, KINDS.get(group, ()))
    context = paged(request, events)
    listed = [(event.get_kind_display(), event) for event in _with_counts(context["page"], counts)]
    context |= {"events": listed, "group": group, "groups": Group.choices}
    context |= {"failures": log.FAILURES_AN_HOUR, "most": settings.EVENTS_AN_HOUR, "most_rows": MOST_ROWS_OF_A_FILE}
    return render(request, "accounts/security_log.html", context)


@require_safe
@never_cache
def download(request: LoggedInRequest) -> HttpResponse:
    """Return the newest events of the requested group as a file for spreadsheets, and who used the token."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    spreadsheets.write(response, [_headings()])
    # In batches, so that not all of them are in memory at once.
    group = _chosen(request)
    rows = (rows[:MOST_ROWS_OF_A_FILE].iterator(ROWS_AT_ONCE) for rows in log.of(request.user, KINDS.get(group, ())))
    spreadsheets.write(response, map(_cells, islice(log.merged(*rows), MOST_ROWS_OF_A_FILE)))
    if group in ("", Group.TOKEN):
        more = chain.from_iterable(rows_of(request.user) for rows_of in log.token_rows)
        spreadsheets.write(response, islice(more, MOST_ROWS_OF_A_FILE))
    return response


def _headings() -> list[str]:
    # Translators: headings of a table: what happened, when, from which address, by which program.
    what = pgettext("what happened", "What")
    origin = [pgettext("from which address", "From"), pgettext("program", "Client")]
    return [_("When"), what, _("Detail"), _("Token"), *origin]


def _with_counts(page: Page[SecurityEvent], counts: QuerySet[EventCount]) -> list[Event]:
    """Return the events of a page with the counts from its first event to the first of the next page."""
    length = page.paginator.per_page
    start = (page.number - 1) * length
    events = list(page.paginator.object_list[start : start + length + 1])
    if start and events:
        counts = counts.filter(at__lte=events[0].at)
    for first_of_next in events[length:]:
        counts = counts.filter(at__gt=first_of_next.at)
    return list(log.merged(events[:length], counts))


def _cells(event: Event) -> list[str]:
    at = event.at.astimezone(UTC).isoformat(timespec="seconds")
    return [at, event.get_kind_display(), event.detail_and_count, event.hint or "", event.ip or "", event.client]


def _chosen(request: LoggedInRequest) -> str:
    asked_for = request.GET.get("kind", "")
    return asked_for if asked_for in Group.values else ""
