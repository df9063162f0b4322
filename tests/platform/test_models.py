"""Rows that the database refuses by its constraints."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment


def refuses(model: Any, **values: Any) -> str:
    """Insert a row that the database must refuse, and return the error."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        model.objects.create(**values)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"name": "", "platform": "sms"}, "platform_bot_has_a_name"),
        ({"name": "x", "platform": "fax"}, "platform_bot_platform_is_known"),
    ],
)
def test_a_bot_has_a_name_and_a_known_platform(alice: User, values: dict[str, str], constraint: str) -> None:
    assert constraint in refuses(Bot, owner=alice, **values)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({}, "platform_contact_has_name_email_or_phone"),
        ({"name": "x", "platform": "fax"}, "platform_contact_platform_is_known"),
        ({"name": "x", "status": "LOST"}, "platform_contact_status_is_known"),
        ({"email": "Asha@example.com"}, "platform_contact_email_is_in_lower_case"),
    ],
)
def test_a_contact_is_somebody_in_known_words(alice: User, values: dict[str, str], constraint: str) -> None:
    assert constraint in refuses(Contact, owner=alice, **values)


@pytest.mark.parametrize("values", [{"email": "asha@example.com"}, {"phone": "919876543210"}])
def test_an_owner_has_an_email_or_a_number_once(alice: User, bob: User, values: dict[str, str]) -> None:
    Contact.objects.create(owner=alice, **values)

    refuses(Contact, owner=alice, **values)

    Contact.objects.create(owner=bob, **values)
    assert Contact.objects.count() == 2


def test_contacts_without_email_or_number_are_not_limited(alice: User) -> None:
    for _ in range(2):
        Contact.objects.create(owner=alice, name="Asha")

    assert Contact.objects.owned_by(alice).count() == 2


def test_a_contact_has_a_tag_once(alice: User) -> None:
    contact = Contact.objects.create(owner=alice, name="Asha")
    tag = ContactTag.objects.create(contact=contact, name="customer")

    assert str(tag) == "customer"
    refuses(ContactTag, contact=contact, name="customer")

    assert contact.tags.count() == 1


def test_an_owner_has_a_segment_of_a_name_once_whatever_its_case(alice: User, bob: User) -> None:
    Segment.objects.create(owner=alice, name="Customers")

    refuses(Segment, owner=alice, name="CUSTOMERS")

    Segment.objects.create(owner=bob, name="Customers")
    assert Segment.objects.count() == 2


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("asha@example.com", ["Asha"]),
        (" ASHA@Example.com ", ["Asha"]),
        ("919876543210", ["Asha"]),
        ("+91 98765 43210", ["Asha"]),
        ("9876543210", ["Asha"]),
        ("543210", []),
        ("Asha", []),
        ("a\0b@example.com", []),
        ("\ud800@example.com", []),
        ("²", []),
        (" ", []),
        ("", []),
    ],
)
def test_a_contact_is_identified_by_e_mail_or_number(alice: User, search: str, found: list[str]) -> None:
    Contact.objects.create(owner=alice, name="Asha", email="asha@example.com", phone="919876543210", phone_prefix="91")
    Contact.objects.create(owner=alice, name="Ben")

    assert [contact.name for contact in Contact.objects.owned_by(alice).identified_by(search)] == found


def test_a_contact_is_identified_by_its_id(alice: User) -> None:
    contact = Contact.objects.create(owner=alice, name="Asha")

    assert list(Contact.objects.owned_by(alice).identified_by(contact.pk)) == [contact]


@pytest.mark.parametrize("search", ["\0", "as\0ha", "\ud800", "x" * 100_000])
def test_a_text_that_no_database_stores_finds_nobody(alice: User, search: str) -> None:
    Contact.objects.create(owner=alice, name="Asha")

    assert list(Contact.objects.owned_by(alice).mentioning(search)) == []


@pytest.mark.parametrize("search", ["Élodie Şahin", "élodie", "ÉLODIE", "DIE ŞA", "ş"])
def test_a_name_is_found_whatever_its_case_beyond_ascii_too(alice: User, search: str) -> None:
    Contact.objects.create(owner=alice, name="Élodie Şahin")
    Contact.objects.create(owner=alice, name="Elodie Sahin")

    assert [contact.name for contact in Contact.objects.owned_by(alice).mentioning(search)] == ["Élodie Şahin"]


@pytest.mark.parametrize(("search", "found"), [("É%", ["100 É%"]), ("é_", ["É_"]), ("é\\", ["É\\"])])
def test_what_stands_for_anything_in_a_pattern_stands_for_itself(alice: User, search: str, found: list[str]) -> None:
    for name in ("100 É%", "É_", "É\\", "É"):
        Contact.objects.create(owner=alice, name=name)

    assert [contact.name for contact in Contact.objects.owned_by(alice).mentioning(search)] == found
