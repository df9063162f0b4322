"""The programs that use tokens, as rows for people."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from developers.models import ProgramLabel
from developers.programs import MOST_ADDRESSES, OTHERS, UNNAMED
from developers.used_by import COLUMN, HEIGHT, LEAST, SHOWN_DAYS, DayOfUses, UsingProgram, names_of, programs_named
from tests.developers.test_program_uses import make

pytestmark = pytest.mark.matrix

DAY = timedelta(days=1)
LARGE = 2**40


def using(*days: tuple[int, int, int]) -> UsingProgram:
    """Return a program with calls on days: how long ago, how many were accepted, and how many refused."""
    today = timezone.now().date()
    return UsingProgram("n8n", "", timezone.now(), [], [DayOfUses(today - ago * DAY, *calls) for ago, *calls in days])


def listed(owner: User) -> list[UsingProgram]:
    return programs_named(owner.pk, names_of(owner.pk))


def test_programs_are_listed_with_their_addresses_days_and_labels_in_one_query(
    alice: User, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    make(alice, "n8n", "192.0.2.1", now - DAY, count=5)
    make(alice, "n8n", "192.0.2.2", now - DAY, count=2, is_refused=True)
    make(alice, "n8n", "192.0.2.2", now - 3 * DAY, count=3, generation=2)
    make(alice, "curl", "", now)
    make(alice, "long ago", at=now - SHOWN_DAYS * DAY)
    make(bob, "his")
    ProgramLabel.objects.create(user=alice, program="n8n", label="CRM sync")
    ProgramLabel.objects.create(user=bob, program="curl", label="Another")

    with django_assert_num_queries(1):
        curl, n8n = programs_named(alice.pk, names_of(alice.pk)[:11])

    assert (curl.name, curl.label, curl.addresses) == ("curl", "", ["Unknown address"])
    assert (n8n.name, n8n.own_name, n8n.label) == ("n8n", "n8n", "CRM sync")
    assert n8n.addresses == ["192.0.2.1", "192.0.2.2"]
    assert (n8n.accepted, n8n.refused, n8n.last_at) == (8, 2, now - DAY)
    assert sorted(n8n.days) == [((now - 3 * DAY).date(), 3, 0), ((now - DAY).date(), 5, 2)]
    assert n8n.fullest.day == (now - DAY).date()


def test_the_last_addresses_of_each_program_are_listed(alice: User) -> None:
    now = timezone.now()
    for number in range(MOST_ADDRESSES + 5):
        make(alice, "n8n", f"192.0.2.{number}", now - number * DAY)
        make(alice, "curl", f"198.51.100.{number}", now - 2 * number * timedelta(hours=1))

    programs = {program.name: program.addresses for program in listed(alice)}

    assert programs["n8n"] == [f"192.0.2.{number}" for number in range(MOST_ADDRESSES)]
    assert programs["curl"] == [f"198.51.100.{number}" for number in range(MOST_ADDRESSES)]


def test_only_the_programs_asked_for_are_read(alice: User) -> None:
    now = timezone.now()
    for number in range(12):
        make(alice, f"program {number}", at=now - number * timedelta(minutes=1))

    latest = programs_named(alice.pk, names_of(alice.pk)[:3])
    chosen = programs_named(alice.pk, ["program 7", "program 4", "unknown"])

    assert [program.name for program in latest] == ["program 0", "program 1", "program 2"]
    assert [program.name for program in chosen] == ["program 4", "program 7"]


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize(
    ("name", "shown", "can_have_a_label"),
    [(UNNAMED, "Unnamed program", True), (OTHERS, "Other programs", False), ("n8n", "n8n", True)],
)
def test_the_rest_beyond_the_bounds_is_no_program_to_label(name: str, shown: str, can_have_a_label: bool) -> None:
    program = UsingProgram(name, "", timezone.now(), [], [])

    assert (program.own_name, program.can_have_a_label) == (shown, can_have_a_label)


def test_a_large_number_of_calls_is_a_whole_number(alice: User) -> None:
    make(alice, "n8n", count=LARGE)
    make(alice, "n8n", "192.0.2.2", count=LARGE)

    [program] = listed(alice)

    assert (type(program.accepted), program.accepted) == (int, 2 * LARGE)
    assert [type(bar.top) for bar in program.bars] == [int]


def test_a_clock_ahead_draws_inside_the_drawing(alice: User) -> None:
    make(alice, "n8n", at=timezone.now() + DAY)

    [bar] = listed(alice)[0].bars

    assert bar.x == UsingProgram.width - COLUMN // 2


days = st.tuples(st.integers(0, SHOWN_DAYS - 1), st.integers(0, LARGE), st.integers(0, LARGE))


@given(st.lists(days.filter(lambda day: any(day[1:])), min_size=1, max_size=SHOWN_DAYS, unique_by=lambda day: day[0]))
def test_every_day_with_calls_has_bars_of_its_own_inside_the_drawing(days: list[tuple[int, int, int]]) -> None:
    bars = list(using(*days).bars)

    assert len(bars) == sum(bool(number) for _, *calls in days for number in calls)
    assert all(0 <= bar.top <= bar.foot - LEAST <= HEIGHT - LEAST for bar in bars)
    assert all(0 < bar.x < UsingProgram.width for bar in bars)
    assert len({bar.x for bar in bars}) == len(days)


def test_refused_calls_stand_on_the_accepted_ones() -> None:
    program = using((0, 90, 10))

    accepted, refused = program.bars
    assert (accepted.is_refused, refused.is_refused) == (False, True)
    assert HEIGHT == accepted.foot > accepted.top == refused.foot > refused.top
    assert program.lines == {"accepted": "M118 24V6", "refused": "M118 6V4"}
