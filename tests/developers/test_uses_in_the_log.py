"""The file of the security log holds who used the account's tokens, after the events."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import User
from developers import issuance
from developers.models import ApiToken, RevokedToken
from developers.programs import OTHERS
from tests.cast import PHONE, logged_in
from tests.developers.test_program_uses import make

FILE = "/account/security/log/download/"


def uses_in(browser: Browser, query: str = "") -> list[list[str]]:
    rows = list(csv.reader(StringIO(browser.get(FILE + query).content.decode())))
    uses = [row for row in rows if row[1] == "Use by a program"]
    # After all events.
    assert rows[len(rows) - len(uses) :] == uses
    return uses


def test_the_file_has_a_row_for_each_use_with_the_token_s_hint(alice: User, bob: User) -> None:
    issuance.revoke(alice, 1, PHONE, even_if_used=True)
    old, current = RevokedToken.objects.get().hint, ApiToken.objects.get(user=alice).hint
    now = timezone.now().replace(microsecond=0)
    make(alice, "n8n", "192.0.2.1", now - timedelta(hours=1), count=12, is_refused=True)
    make(alice, "-curl", "2001:db8::/64", now, count=3, generation=2)
    make(alice, OTHERS, OTHERS, now - timedelta(days=2), generation=99)
    make(bob, "hers", at=now)

    found = uses_in(logged_in(alice))

    def at(ago: timedelta) -> str:
        return f"{now - ago:%FT%T}+00:00"

    times = [at(timedelta()), at(timedelta(hours=1)), at(timedelta(days=2))]
    what = "Use by a program"
    assert found == [
        [times[0], what, f"3 calls accepted, the first at {times[0]}", current, "2001:db8::/64", "'-curl"],
        [times[1], what, f"12 calls refused, the first at {times[1]}", old, "192.0.2.1", "n8n"],
        [times[2], what, f"1 call accepted, the first at {times[2]}", "", "Other addresses", "Other programs"],
    ]


@pytest.mark.parametrize(("query", "rows"), [("", 1), ("?kind=api-token", 1), ("?kind=failed", 0), ("?kind=x", 1)])
def test_uses_belong_to_the_group_of_the_token(alice: User, query: str, rows: int) -> None:
    make(alice, "curl")

    assert len(uses_in(logged_in(alice), query)) == rows


def test_the_file_holds_the_newest_uses(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.views.security_log.MOST_ROWS_OF_A_FILE", 2)
    now = timezone.now()
    for hours in range(4):
        make(alice, f"p{hours}", at=now - timedelta(hours=hours))

    assert [row[-1] for row in uses_in(logged_in(alice))] == ["p0", "p1"]
