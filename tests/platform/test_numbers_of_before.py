"""Numbers that were stored before they were read by numbering plans: the migration, and the command for the others."""

from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from botpenguin.platform import usages
from botpenguin.platform.models import Contact, ContactUsage
from tests.platform.calls import contact_of

migration: Any = import_module("botpenguin.platform.migrations.0009_read_numbers")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "BATCH", 2)


def stored(owner: User, *numbers: tuple[str, str]) -> list[str]:
    """Make contacts with these numbers and prefixes, and return their ids in the order of ids."""
    return [
        contact_of(owner, pk=f"{index:024x}", phone=phone, phone_prefix=prefix).pk
        for index, (phone, prefix) in enumerate(numbers, start=owner.pk * 1000)
    ]


def numbers(owner: User) -> list[tuple[str, str]]:
    return list(Contact.objects.owned_by(owner).order_by("pk").values_list("phone", "phone_prefix"))


def migrate() -> None:
    migration.read_all(apps, connection.schema_editor())


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (("4402079460991", "44"), ("442079460991", "44")),
        (("4402079460991", ""), ("442079460991", "44")),
        (("00442079460991", ""), ("442079460991", "44")),
        (("4400442079460991", "44"), ("442079460991", "44")),
        (("44442079460991", "44"), ("442079460991", "44")),
        (("011442079460991", ""), ("442079460991", "44")),
        (("5215512345678", "52"), ("525512345678", "52")),
        (("12423591234", "1242"), ("12423591234", "1")),
        (("789123456789", "7"), ("79123456789", "7")),
        *(
            (same, same)
            for same in [
                *[("442079460991", "44"), ("442079460991", ""), ("02079460991", ""), ("390236618300", "39")],
                *[("99912345", "999"), ("441234567890123", "44"), ("442079460991", "1"), ("44", "44"), ("", "")],
                *[("13912345678", ""), ("5215512345678", ""), ("0000123", ""), ("4902079460991", "")],
            ]
        ),
    ],
)
def test_a_stored_number_is_written_as_it_is_read_now(
    alice: User, before: tuple[str, str], now: tuple[str, str]
) -> None:
    stored(alice, before, ("919876543210", "91"))
    ContactUsage.objects.create(owner=alice, **usages.count(alice.pk))

    migrate()
    once = numbers(alice)
    migrate()

    assert once == numbers(alice) == [now, ("919876543210", "91")]
    usage = ContactUsage.objects.get(owner=alice)
    assert {"contacts": usage.contacts, "size": usage.size} == usages.count(alice.pk)


def test_numbers_that_would_collide_or_cannot_be_read_stay_and_are_listed(alice: User, bob: User) -> None:
    mine = [("442079460991", "44"), ("4402079460991", "44"), ("00442079460991", ""), ("99912345", "999")]
    ids = stored(alice, *mine)
    stored(bob, ("4402079460991", "44"))

    migrate()
    output = StringIO()
    with pytest.raises(CommandError, match=r"^3 contacts keep a number of before\.") as listed:
        call_command("list_number_problems", stdout=output)

    assert (numbers(alice), numbers(bob)) == (mine, [("442079460991", "44")])
    assert output.getvalue().splitlines() == [
        f"{alice.email}: contact {ids[1]} has the number of contact {ids[0]}",
        f"{alice.email}: contact {ids[2]} has the number of contact {ids[0]}",
        f"{alice.email}: contact {ids[3]} has a number that cannot be read",
    ]
    assert listed.value.returncode == 1


def test_of_two_contacts_that_would_get_one_number_one_gets_it(alice: User) -> None:
    stored(alice, ("4402079460991", "44"), ("00442079460991", ""), ("4402079460992", "44"))

    migrate()

    assert numbers(alice) == [("442079460991", "44"), ("00442079460991", ""), ("442079460992", "44")]


def test_a_number_that_is_read_otherwise_without_a_collision_is_listed_until_the_migration(alice: User) -> None:
    [pk] = stored(alice, ("4402079460991", "44"))
    output = StringIO()

    with pytest.raises(CommandError, match=r"^1 contacts"):
        call_command("list_number_problems", stdout=output)
    migrate()
    call_command("list_number_problems", stdout=output)

    assert output.getvalue().splitlines() == [
        f"{alice.email}: contact {pk} has a number that is read as another now",
        "All numbers can be read.",
    ]
