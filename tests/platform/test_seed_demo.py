"""`manage.py seed_demo` makes an account with sample data."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from botpenguin.platform import demo
from botpenguin.platform.models import Bot, Contact, Segment
from botpenguin.platform.phones import Phone

pytestmark = pytest.mark.matrix

FOR_FICTION = re.compile(r"447700900\d{3}|1(212|312|415|617|206)55501\d{2}|3363998\d{4}|493023125\d{3}")
EXAMPLE = re.compile(r"[a-z.]+\d*@example\.(com|net|org)")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make fewer contacts, which takes less time."""
    monkeypatch.setattr(demo, "CONTACT_COUNT", 60)
    return 60


def seed_demo(*arguments: str) -> str:
    output = StringIO()
    call_command("seed_demo", *arguments, stdout=output)
    return output.getvalue()


def contacts_of(owner: User) -> list[tuple[Any, ...]]:
    """Return all values that follow from the seed, and none that follow from the clock."""
    rows = owner.contacts.order_by("pk").prefetch_related("tags")
    return [
        (row.pk, row.name, row.email, row.phone, row.status, row.attributes, sorted(tag.name for tag in row.tags.all()))
        for row in rows
    ]


def test_an_account_gets_bots_contacts_and_segments(alice: User, bob: User) -> None:
    shown = seed_demo("--user", "Alice@example.com")

    assert shown == "Added 3 bots, 500 contacts and 3 segments to alice@example.com.\n"
    assert [rows.count() for rows in (alice.bots, alice.contacts, alice.segments)] == [3, 500, 3]
    assert {(bot.name, bot.platform) for bot in alice.bots.all()} == {
        ("Shop assistant", "website"),
        ("Table bookings", "whatsapp"),
        ("Night desk", "telegram"),
    }
    assert [rows.count() for rows in (bob.bots, bob.contacts, bob.segments)] == [0, 0, 0]


def test_no_contact_of_the_demo_can_be_reached(alice: User) -> None:
    seed_demo("--user", alice.email)

    contacts = list(alice.contacts.all())
    assert [row.phone for row in contacts if row.phone and not FOR_FICTION.fullmatch(row.phone)] == []
    assert [row.email for row in contacts if row.email and not EXAMPLE.fullmatch(row.email)] == []
    numbers = [Phone(row.phone, row.phone_prefix) for row in contacts if row.phone]
    assert [number for number in numbers if Phone.of_stored(number.whole, number.prefix) != number] == []


def test_the_people_of_the_demo_differ_and_have_come_over_months(alice: User) -> None:
    seed_demo("--user", alice.email)

    contacts = alice.contacts.newest_first()
    newest, oldest = contacts[0], contacts[499]
    now = timezone.now()
    assert newest.created_at > now - timedelta(days=7)
    assert oldest.created_at < now - timedelta(days=90)
    assert set(contacts.values_list("platform", flat=True)) == {"website", "whatsapp", "telegram"}
    assert {"OPEN", "CLOSED"} <= set(contacts.values_list("status", flat=True))
    assert all(alice.contacts.tagged(segment.tags).exists() for segment in alice.segments.all())
    assert not contacts.filter(platform="whatsapp", phone="").exists()
    assert not contacts.filter(last_seen_at__gt=now).exists()


@pytest.mark.no_cover
@pytest.mark.usefixtures("few")
def test_one_seed_makes_the_same_people_and_another_makes_others(alice: User) -> None:
    seed_demo("--user", alice.email, "--seed", "7")
    first = contacts_of(alice)
    alice.contacts.all().delete()
    seed_demo("--user", alice.email, "--seed", "7")
    again = contacts_of(alice)
    alice.contacts.all().delete()

    seed_demo("--user", alice.email, "--seed", "8")

    assert again == first
    assert [row[0] for row in contacts_of(alice)] == [row[0] for row in first]
    assert contacts_of(alice) != first


@pytest.mark.no_cover
@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("seed", ["1", pytest.param("2", marks=pytest.mark.release)])
def test_a_second_run_doubles_nothing_and_brings_back_what_is_missing(alice: User, seed: str) -> None:
    seed_demo("--user", alice.email)
    before = contacts_of(alice)
    assert seed_demo("--user", alice.email, "--seed", seed) == (
        "Added 0 bots, 0 contacts and 0 segments to alice@example.com.\n"
    )
    assert contacts_of(alice) == before
    alice.contacts.filter(pk__in=[row[0] for row in before[:10]]).delete()
    alice.segments.filter(name="VIP").delete()

    shown = seed_demo("--user", alice.email)

    assert shown == "Added 0 bots, 10 contacts and 1 segments to alice@example.com.\n"
    assert contacts_of(alice) == before


def test_existing_rows_stay(alice: User, few: int) -> None:
    Segment.objects.create(owner=alice, name="vip", tags=["mine"])
    Contact.objects.create(owner=alice, name="Cleo", email="cleo@example.com")
    Bot.objects.create(owner=alice, name="Shop assistant", platform="sms")

    shown = seed_demo("--user", alice.email)

    assert shown == f"Added 3 bots, {few} contacts and 2 segments to alice@example.com.\n"
    assert alice.segments.get(name__iexact="vip").tags == ["mine"]


def test_two_accounts_can_have_the_demo(alice: User, bob: User, few: int) -> None:
    seed_demo("--user", alice.email)

    seed_demo("--user", bob.email)

    assert [owner.contacts.count() for owner in (alice, bob)] == [few, few]


def test_an_account_that_is_not_there_is_named(db: None) -> None:
    with pytest.raises(CommandError, match=r"^There is no account with the email nobody@example\.com\.$"):
        seed_demo("--user", "nobody@example.com")
