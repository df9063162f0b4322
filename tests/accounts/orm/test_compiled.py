"""Queries whose statement is compiled once give what Django's own give."""

from typing import Any

import pytest
from django.db.models import QuerySet

from accounts.models import User
from accounts.orm import compiled
from botpenguin.platform.models import Bot, Segment

pytestmark = pytest.mark.matrix


def bots_on_whatsapp(owner: int) -> QuerySet[Bot]:
    return Bot.objects.owned_by(owner).filter(platform="whatsapp")


@pytest.mark.parametrize("most", [1, 2, 10])
def test_the_rows_are_those_of_the_query(alice: User, bob: User, most: int) -> None:
    for owner in (alice, bob):
        for name in ("one", "two", "three"):
            Bot.objects.create(owner=owner, name=name, platform="sms")
    Bot.objects.filter(name="two").update(is_deleted=True)

    for owner in (alice, bob, alice):
        found = compiled.first_rows(Bot.objects.owned_by, owner.pk, most)

        expected = list(Bot.objects.owned_by(owner.pk)[:most])
        assert [vars(row) | {"_state": None} for row in found] == [vars(row) | {"_state": None} for row in expected]


def test_values_are_converted_as_in_the_query(alice: User) -> None:
    Segment.objects.create(owner=alice, name="Customers", tags=["customer", "vip"])

    [found] = compiled.first_rows(Segment.objects.owned_by, alice.pk, 5)

    assert found.tags == ["customer", "vip"]
    assert found.owner == alice


def test_a_second_call_builds_no_statement(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled.first_rows(Bot.objects.owned_by, alice.pk, 7)

    def build(*arguments: Any) -> None:
        raise AssertionError("A statement was built.")

    monkeypatch.setattr("django.db.models.sql.compiler.SQLCompiler.as_sql", build)
    assert compiled.first_rows(Bot.objects.owned_by, alice.pk, 7) == []


def test_a_query_with_another_parameter_is_refused(db: None) -> None:
    with pytest.raises(TypeError, match="has other parameters than the key"):
        compiled.first_rows(bots_on_whatsapp, 1, 5)
