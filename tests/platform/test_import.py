"""Importing contacts: all rows or none, few queries, and no contact twice."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from tests.platform.calls import NOBODY, Caller, contact_of, row
from tests.test_races import at_once

PATH = "/inbox/users/import"


def people() -> list[tuple[str, str, str]]:
    return list(Contact.objects.order_by("name").values_list("name", "email", "phone"))


def test_each_row_becomes_a_contact(as_alice: Caller, alice: User) -> None:
    rows = [
        row("Asha", "Asha@Example.com", {"number": "98765 43210", "prefix": "+91"}, tags=["vip", "vip", " new "]),
        row(email="ben@example.com", attributes=[{"key": "plan", "value": "gold"}], country="Britain"),
        row("Cleo"),
        row(phone={"number": 2079460991}),
    ]

    response = as_alice.send("POST", PATH, rows)

    assert response.status_code == response.json()["code"] == 201
    data = response.json()["data"]
    made = [Contact.objects.get(pk=pk) for pk in data["ids"]]
    assert data == {"ids": [contact.pk for contact in made], "created": 4, "updated": 0}
    assert [(contact.name, contact.email, contact.phone, contact.phone_prefix) for contact in made] == [
        ("Asha", "asha@example.com", "919876543210", "91"),
        ("", "ben@example.com", "", ""),
        ("Cleo", "", "", ""),
        ("", "", "2079460991", ""),
    ]
    assert sorted(made[0].tags.values_list("name", flat=True)) == ["new", "vip"]
    assert (made[1].attributes, made[1].country) == ({"plan": "gold"}, "Britain")
    assert {(contact.owner, contact.bot, contact.platform, contact.is_imported) for contact in made} == {
        (alice, None, "website", True)
    }


@pytest.mark.parametrize(
    "again",
    [
        row("Asha Rao", "ASHA@example.com", tags=["b"], attributes={"y": 2}),
        row("Asha Rao", phone={"number": "+91 98765 43210"}, tags=["b"], attributes={"y": 2}),
        row("Asha Rao", "asha@example.com", {"number": "9876543210", "prefix": "91"}, tags=["b"], attributes={"y": 2}),
    ],
)
def test_a_contact_with_the_same_email_or_number_is_updated(
    as_alice: Caller, alice: User, again: dict[str, Any]
) -> None:
    contact = contact_of(
        alice, ("a",), email="asha@example.com", phone="919876543210", attributes={"x": 1}, status="CLOSED"
    )

    response = as_alice.send("POST", PATH, [again])

    assert response.status_code == response.json()["code"] == 200
    assert response.json()["data"] == {"ids": [contact.pk], "created": 0, "updated": 1}
    (updated,) = Contact.objects.all()
    assert (updated.name, updated.email, updated.phone) == ("Asha Rao", "asha@example.com", "919876543210")
    assert (updated.attributes, updated.status, updated.is_imported) == ({"x": 1, "y": 2}, "CLOSED", False)
    assert sorted(updated.tags.values_list("name", flat=True)) == ["a", "b"]
    assert updated.created_at == contact.created_at
    assert updated.updated_at > contact.updated_at


@pytest.mark.parametrize(
    "again",
    [
        row("", "asha@example.com", {"number": "", "prefix": ""}, country=""),
        row("", "asha@example.com", {"number": " ", "prefix": "44"}, country=" "),
        row(email="asha@example.com", phone={"prefix": "44"}),
        row("", "", {"number": "9876543210", "prefix": "91"}, country=""),
    ],
)
def test_empty_fields_of_a_row_change_nothing(as_alice: Caller, asha: Contact, again: dict[str, Any]) -> None:
    (before,) = as_alice.data("POST", "/inbox/users")

    answers = [as_alice.data("POST", PATH, [one]) for one in (again, row(phone={"number": "919876543210"}))]

    assert answers == [{"ids": [asha.pk], "created": 0, "updated": 1}] * 2
    (after,) = as_alice.data("POST", "/inbox/users")
    assert after == before | {"updatedAt": after["updatedAt"]}


def test_a_new_contact_may_have_empty_columns(as_alice: Caller) -> None:
    as_alice.data("POST", PATH, [row("Asha", "", {"number": "", "prefix": "91"}, country=""), row("Ben", "")])

    assert people() == [("Asha", "", ""), ("Ben", "", "")]


def test_rows_of_one_person_make_one_contact(as_alice: Caller) -> None:
    rows = [
        row("Asha", "asha@example.com"),
        row(email="ASHA@example.com", phone={"number": "919876543210"}),
        row("Asha Rao", phone={"number": "9876543210", "prefix": "91"}),
        row("Ben", "ben@example.com"),
    ]

    data = as_alice.data("POST", PATH, rows)

    assert (data["created"], data["updated"], len(set(data["ids"]))) == (2, 2, 2)
    assert people() == [("Asha Rao", "asha@example.com", "919876543210"), ("Ben", "ben@example.com", "")]


def test_a_row_may_take_an_email_that_an_earlier_row_frees(as_alice: Caller, alice: User) -> None:
    contact_of(alice, name="Asha", email="old@example.com", phone="919876543210")
    rows = [row(email="new@example.com", phone={"number": "919876543210"}), row("Ben", "old@example.com")]

    data = as_alice.data("POST", PATH, rows)

    assert (data["created"], data["updated"]) == (1, 1)
    assert people() == [("Asha", "new@example.com", "919876543210"), ("Ben", "old@example.com", "")]


@pytest.mark.parametrize("name", ["Asha", ""])
def test_two_contacts_may_swap_their_emails_by_way_of_a_third(as_alice: Caller, alice: User, name: str) -> None:
    contact_of(alice, name=name, email="a@example.com", phone="919876543210")
    contact_of(alice, name="Ben", email="b@example.com", phone="442079460991")
    rows = [
        row(email="between@example.com", phone={"number": "919876543210"}),
        row(email="a@example.com", phone={"number": "442079460991"}),
        row(email="b@example.com", phone={"number": "919876543210"}),
    ]

    response = as_alice.send("POST", PATH, rows)

    assert (response.status_code, response.json()["data"]["updated"]) == (200, 3)
    assert people() == sorted([(name, "b@example.com", "919876543210"), ("Ben", "a@example.com", "442079460991")])


def test_a_contact_may_get_an_email_that_another_has_until_a_later_row(as_alice: Caller, alice: User) -> None:
    contact_of(alice, name="Asha", email="a@example.com", phone="919876543210")
    contact_of(alice, name="Ben", email="b@example.com", phone="442079460991")
    rows = [
        row("Asha Rao", "a@example.com"),
        row(email="c@example.com", phone={"number": "442079460991"}),
        row(email="b@example.com", phone={"number": "919876543210"}),
    ]

    response = as_alice.send("POST", PATH, rows)

    assert response.status_code == 200
    assert people() == [("Asha Rao", "b@example.com", "919876543210"), ("Ben", "c@example.com", "442079460991")]


def test_a_swap_with_contradicting_emails_and_numbers_is_refused(as_alice: Caller, alice: User) -> None:
    """Each row names two contacts, and nothing says which of them it is about."""
    contact_of(alice, name="Asha", email="a@example.com", phone="919876543210")
    contact_of(alice, name="Ben", email="b@example.com", phone="442079460991")
    before = people()
    rows = [
        row(email="b@example.com", phone={"number": "919876543210"}),
        row(email="a@example.com", phone={"number": "442079460991"}),
    ]

    response = as_alice.send("POST", PATH, rows)

    why = "the email is one contact's and the number another's."
    assert (response.status_code, response.json()["data"]) == (400, [f"Row 1: {why}", f"Row 2: {why}"])
    assert response.json()["message"] == f"Row 1: {why} 1 more error is listed in `data`. Nothing was imported."
    assert people() == before


def test_another_accounts_contact_is_another_person(as_alice: Caller, bob: User) -> None:
    bobs = contact_of(bob, name="Bob's", email="asha@example.com", phone="919876543210")

    data = as_alice.data("POST", PATH, [row("Alice's", "asha@example.com", {"number": "919876543210"})])

    assert (data["created"], bobs.pk in data["ids"]) == (1, False)
    assert people() == [
        ("Alice's", "asha@example.com", "919876543210"),
        ("Bob's", "asha@example.com", "919876543210"),
    ]


@pytest.mark.parametrize("place", ["query", "header", "both"])
def test_contacts_belong_to_the_bot_that_is_named(as_alice: Caller, alice: User, place: str) -> None:
    bot = Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")
    contact_of(alice, email="old@example.com", platform="sms")
    query = f"?botId={bot.pk}" if place != "header" else "?botId="
    headers = {"botId": bot.pk} if place != "query" else {"botId": ""}

    response = as_alice.send("POST", PATH + query, [row("Asha"), row(email="old@example.com")], **headers)

    assert response.status_code == 201
    assert set(Contact.objects.values_list("bot", "platform")) == {(bot.pk, "whatsapp"), (bot.pk, "sms")}


@pytest.mark.parametrize("place", ["?botId={}", ""])
def test_a_bot_of_nobody_or_somebody_else_is_404(as_alice: Caller, bob: User, place: str) -> None:
    for bot_id in (NOBODY, Bot.objects.create(owner=bob, name="Bob's", platform="sms").pk):
        headers = {} if place else {"botId": bot_id}

        response = as_alice.send("POST", PATH + place.format(bot_id), [row("Asha")], **headers)

        assert response.status_code == 404
        assert response.json()["data"] == ["There is no bot with this id in your account."]
    assert not Contact.objects.exists()


@pytest.mark.no_cover
@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.release)])
def test_an_import_takes_few_queries(as_alice: Caller, alice: User, count: int) -> None:
    rows = [
        row(f"{number}", f"{number}@example.com", {"number": f"{10**9 + number}"}, tags=["a", "b"])
        for number in range(count)
    ]

    with CaptureQueriesContext(connection) as queries:
        made = as_alice.data("POST", PATH, rows)
    again = as_alice.data("POST", PATH, rows)

    # SQLite takes 999 parameters a statement, as Django knows it: 45 contacts at a time.
    # 14 of them are those of the first call of a token and of the first contact of an account.
    assert len(queries) < 26 + count * (1 if connection.vendor == "postgresql" else 3) // 100
    assert (made["created"], again["updated"]) == (count, count)
    assert again["ids"] == made["ids"]
    assert Contact.objects.owned_by(alice).count() == count


@pytest.mark.django_db(transaction=True)
def test_concurrent_imports_make_no_contact_twice(alice: User, as_alice: Caller) -> None:
    rows = [row(f"{number}", f"{number}@example.com", {"number": f"{10**9 + number}"}) for number in range(40)]

    bodies = [rows, rows[::-1], rows[20:] + rows[:20], rows]

    def send() -> tuple[int, int]:
        response = as_alice.send("POST", PATH, bodies.pop())
        return response.status_code, response.json()["data"]["created"]

    answers = at_once(4, send)

    assert sorted(answers) == [(200, 0), (200, 0), (200, 0), (201, 40)]
    assert Contact.objects.owned_by(alice).count() == 40
