"""The events of a program and of an address that are new to a token in use."""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from post_office.models import Email

from accounts.models import User
from developers import program_uses
from developers.bearer.use_counts import Count, Counts, OwnersUse
from developers.models import ApiToken, TokenUse
from developers.programs import OTHERS, UNNAMED, UseKey
from tests.cast import logged_in, token_events
from tests.developers.uses import add_use
from tests.developers.views.token_page import text

pytestmark = pytest.mark.matrix
WEEK = timedelta(days=7, minutes=1)
OLD, NEW, NETWORK = "192.0.2.1", "198.51.100.7", "2001:db8:1:2::/64"
PROGRAM, ADDRESS = "token-new-program", "token-new-address"


def write(owner: User, *uses: tuple[str, str], generation: int = 1, is_refused: bool = False) -> None:
    """Write calls of programs from addresses, as the timer of a process does."""
    now = timezone.now().timestamp()
    day = timezone.now().astimezone(UTC).date()
    counts: Counts = {
        OwnersUse(owner.pk, day, UseKey(program, address, generation, is_refused)): Count(1, now, now)
        for program, address in uses
    }
    assert program_uses.write(counts) == {}


def events() -> list[tuple[str, str | None, str]]:
    found = token_events().exclude(kind="token-issued").order_by("pk")
    return list(found.values_list("kind", "ip", "client"))


@pytest.mark.parametrize(
    ("use", "found"),
    [
        (("n8n", OLD), []),
        (("curl", OLD), [(PROGRAM, OLD, "curl")]),
        (("curl", NEW), [(PROGRAM, NEW, "curl")]),
        (("n8n", NEW), [(ADDRESS, NEW, "n8n")]),
        (("n8n", NETWORK), [(ADDRESS, "2001:db8:1:2::", "n8n")]),
        (("n8n", UNNAMED), []),
        (("curl", UNNAMED), [(PROGRAM, None, "curl")]),
        ((UNNAMED, OLD), [(PROGRAM, OLD, "Unnamed program")]),
        ((OTHERS, OLD), []),
        (("n8n", OTHERS), []),
    ],
)
def test_a_new_program_or_address_is_an_event_once(
    alice: User, bob: User, use: tuple[str, str], found: list[tuple[str, str | None, str]]
) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    add_use(bob, use[0], address=use[1], ago=WEEK)

    for _minute in range(2):
        write(alice, use)

    assert events() == found


def test_the_log_names_it(alice: User) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    write(alice, ("<b>", NEW))

    assert "API token used by a new program" in text(logged_in(alice).get("/account/security/log/"))


def test_one_batch_has_one_event_for_each_program_and_for_each_address(alice: User) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    add_use(alice, "make", address=OLD, ago=WEEK)

    write(alice, ("curl", OLD), ("curl", NEW), ("n8n", NETWORK), ("make", NETWORK))

    assert sorted(kind for kind, *_ in events()) == [ADDRESS, PROGRAM]


def test_what_used_an_older_token_is_known(alice: User) -> None:
    ApiToken.objects.update(generation=2)
    add_use(alice, "n8n", generation=2, address=OLD, ago=WEEK)
    add_use(alice, "curl", generation=1, address=NEW, ago=WEEK)

    write(alice, ("curl", NEW), generation=2)

    assert events() == []


@pytest.mark.parametrize("more", [{"generation": 2}, {"is_refused": True}])
def test_other_tokens_and_refusals_are_no_events(alice: User, more: dict[str, Any]) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)

    write(alice, ("curl", NEW), **more)

    assert events() == []


def test_everything_is_new_in_the_first_week(alice: User) -> None:
    add_use(alice, "n8n", address=OLD, ago=timedelta(days=6, hours=23))

    write(alice, ("curl", NEW))

    assert events() == []


def test_without_a_token_there_is_no_event(alice: User) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    ApiToken.objects.all().delete()

    write(alice, ("curl", NEW))

    assert events() == []


def test_counts_that_are_written_stay_written_where_the_search_fails(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if "developers_apitoken" in sql:
            raise OperationalError("disk I/O error")
        return execute(sql, *arguments)

    with connection.execute_wrapper(fail):
        write(alice, ("curl", NEW))

    assert TokenUse.objects.get().count == 1
    assert "New programs and addresses were not looked for: disk I/O error" in caplog.text


@pytest.mark.parametrize("chosen", [True, False])
def test_a_new_use_is_mailed_to_who_chose_it(alice: User, chosen: bool) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    logged_in(alice).post("/account/emails/", {"mails_new_uses": "on"} if chosen else {})

    write(alice, ("curl", NEW), ("n8n", NETWORK))

    assert [mail.to for mail in Email.objects.all()] == [["alice@example.com"]] * 2 * chosen
    assert all("curl" in mail.message or "n8n" in mail.message for mail in Email.objects.all())


def test_a_disabled_account_gets_no_mail_of_new_uses(alice: User) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    User.objects.filter(pk=alice.pk).update(mails_new_uses=True, is_active=False)

    write(alice, ("curl", NEW))

    assert (len(events()), Email.objects.count()) == (1, 0)


def test_the_choice_of_mails_is_off_at_first_and_can_be_taken_back(alice: User, bob: User) -> None:
    browser = logged_in(alice)
    box = '<input type="checkbox" name="mails_new_uses"'
    states = []
    for form in (None, {"mails_new_uses": "on"}, {}):
        if form is not None:
            browser.post("/account/emails/", form)
        page = browser.get("/account/").content.decode()
        states.append("checked" in page.partition(box)[2].partition(">")[0])

    assert states == [False, True, False]
    assert not User.objects.get(pk=bob.pk).mails_new_uses
