"""Known programs and addresses keep their own names, however many new names a leaked token brings."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.orm import bulk
from developers import issuance, program_uses, replacement
from developers.bearer import known_uses, verification
from developers.bearer.known_uses import KnownUses
from developers.known_programs import known_before
from developers.models import ApiToken, ProgramLabel, TokenUse
from developers.program_uses import write
from developers.programs import HELD_ADDRESSES, HELD_PROGRAMS, MOST_ADDRESSES, MOST_PROGRAMS, OTHERS, SeenUses, UseKey
from developers.replacement import State, replacement_of
from tests.cast import PHONE, token_text
from tests.developers.bearer.requests import bearing
from tests.developers.test_program_uses import DAY, NOON, count, key, make
from tests.developers.uses import add_use

YESTERDAY = NOON - timedelta(days=1)


@pytest.fixture(autouse=True)
def without_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "rest", lambda _: None)


def flood(owner: User, **more: Any) -> None:
    """Fill a day with names that sort before all others, as a leaked token can."""
    uses = [key(owner, f"0{number:03}", f"198.51.100.{number}", **more) for number in range(2 * MOST_PROGRAMS)]
    assert write({use: count() for use in uses}) == {}


def named(owner: User, **filters: Any) -> set[str]:
    rows = TokenUse.objects.filter(user=owner, day=DAY, **filters)
    return set(rows.values_list("program", flat=True)) - {OTHERS}


@pytest.mark.parametrize("most_rows", [10, replacement.MOST_ROWS])
def test_after_a_revoke_the_list_keeps_those_who_were_there_before_a_flood(
    alice: User, monkeypatch: pytest.MonkeyPatch, most_rows: int
) -> None:
    monkeypatch.setattr(replacement, "MOST_LISTED", 4)
    monkeypatch.setattr(replacement, "MOST_ROWS", most_rows)
    for number, program in enumerate(["n8n", "curl"]):
        add_use(alice, program, ago=timedelta(days=9, minutes=-number))
    ProgramLabel.objects.create(user=alice, program="Make", label="CRM sync")
    add_use(alice, "Make", ago=timedelta(minutes=1))
    for number in range(20):
        add_use(alice, f"flood{number}", ago=timedelta(hours=1))
    issuance.revoke(alice, 1, PHONE, even_if_used=True)
    for number in range(20):
        add_use(alice, f"flood{number}", refused=1)
    add_use(alice, "n8n", generation=2)

    found = replacement_of(ApiToken.objects.get(user=alice), list(alice.revoked_tokens.all()))

    states = {mover.program: mover.state for mover in found.movers}
    own = {"n8n": State.MOVED, "curl": State.SILENT, "Make": State.SILENT}
    assert own.items() <= states.items()
    assert len(states) == 4


@pytest.mark.parametrize("program", ["n8n", "", "Web browser", "مزامنة"])
@pytest.mark.parametrize("days", [1, 2, 33])
def test_a_program_of_an_earlier_day_keeps_its_name(alice: User, program: str, days: int) -> None:
    make(alice, program, at=NOON - timedelta(days=days))
    flood(alice)

    write({key(alice, program): count(3), key(alice, "new"): count()})

    assert TokenUse.objects.get(user=alice, day=DAY, program=program).count == 3
    assert len(named(alice)) == MOST_PROGRAMS
    assert "new" not in named(alice)


def test_a_program_with_a_label_keeps_its_name_before_it_was_used(alice: User, bob: User) -> None:
    for owner, program in ((alice, "n8n"), (bob, "curl")):
        ProgramLabel.objects.create(user=owner, program=program, label="CRM sync")
    flood(alice)

    write({key(alice, "n8n"): count(), key(alice, "curl"): count()})

    assert "n8n" in named(alice)
    # That of somebody else is no name of hers.
    assert "curl" not in named(alice)


def test_an_address_of_an_earlier_day_is_kept_apart(alice: User) -> None:
    make(alice, "n8n", "192.0.2.1", YESTERDAY)
    write({key(alice, "n8n", f"198.51.100.{number}"): count() for number in range(2 * MOST_ADDRESSES)})

    write({key(alice, "n8n", "192.0.2.1"): count(4), key(alice, "n8n", "192.0.2.2"): count(5)})

    of_n8n = TokenUse.objects.filter(day=DAY, program="n8n")
    assert of_n8n.get(address="192.0.2.1").count == 4
    assert of_n8n.exclude(address=OTHERS).count() == MOST_ADDRESSES
    assert of_n8n.get(address=OTHERS).count == 2 * MOST_ADDRESSES - (MOST_ADDRESSES - 1) + 5


def test_names_of_a_flood_of_yesterday_leave_places_for_older_and_for_new_programs(alice: User) -> None:
    make(alice, "n8n", at=YESTERDAY - timedelta(days=1))
    flood(alice, day=YESTERDAY.date())

    write({key(alice, f"1{number}"): count() for number in range(MOST_PROGRAMS)})
    write({key(alice, "n8n"): count()})

    assert "n8n" in named(alice)
    assert len(named(alice, program__startswith="1")) == MOST_PROGRAMS - HELD_PROGRAMS


def test_the_api_lists_programs_with_a_label_whatever_others_were_used_since(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_uses, "MOST_PROGRAMS", 4)
    for number in range(6):
        add_use(alice, f"flood{number}", ago=timedelta(minutes=number))
    for number, program in enumerate(["n8n", "curl"]):
        add_use(alice, program, ago=timedelta(days=1, minutes=number))
        ProgramLabel.objects.create(user=alice, program=program, label=f"My {program}")

    found = program_uses.programs_of(alice.pk, 1)

    assert [use.name for use in found] == ["flood0", "flood1", "n8n", "curl"]


def test_known_rows_have_room_when_new_ones_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("developers.programs.MOST_ROWS", 2)
    monkeypatch.setattr("developers.programs.MOST_ROWS_OF_OTHERS", 1)
    monkeypatch.setattr("developers.programs.MOST_ROWS_OF_KNOWN", 1)
    seen = SeenUses((), {"n8n": {"192.0.2.1"}})
    for number in range(5):
        seen.add(UseKey("curl", f"192.0.2.{number}", 1, False))

    first = seen.add(UseKey("n8n", "192.0.2.1", 2, False))
    second = seen.add(UseKey("n8n", "192.0.2.1", 3, False))

    assert (first, second) == (UseKey("n8n", "192.0.2.1", 2, False), None)
    assert len(seen.keys) == 4


def test_a_flood_in_the_memory_of_a_process_leaves_known_programs_apart(alice: User) -> None:
    make(alice, "n8n", "127.0.0.1", NOON - timedelta(days=1))
    token = token_text(alice)
    counts = verification.use_counts
    verification.check(bearing(f"Bearer {token}", user_agent="first/1"))
    counts.flush()

    for number in range(2 * MOST_PROGRAMS):
        verification.check(bearing(f"Bearer {token}", user_agent=f"flood{number}/1"))
    with CaptureQueriesContext(connection) as queries:
        verification.check(bearing(f"Bearer {token}", user_agent="n8n/1.64"))
    counts.flush()

    assert len(queries) == 1
    assert TokenUse.objects.filter(user=alice, program="n8n").exclude(day=YESTERDAY.date()).get().count == 1


def test_what_is_known_is_read_once_a_day(alice: User, bob: User) -> None:
    make(alice, "n8n", at=YESTERDAY)
    known = KnownUses()
    queries = []
    for owners, day in (([alice], DAY), ([alice], DAY), ([alice, bob], DAY), ([alice], DAY + timedelta(days=1))):
        with CaptureQueriesContext(connection) as captured:
            known.read([(owner.pk, day) for owner in owners], known_before)
        queries.append(len(captured))

    assert queries == [2, 0, 2, 2]
    assert known.of(alice.pk) == {"n8n": {"192.0.2.1"}}
    assert known.of(bob.pk) == known.of(0) == {}


def test_what_is_remembered_is_bounded(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_uses, "MOST_REMEMBERED", 3 * (1 + HELD_ADDRESSES))
    for owner in (alice, bob):
        for number in range(2 * HELD_PROGRAMS):
            make(owner, f"p{number:03}", at=YESTERDAY + timedelta(minutes=number))
        for number in range(2 * HELD_ADDRESSES):
            make(owner, "n8n", f"192.0.2.{number}", YESTERDAY - timedelta(days=1, minutes=-number))
    known = KnownUses()

    known.read([(alice.pk, DAY)], known_before)
    hers = known.of(alice.pk)
    known.read([(bob.pk, DAY)], known_before)

    assert list(hers) == ["n8n", *(f"p{number:03}" for number in range(HELD_PROGRAMS - 1))]
    assert hers["n8n"] == {f"192.0.2.{number}" for number in range(HELD_ADDRESSES)}
    assert known.of(alice.pk) == {}
    assert known.of(bob.pk) == hers
    assert known._size == 2 * HELD_PROGRAMS - 1 + HELD_ADDRESSES
