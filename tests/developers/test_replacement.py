"""Who uses a token, and who has moved to the new one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from developers import usage
from developers.issuance import revoke
from developers.models import ApiToken, ProgramLabel, RevokedToken, TokenUse
from developers.programs import OTHERS, UNNAMED
from developers.replacement import MOST_LISTED, Replacement, State, replacement_of, users_of
from tests.cast import LAPTOP
from tests.developers.uses import add_use

pytestmark = pytest.mark.matrix
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def found(owner: User) -> Replacement:
    return replacement_of(ApiToken.objects.get(user=owner), list(owner.revoked_tokens.all()))


def states(owner: User) -> dict[tuple[str, str], State]:
    return {(mover.program, mover.address): mover.state for mover in found(owner).movers}


def refuse(owner: User, program: str, generation: int = 1, *, count: int = 1, ago: timedelta = timedelta()) -> None:
    """Have a program refused, as both tables record it."""
    at = add_use(owner, program, generation=generation, refused=count, ago=ago)
    RevokedToken.objects.filter(user=owner, generation=generation).update(refused_count=count, last_refused_at=at)


def test_a_token_is_used_by_the_programs_it_was_accepted_from(alice: User, bob: User) -> None:
    revoke(alice, 1, LAPTOP, even_if_used=True)
    first = add_use(alice, "curl", generation=2, ago=3 * DAY)
    add_use(alice, "n8n", generation=2, ago=2 * DAY)
    last = add_use(alice, "n8n", generation=2, ago=HOUR, address="192.0.2.2")
    add_use(alice, "httpx", generation=2, refused=3)
    add_use(alice, "old", generation=1)
    add_use(bob, "other", generation=2)

    ProgramLabel.objects.create(user=alice, program="curl", label="CRM sync")
    ProgramLabel.objects.create(user=bob, program="n8n", label="Other")

    users = users_of(ApiToken.objects.get(user=alice))

    assert users == [("n8n", "", last), ("curl", "CRM sync", first)]


def test_nobody_is_listed_before_a_revoke_or_where_nothing_used_the_token(alice: User) -> None:
    add_use(alice, "curl")
    before = found(alice)
    TokenUse.objects.all().delete()
    revoke(alice, 1, LAPTOP, even_if_used=True)

    after = found(alice)

    assert (before.movers, after.movers, after.is_over) == ([], [], True)


def test_who_used_the_old_token_is_listed_by_program_and_address(alice: User, bob: User) -> None:
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        add_use(alice, "n8n", address=address, ago=2 * HOUR)
    add_use(alice, UNNAMED, address=OTHERS, ago=2 * HOUR)
    add_use(bob, "curl")
    revoke(alice, 1, LAPTOP, even_if_used=True)
    moved_at = add_use(alice, "n8n", generation=2, ago=HOUR)
    refuse(alice, "n8n", count=12)
    TokenUse.objects.filter(is_refused=True).update(address="192.0.2.2")
    add_use(alice, "newcomer", generation=2)

    replacement = found(alice)

    assert [(mover.address, mover.state) for mover in replacement.movers] == [
        ("192.0.2.2", State.SENDS_OLD),
        ("Other addresses", State.SILENT),
        ("192.0.2.3", State.SILENT),
        ("192.0.2.1", State.MOVED),
    ]
    assert (replacement.movers[0].refused, replacement.movers[3].moved_at) == (12, moved_at)
    assert (replacement.moved, replacement.is_over, replacement.still_in_use) == (1, False, [])


@pytest.mark.parametrize(
    ("hours_ago", "has_moved", "state"),
    [
        (0, True, State.SENDS_OLD),
        (23.9, True, State.SENDS_OLD),
        (24.1, True, State.MOVED),
        (24.1, False, State.SENDS_OLD),
        (0, False, State.SENDS_OLD),
        (None, True, State.MOVED),
        (None, False, State.SILENT),
    ],
)
def test_a_refusal_outranks_the_new_token_for_a_day(
    alice: User, hours_ago: float | None, has_moved: bool, state: State
) -> None:
    add_use(alice, "n8n", ago=3 * DAY)
    add_use(alice, "silent", ago=3 * DAY)
    revoke(alice, 1, LAPTOP, even_if_used=True)
    if hours_ago is not None:
        add_use(alice, "n8n", refused=1, ago=hours_ago * HOUR)
    if has_moved:
        add_use(alice, "n8n", generation=2)

    assert states(alice)["n8n", "192.0.2.1"] is state


def test_a_second_revoke_keeps_those_who_have_not_moved_since_the_first(alice: User) -> None:
    add_use(alice, "curl", generation=1, ago=2 * DAY)
    revoke(alice, 1, LAPTOP, even_if_used=True)
    add_use(alice, "n8n", generation=2, ago=DAY)
    revoke(alice, 2, LAPTOP, even_if_used=True)
    refuse(alice, "curl", 1)

    assert states(alice) == {("curl", "192.0.2.1"): State.SENDS_OLD, ("n8n", "192.0.2.1"): State.SILENT}
    assert found(alice).still_in_use == []


@pytest.mark.parametrize(("days", "is_listed"), [(13.9, True), (14.1, False)])
def test_the_list_stands_for_two_weeks(alice: User, days: float, is_listed: bool) -> None:
    add_use(alice, "n8n", ago=20 * DAY)
    revoke(alice, 1, LAPTOP, even_if_used=True)
    RevokedToken.objects.update(revoked_at=timezone.now() - days * DAY)
    refuse(alice, "n8n")

    replacement = found(alice)

    assert bool(replacement.movers) is is_listed
    assert [revoked.generation for revoked in replacement.still_in_use] == ([] if is_listed else [1])


def test_a_token_whose_senders_have_all_moved_is_no_warning(alice: User) -> None:
    add_use(alice, "n8n", ago=4 * DAY)
    revoke(alice, 1, LAPTOP, even_if_used=True)
    refuse(alice, "n8n", ago=2 * DAY)
    add_use(alice, "n8n", generation=2)

    replacement = found(alice)

    assert (replacement.moved, replacement.is_over, replacement.still_in_use) == (1, True, [])


def test_a_dismissed_list_returns_as_a_warning_with_the_next_refusal(alice: User, bob: User) -> None:
    for owner in (alice, bob):
        add_use(owner, "n8n", ago=DAY)
        revoke(owner, 1, LAPTOP, even_if_used=True)
        refuse(owner, "n8n")
    usage.dismiss_list(alice.pk, 1)
    dismissed = found(alice)
    RevokedToken.objects.filter(user=alice).update(last_refused_at=timezone.now())

    again = found(alice)

    assert (dismissed.movers, dismissed.still_in_use) == ([], [])
    assert (again.movers, [revoked.generation for revoked in again.still_in_use]) == ([], [1])
    assert len(found(bob).movers) == 1


def test_dismissing_a_list_leaves_that_of_a_later_revoke(alice: User) -> None:
    for generation in (1, 2):
        add_use(alice, f"program {generation}", generation=generation)
        revoke(alice, generation, LAPTOP, even_if_used=True)

    usage.dismiss_list(alice.pk, 1)

    assert list(states(alice)) == [("program 2", "192.0.2.1")]


def test_the_list_is_bounded(alice: User, django_assert_num_queries: Callable[[int], Any]) -> None:
    at = timezone.now()
    one = {"user": alice, "day": at.date(), "generation": 1, "is_refused": False, "count": 1}
    TokenUse.objects.bulk_create(
        TokenUse(program="n8n", address=f"192.0.2.{place}", first_at=at, last_at=at, **one)
        for place in range(MOST_LISTED + 1)
    )
    revoke(alice, 1, LAPTOP, even_if_used=True)
    token, revoked_tokens = ApiToken.objects.get(user=alice), list(alice.revoked_tokens.all())

    with django_assert_num_queries(1):
        replacement = replacement_of(token, revoked_tokens)

    assert len(replacement.movers) == MOST_LISTED


def test_the_version_changes_with_the_list_only(alice: User) -> None:
    add_use(alice, "n8n", ago=DAY)
    revoke(alice, 1, LAPTOP, even_if_used=True)
    first, same = found(alice).version, found(alice).version
    refuse(alice, "n8n")

    changed = found(alice).version

    assert first == same != changed


def test_a_label_is_listed_beside_the_name_of_the_program(alice: User, bob: User) -> None:
    add_use(alice, "n8n", ago=DAY)
    revoke(alice, 1, LAPTOP, even_if_used=True)
    ProgramLabel.objects.create(user=alice, program="n8n", label="CRM sync")
    ProgramLabel.objects.create(user=bob, program="n8n", label="Other")

    assert [(mover.label, mover.program) for mover in found(alice).movers] == [("CRM sync", "n8n")]
