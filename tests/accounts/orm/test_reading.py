"""Rows are read a few at a time, in the order of their keys, without a cursor of the server."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.orm import reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 2)


def people(count: int) -> list[tuple[int, str]]:
    made = [User.objects.create_user(f"person{number}@example.com") for number in range(count)]
    return [(person.pk, person.email) for person in made]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_every_row_is_read_once(count: int) -> None:
    made = people(count)

    found = list(reading.by_key(User.objects.order_by("-email"), "pk", "email"))

    assert found == made


def test_only_a_few_rows_are_read_at_once() -> None:
    people(5)

    with CaptureQueriesContext(connection) as queries:
        rows = reading.by_key(User.objects.all(), "email")
        first = next(rows)

    assert (first, len(queries)) == (("person0@example.com",), 1)
    assert "LIMIT 2" in queries[0]["sql"]


def test_rows_that_are_deleted_or_added_meanwhile_hide_no_other() -> None:
    made = people(5)
    rows = reading.by_key(User.objects.all(), "pk", "email")
    first = next(rows)

    User.objects.filter(pk__in=[made[0][0], made[2][0]]).delete()
    added = User.objects.create_user("late@example.com")

    assert [first, *rows] == [made[0], made[1], made[3], made[4], (added.pk, added.email)]


def test_a_filter_holds_for_every_row() -> None:
    people(6)

    found = reading.by_key(User.objects.exclude(email__contains="3"), "email")

    assert [email for (email,) in found] == [f"person{number}@example.com" for number in (0, 1, 2, 4, 5)]
