"""The event of a new program or address is stored with its counts, or neither is."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from post_office.models import Email

from accounts.models import User
from accounts.orm import best_effort
from developers import program_uses
from developers.bearer.use_counts import Count, Counts, OwnersUse
from developers.models import TokenUse
from developers.new_uses import RECORDED_AT_ONCE
from developers.programs import UseKey
from tests.cast import token_events
from tests.developers.test_new_uses import NEW, OLD, WEEK, events
from tests.developers.uses import add_use

pytestmark = pytest.mark.matrix


def counts_of(owner: User, *programs: str) -> Counts:
    now = timezone.now()
    day = now.astimezone(UTC).date()
    return {
        OwnersUse(owner.pk, day, UseKey(program, NEW, 1, False)): Count(1, now.timestamp(), now.timestamp())
        for program in programs
    }


def failing_after(events_stored: int) -> Callable[..., Any]:
    """Make the database refuse events beyond a number of them."""
    stored = list[str]()

    def execute(run: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if sql.startswith('INSERT INTO "accounts_securityevent"'):
            if len(stored) >= events_stored:
                raise OperationalError("disk I/O error")
            stored.append(sql)
        return run(sql, *arguments)

    return execute


def written_today() -> set[str]:
    return set(TokenUse.objects.filter(address=NEW).values_list("program", flat=True))


def test_counts_whose_event_cannot_be_stored_wait_with_it(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    counts = counts_of(alice, "curl")

    with connection.execute_wrapper(failing_after(0)):
        left = program_uses.write(counts)
    before = written_today(), events()
    monkeypatch.setattr(best_effort, "backoff", best_effort.Backoff())
    again = program_uses.write(left)

    assert (left, before) == (counts, (set(), []))
    assert (again, written_today(), len(events())) == ({}, {"curl"}, 1)


@pytest.mark.parametrize("mails", [True, False])
def test_of_a_flood_the_first_ones_are_stored_with_the_counts_and_the_rest_after_them(alice: User, mails: bool) -> None:
    User.objects.filter(pk=alice.pk).update(mails_new_uses=mails)
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    programs = [f"p{number}" for number in range(RECORDED_AT_ONCE + 3)]

    with connection.execute_wrapper(failing_after(RECORDED_AT_ONCE + 1)):
        left = program_uses.write(counts_of(alice, *programs))

    assert (left, written_today()) == ({}, {*programs})
    assert len(events()) == RECORDED_AT_ONCE + 1
    assert Email.objects.count() == mails * (RECORDED_AT_ONCE + 1)


def test_a_flood_of_new_programs_has_an_event_for_each(alice: User) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    programs = [f"p{number}" for number in range(RECORDED_AT_ONCE + 5)]

    for _minute in range(2):
        program_uses.write(counts_of(alice, *programs))

    assert {client for _kind, _ip, client in events()} == {*programs}
    assert token_events().filter(kind="token-new-program").count() == len(programs)


def test_counts_that_others_change_first_have_no_event_yet(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    add_use(alice, "n8n", address=OLD, ago=WEEK)
    seen_of = program_uses._seen_of

    def read_before_another(counts: Counts) -> Any:
        found = seen_of(counts)
        add_use(alice, f"other{TokenUse.objects.count()}")
        return found

    monkeypatch.setattr(program_uses, "_seen_of", read_before_another)
    counts = counts_of(alice, *(f"p{number}" for number in range(RECORDED_AT_ONCE + 1)))

    left = program_uses.write(counts)

    assert (left, events()) == (counts, [])
