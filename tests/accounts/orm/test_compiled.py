"""Queries with named parameters give what Django's own give, run after run."""

from datetime import date
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.db.models import BigIntegerField, DateField, DateTimeField, Value
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.orm.compiled import CompiledQuery, Parameter
from developers import issuance, used_by
from developers.models import RevokedToken, TokenUse
from tests.cast import LAPTOP

pytestmark = pytest.mark.matrix


def uses(owner: Any, day: Any) -> Any:
    rows = TokenUse.objects.filter(user=owner, day__gte=day).order_by("pk")
    return rows.annotate(seven=Value(7)).values_list("seven", "program", "day", "last_at", "is_refused")


USES = CompiledQuery(lambda: uses(Parameter("owner", BigIntegerField()), Parameter("day", DateField())))
REVOKED = CompiledQuery(
    lambda: RevokedToken.objects.filter(
        user=Parameter("owner", BigIntegerField()), revoked_at__lte=Parameter("until", DateTimeField())
    ).annotate(seven=Value(7))
)


def add_use(owner: User, program: str, day: date) -> None:
    now = timezone.now()
    TokenUse.objects.create(
        user=owner,
        program=program,
        day=day,
        address="",
        generation=1,
        is_refused=False,
        count=1,
        first_at=now,
        last_at=now,
    )


def test_rows_are_those_of_the_query_with_each_parameter_in_its_place(alice: User, bob: User) -> None:
    for owner in (alice, bob):
        for day in (date(2026, 11, 1), date(2026, 11, 30)):
            add_use(owner, f"of {owner.pk} on {day}", day)

    for owner, day in [(alice, date(2026, 11, 1)), (bob, date(2026, 11, 30)), (alice, date(2027, 1, 1))]:
        assert USES.rows(owner=owner.pk, day=day) == list(uses(owner.pk, day))


def test_objects_are_those_of_the_query_with_their_annotations(alice: User, bob: User) -> None:
    for generation in (1, 2):
        issuance.revoke(alice, generation, LAPTOP, even_if_used=True)
    issuance.revoke(bob, 1, LAPTOP, even_if_used=True)

    found = REVOKED.objects(owner=alice.pk, until=timezone.now())

    expected = list(RevokedToken.objects.filter(user=alice).annotate(seven=Value(7)))
    assert [vars(row) | {"_state": None} for row in found] == [vars(row) | {"_state": None} for row in expected]
    assert REVOKED.objects(owner=alice.pk, until=alice.joined_at) == []


def test_another_thread_runs_a_compiled_query_on_its_own_connection(alice: User) -> None:
    USES.rows(owner=alice.pk, day=date(2026, 1, 1))
    found: list[Any] = []

    def run() -> None:
        with CaptureQueriesContext(connection) as queries:
            found.append(USES.rows(owner=0, day=date(2026, 1, 1)))
        found.append(len(queries))
        connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()

    assert found == [[], 1]


@pytest.mark.parametrize("most", [1, 2, 11])
def test_the_programs_used_last_are_those_of_the_uncompiled_query(alice: User, bob: User, most: int) -> None:
    for owner in (alice, bob):
        for number in range(3):
            add_use(owner, f"program {number}", timezone.now().date())

    expected = used_by.programs_named(alice.pk, used_by.names_of(alice.pk)[:most])

    assert used_by.last_used(alice.pk, most) == expected
    assert len(expected) == min(most, 3)
