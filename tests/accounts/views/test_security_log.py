"""The page and the file of the security log list events of an account and its token. Old events are deleted."""

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import security_log
from accounts.events import MARKS, SecurityEvent
from accounts.models import User
from accounts.views.security_log import KINDS
from accounts.web.clients import Client
from developers import issuance
from developers.models import RevokedToken
from tests.cast import LAPTOP, PHONE, logged_in, token_events

pytestmark = pytest.mark.matrix

LOG = "/account/security/log/"
FILE = "/account/security/log/download/"
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:133.0) Gecko/20100101 Firefox/133.0"
ADDRESS = "203.0.113.9"
HEAD = ["When", "What", "Detail", "Token", "From", "Client"]
Detail, Kind = SecurityEvent.Detail, SecurityEvent.Kind


def logged_in_with_empty_log(user: User) -> Browser:
    """Return a browser in which a person is logged in, and empty the log."""
    browser = logged_in(user)
    SecurityEvent.objects.all().delete()
    return browser


def rows_on(page: Any) -> list[str]:
    """Return the rows of the page's table, in words."""
    body = page.content.decode().partition("<tbody")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)]


def file_of(browser: Browser, query: str = "") -> list[list[str]]:
    return list(csv.reader(StringIO(browser.get(FILE + query).content.decode())))


def age(user: User, days: int) -> None:
    at = timezone.now() - timedelta(days=days)
    SecurityEvent._base_manager.filter(user=user).update(at=at)


@pytest.mark.no_cover
def test_the_page_lists_account_and_token_newest_first(alice: User, bob: User) -> None:
    security_log.record(Kind.LOGGED_IN, alice, Client(ADDRESS, AGENT), Detail.PASSKEY)
    issuance.revoke_current(alice, PHONE, reason=RevokedToken.Reason.API)
    security_log.record(Kind.LOG_IN_FAILED, alice, Client(None, ""), Detail.PASSWORD)
    hints = list(token_events().filter(user=alice).order_by("pk").values_list("hint", flat=True))
    at = timezone.now() - timedelta(days=9)
    for number, pk in enumerate(SecurityEvent.objects.filter(user=alice).order_by("pk").values_list("pk", flat=True)):
        SecurityEvent._base_manager.filter(pk=pk).update(at=at + timedelta(minutes=number))

    page = logged_in(alice).get(LOG)

    when = [f"{timezone.localtime(at + timedelta(minutes=number)):%-d %b, %H:%M}" for number in range(5)]
    assert rows_on(page)[1:] == [
        f"Log-in failed Password {when[4]} – –",
        f"API token issued …{hints[2]} {when[3]} 2001:db8::7 curl 8.5",
        f"API token revoked …{hints[1]} Through the API. {when[2]} 2001:db8::7 curl 8.5",
        f"Logged in Passkey {when[1]} 203.0.113.9 Firefox, macOS",
        f"API token issued …{hints[0]} {when[0]} 203.0.113.9 python-requests 2.32",
    ]


def test_two_events_of_the_hour_that_comes_twice_differ_on_the_page_and_in_the_file(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(time_zone="Europe/Berlin")
    browser = logged_in_with_empty_log(alice)
    for hour in (0, 1):
        security_log.record(Kind.CONFIRMED, alice, LAPTOP)
        newest = SecurityEvent._base_manager.filter(pk=SecurityEvent.objects.latest("pk").pk)
        newest.update(at=datetime(2026, 10, 25, hour, 30, tzinfo=UTC))

    page, file = browser.get(LOG), file_of(browser)

    assert [re.findall(r"\b02:30 \w+", row) for row in rows_on(page)] == [["02:30 CET"], ["02:30 CEST"]]
    assert [line[0] for line in file[1:]] == ["2026-10-25T01:30:00+00:00", "2026-10-25T00:30:00+00:00"]


def test_somebody_elses_events_are_in_neither_page_nor_file(alice: User, bob: User) -> None:
    security_log.record(Kind.LOG_IN_FAILED, bob, Client("198.51.100.24", "n8n/1.0"))
    browser = logged_in(alice)

    page = browser.get(LOG).content.decode() + str(file_of(browser))

    assert [mark for mark in ("198.51.100.24", "n8n", "2001:db8::7") if mark in page] == []


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("signing-in", ["Logged in", "Log-in failed Password"]),
        ("failed", ["Log-in failed Password"]),
        ("password-and-email", ["Email changed"]),
        ("ways-to-log-in", ["Way to log in added Passkey"]),
        ("api-token", ["API token issued"]),
        ("nonsense", ["Logged in", "Log-in failed", "Way to log in added", "Email changed", "API token issued"]),
    ],
)
def test_the_page_and_the_file_are_filtered_alike(alice: User, group: str, expected: list[str]) -> None:
    security_log.record(Kind.EMAIL_CHANGED, alice, LAPTOP)
    security_log.record(Kind.FACTOR_ADDED, alice, LAPTOP, Detail.PASSKEY)
    security_log.record(Kind.LOG_IN_FAILED, alice, LAPTOP, Detail.PASSWORD)
    browser = logged_in(alice)

    page, file = browser.get(LOG, {"kind": group}), file_of(browser, f"?kind={group}")

    assert [row.startswith(what) for row, what in zip(rows_on(page), expected, strict=True)] == [True] * len(expected)
    assert [what.startswith(line[1]) for what, line in zip(expected, file[1:], strict=True)] == [True] * len(expected)


