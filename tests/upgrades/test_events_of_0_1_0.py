"""Events of accounts and tokens of 0.1.0 are listed as before, although their tables have changed."""

import csv
import html
import re
from io import StringIO
from typing import NamedTuple

import pytest
from django.test import Client as Browser

from tests.upgrades.databases import KEPT

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("upgraded"),
    pytest.mark.xdist_group("upgrades"),
]

LOG = "/account/security/log/"
TODAY = "26"
# Address, program on the page, and program in the file, by the names in the list below.
CLIENTS = {
    "PC": (
        "203.0.113.9",
        "Firefox, Linux",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    "phone": (
        "2001:db8::7",
        "Mobile Safari, iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
    ),
    "curl": ("2001:db8::7", "curl 8.5", "curl/8.5.0"),
    "scanner": ("198.51.100.4", "GitHub-Hookshot 1", "GitHub-Hookshot/1"),
    "formula": ("203.0.113.9", "=cmd|'", "'=cmd|' /C calc'!A0"),
    "formula, far": ("2001:db8::7", "=cmd|'", "'=cmd|' /C calc'!A0"),
    "server": ("", "manage.py", "manage.py"),
}
# Newest first: day and time, what, detail, token, client.
HAPPENED = """
26 11:50 | API token issued                     |                                    | current      | PC
26 11:50 | API token revoked                    |                                    | owner, later | PC
26 11:49 | Revoked API token refused            |                                    | restored     | curl
26 11:49 | Revoked API token refused            |                                    | exposed      | curl
26 11:48 | Revoked API token refused            |                                    | owner        | formula, far
24 11:47 | API token issued                     |                                    | owner, later | server
24 11:47 | API token revoked                    | A backup was restored.             | restored     | server
24 11:46 | API token issued                     |                                    | restored     | server
24 11:46 | API token revoked                    | By the operator.                   | operator     | server
24 11:45 | Password changed                     |                                    |              | PC
24 11:44 | Password changed                     |                                    |              | PC
24 11:44 | API token issued                     |                                    | operator     | PC
24 11:44 | API token revoked                    | With the password.                 | password     | PC
24 11:43 | API token issued                     |                                    | password     | scanner
24 11:43 | API token revoked                    | Reported as exposed.               | exposed      | scanner
24 11:42 | API token issued                     |                                    | exposed      | curl
24 11:42 | API token revoked                    | Through the API.                   | api          | curl
24 11:41 | API token issued                     |                                    | api          | PC
24 11:41 | API token revoked                    | Its stored copy could not be read. | unreadable   | PC
24 11:40 | API token issued                     |                                    | unreadable   | PC
24 11:40 | API token revoked                    |                                    | owner        | PC
24 11:38 | API token tried out                  |                                    | owner        | PC
24 11:37 | API token copied                     |                                    | owner        | PC
24 11:36 | API token shown                      |                                    | owner        | PC
24 11:35 | API token issued                     |                                    | owner        | PC
24 11:35 | Identity confirmed                   | Authenticator app                  |              | PC
24 11:34 | Confirming identity failed           | Authenticator app                  |              | PC
24 10:32 | Identity confirmed                   | Password                           |              | PC
24 10:31 | Confirming identity failed           | Password                           |              | PC
24 09:29 | Logged out everywhere else           |                                    |              | PC
24 09:28 | Logged in                            | Passkey                            |              | phone
24 09:27 | Logged out another browser           |                                    |              | PC
24 09:26 | Logged in                            | Recovery codes                     |              | phone
24 09:26 | Recovery code used                   |                                    |              | phone
24 09:24 | Logged out                           |                                    |              | phone
24 09:23 | Logged in                            | Authenticator app                  |              | phone
24 09:22 | Log-in failed                        | Authenticator app                  |              | phone
24 09:20 | New recovery codes made              |                                    |              | PC
24 09:19 | Way to log in removed                | Passkey                            |              | PC
24 09:18 | Way to log in added                  | Passkey                            |              | PC
24 09:17 | Way to log in added                  | Passkey                            |              | PC
24 09:16 | Way to log in added                  | Recovery codes                     |              | PC
24 09:16 | Way to log in added                  | Authenticator app                  |              | PC
24 09:15 | Email changed                        |                                    |              | PC
24 09:14 | Change of email requested            |                                    |              | PC
24 09:13 | Logged in                            | Password                           |              | PC
24 09:12 | Password reset                       |                                    |              | phone
24 09:10 | Log-in failed                        | Password                           |              | formula
24 09:09 | Ways to log in removed by the operator |                                  |              | server
24 09:08 | Way to log in added                  | Recovery codes                     |              | PC
24 09:08 | Way to log in added                  | Authenticator app                  |              | PC
24 09:06 | Way to log in removed                | Recovery codes                     |              | PC
24 09:06 | Way to log in removed                | Authenticator app                  |              | PC
24 09:05 | Way to log in added                  | Recovery codes                     |              | PC
24 09:05 | Way to log in added                  | Authenticator app                  |              | PC
24 09:04 | Password changed                     |                                    |              | PC
24 09:03 | Logged in                            | Password                           |              | PC
24 09:02 | Email changed                        |                                    |              | PC
24 09:01 | Account created                      |                                    |              | PC
"""


class Event(NamedTuple):
    day: str
    time: str
    what: str
    detail: str
    hint: str
    client: str

    @property
    def cells(self) -> list[str]:
        """The cells in the file, in UTC."""
        address, _, program = CLIENTS[self.client]
        return [f"2026-11-{self.day}T{self.time}:00+00:00", self.what, self.detail, self.hint, address, program]

    @property
    def words(self) -> str:
        """The cells on the page, in the time zone of the account."""
        address, program, _ = CLIENTS[self.client]
        hour, minute = self.time.split(":")
        token = f"…{self.hint}" if self.hint else ""
        day = "" if self.day == TODAY else f"{self.day} Nov, "
        at = f"{day}{int(hour) + 1:02}:{minute}"
        return " ".join(f"{self.what} {token} {self.detail} {at} {address or '–'} {program}".split())


def events() -> list[Event]:
    tokens = KEPT["revoked"] | {"current": KEPT["tokens"]["alice@example.net"], "": ""}
    found = []
    for line in HAPPENED.strip().splitlines():
        when, what, detail, token, client = map(str.strip, line.split("|"))
        day, time = when.split()
        found.append(Event(day, time, what, detail, tokens[token][-4:], client))
    return found


@pytest.fixture
def alice() -> Browser:
    browser = Browser()
    browser.cookies.load(KEPT["cookies"]["alice@example.net"])
    return browser


def rows_on(browser: Browser, query: str = "") -> list[str]:
    """Return the rows of all pages of the log."""
    page, found = 1, []
    while True:
        text = browser.get(f"{LOG}?page={page}{query}").content.decode()
        body = text.partition("<tbody")[2].partition("</tbody>")[0]
        rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
        found += [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]
        if f"page={page + 1}" not in text:
            return found
        page += 1


def test_the_page_lists_what_happened_in_the_words_of_before(alice: Browser) -> None:
    assert rows_on(alice) == [event.words for event in events()]


def test_the_file_holds_what_happened(alice: Browser) -> None:
    _head, *rows = csv.reader(StringIO(alice.get(f"{LOG}download/").content.decode()))

    assert rows == [event.cells for event in events()]


def test_what_happened_to_the_token_is_chosen_by_its_kind(alice: Browser) -> None:
    rows = rows_on(alice, "&kind=api-token")

    assert rows == [event.words for event in events() if event.hint]


def test_the_token_page_lists_what_happened_last(alice: Browser) -> None:
    page = alice.get("/developers/api-access-token/").content.decode()

    hints = re.findall(r"…(\w{4})</span>", page.partition("Recent activity")[2])
    of_people = [event.hint for event in events() if event.hint and "refused" not in event.what]
    assert hints == of_people[: len(hints)]
    assert len(hints) == 10


def test_the_log_of_somebody_else_holds_only_theirs() -> None:
    bob = Browser()
    bob.cookies.load(KEPT["cookies"]["bob@example.org"])

    _head, *rows = csv.reader(StringIO(bob.get(f"{LOG}download/").content.decode()))

    assert [(what, token) for _, what, _, token, *_ in rows] == [
        ("Change of email requested", ""),
        ("API token issued", KEPT["tokens"]["bob@example.org"][-4:]),
        ("Logged in", ""),
    ]