def test_where_a_group_is_empty_the_page_says_so(alice: User) -> None:
    page = logged_in(alice).get(LOG, {"kind": "password-and-email"}).content.decode()

    assert "No events of this kind" in page
    assert "<table" not in page


def test_a_long_log_comes_in_pages_that_keep_the_filter(alice: User) -> None:
    browser = logged_in_with_empty_log(alice)
    for _ in range(60):
        security_log.record(Kind.CONFIRMED, alice, LAPTOP)

    first, second = browser.get(LOG, {"kind": "signing-in"}), browser.get(LOG, {"kind": "signing-in", "page": "2"})

    assert [len(rows_on(page)) for page in (first, second)] == [50, 10]
    assert f'href="{LOG}?kind=signing-in&amp;page=2"' in first.content.decode()
    assert f'href="{FILE}?kind=signing-in"' in second.content.decode()


def test_the_page_and_the_file_cost_the_same_queries_however_long_the_log(alice: User) -> None:
    browser = logged_in_with_empty_log(alice)
    for _ in range(40):
        security_log.record(Kind.CONFIRMED, alice, LAPTOP)

    with CaptureQueriesContext(connection) as page:
        browser.get(LOG)
    with CaptureQueriesContext(connection) as file:
        browser.get(FILE)

    assert (len(page), len(file)) == (5, 6)


def test_the_file_is_for_spreadsheets_and_is_kept_by_no_cache(alice: User) -> None:
    browser = logged_in_with_empty_log(alice)
    security_log.record(Kind.LOGGED_IN, alice, Client(ADDRESS, AGENT), Detail.PASSWORD)

    response = browser.get(FILE)

    at = SecurityEvent.objects.get().at
    lines = list(csv.reader(StringIO(response.content.decode())))
    row = [f"{at:%Y-%m-%dT%H:%M:%S}+00:00", "Logged in", "Password", "", ADDRESS, AGENT]
    assert lines[:2] == [HEAD, row]
    assert response.content.decode().splitlines()[1] == ",".join(f'"{cell}"' for cell in row)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="botpenguin-security-log.csv"'
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_file_is_a_formula(alice: User, start: str) -> None:
    security_log.record(Kind.CONFIRMED, alice, Client(None, f'{start}HYPERLINK("https://example.com")'))

    line = file_of(logged_in(alice))[2]

    assert line[-1] == f'\'{start}HYPERLINK("https://example.com")'


def test_a_file_too_long_holds_the_newest_and_the_page_says_so(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.views.security_log.MOST_ROWS_OF_A_FILE", 1)
    browser = logged_in(alice)

    page, lines = browser.get(LOG).content.decode(), file_of(browser)

    assert "The file holds the newest 1 events." in page
    assert [line[1] for line in lines] == ["What", "Logged in"]


@pytest.mark.no_cover
@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_the_file_is_the_same_however_many_rows_are_read_at_once(
    alice: User, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    browser = logged_in(alice)
    at = timezone.now()
    # Events of both tables with the same time and id.
    monkeypatch.setattr(timezone, "now", lambda: at)
    for _ in range(3):
        security_log.record(Kind.CONFIRMED, alice, LAPTOP)
        issuance.reveal(alice, Kind.TOKEN_SHOWN, LAPTOP)
    whole = file_of(browser)

    monkeypatch.setattr("accounts.views.security_log.ROWS_AT_ONCE", most)

    assert file_of(browser) == whole
    assert len(whole) == 1 + SecurityEvent.objects.count()


def test_the_security_page_leads_to_the_log(alice: User) -> None:
    page = logged_in(alice).get("/account/security/").content.decode()

    assert f'href="{LOG}"' in page


def test_every_kind_of_event_has_its_words_and_one_group_besides_failures() -> None:
    grouped = [kind for group, kinds in KINDS.items() if group != "failed" for kind in kinds]

    assert sorted(grouped) == sorted(Kind.values)
    assert set(MARKS.values()) == {"issued", "revoked", "refused"}


def test_pruning_forgets_what_is_older_and_nothing_else(alice: User, bob: User) -> None:
    for user in (alice, bob):
        security_log.record(Kind.LOGGED_IN, user, LAPTOP)
    age(alice, 401)
    age(bob, 399)
    output = StringIO()

    call_command("prune_events", stdout=output)

    assert output.getvalue() == "2 events deleted.\n"
    assert [event.user for event in SecurityEvent.objects.all()] == [bob, bob]


def test_pruning_takes_a_number_of_days(alice: User) -> None:
    age(alice, 31)

    call_command("prune_events", "--older-than", "30", stdout=StringIO())

    assert not token_events().exists()


def test_pruning_everything_is_refused(alice: User) -> None:
    with pytest.raises(CommandError, match="wants at least 1 day"):
        call_command("prune_events", "--older-than", "0")

    assert token_events().count() == 1
