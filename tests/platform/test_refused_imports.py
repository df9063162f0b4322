"""Imports with invalid rows: a sentence reports each of them, and nothing is written."""

from typing import Any

import pytest

from accounts.models import User
from botpenguin.platform.models import Contact
from tests.memory import MIB, peak_of
from tests.platform.calls import Caller, contact_of, row
from tests.platform.test_import import PATH, people


def test_each_bad_row_gets_a_sentence_and_nothing_is_kept(as_alice: Caller) -> None:
    rows = [
        row("Asha", "asha@example.com"),
        row("Ben", "ben"),
        row("Cleo", "cleo@example.com", {"number": "12"}, tags=["x" * 61]),
        row(),
        {"profile": {}},
        "Dora",
        row("Eve\0"),
        row("Fay", attributes={"a": []}),
    ]

    response = as_alice.send("POST", PATH, rows)

    assert response.status_code == 400
    assert response.json() == {
        "success": False,
        "message": "Row 2: profile.userDetails.contact.email should be an email address. "
        "6 more errors are listed in `data`. Nothing was imported.",
        "data": [
            "Row 2: profile.userDetails.contact.email should be an email address.",
            "Row 3: profile.userDetails.contact.phone.number should be a telephone number of 4 to 15 digits; "
            "profile.userDetails.tags.0 should be a tag of 1 to 60 characters.",
            "Row 4: profile.userDetails should have a userProvidedName, a contact.email or a contact.phone.number.",
            "Row 5: profile.userDetails is required.",
            "Row 6: the row should be an object.",
            "Row 7: profile.userDetails.userProvidedName should be a text of at most 200 characters.",
            "Row 8: profile.userDetails.attributes.a should be a text of at most 1,000 characters, a number up to "
            "2^53, true, false or null.",
        ],
        "code": 400,
        "error": "rows_invalid",
    }
    assert not Contact.objects.exists()


def test_a_contact_gets_no_more_tags_than_can_be_written_back(as_alice: Caller, alice: User) -> None:
    contact_of(alice, ("vip", "new"), email="asha@example.com")
    many = [f"{number}" for number in range(48)]

    refusal = as_alice.refusal(
        "POST",
        PATH,
        [
            row("Ben", tags=["vip"]),
            *(row(email="asha@example.com", tags=[*many, "vip", last]) for last in ("new", "old")),
        ],
    )
    fitting = as_alice.data("POST", PATH, [row(email="asha@example.com", tags=[*many, "vip"])])

    assert refusal == (400, ["Row 3: a contact has at most 50 tags."])
    assert (fitting["updated"], Contact.objects.get().tags.count()) == (1, 50)


def test_a_row_of_two_contacts_or_with_too_many_attributes_is_refused(as_alice: Caller, alice: User) -> None:
    contact_of(alice, name="Asha", email="asha@example.com", attributes={f"{number}": 1 for number in range(99)})
    contact_of(alice, name="Ben", phone="442079460991")
    before = people()

    refusal = as_alice.refusal(
        "POST",
        PATH,
        [
            row("New"),
            row("Both", "asha@example.com", {"number": "442079460991"}),
            row(email="asha@example.com", attributes={"a": 1, "b": 2}),
        ],
    )

    assert refusal == (
        400,
        [
            "Row 2: the email is one contact's and the number another's.",
            "Row 3: a contact has at most 100 attributes.",
        ],
    )
    assert people() == before


def test_invalid_rows_and_conflicting_rows_are_reported_together(as_alice: Caller, alice: User) -> None:
    contact_of(alice, name="Asha", email="asha@example.com")
    contact_of(alice, name="Ben", phone="442079460991")
    both = row("Both", "asha@example.com", {"number": "442079460991"})
    before = people()

    refusal = as_alice.refusal("POST", PATH, [row("Cleo"), both, row("Dora", "dora"), row("Eve"), both, row("Fay\0")])

    assert refusal == (
        400,
        [
            "Row 2: the email is one contact's and the number another's.",
            "Row 3: profile.userDetails.contact.email should be an email address.",
            "Row 5: the email is one contact's and the number another's.",
            "Row 6: profile.userDetails.userProvidedName should be a text of at most 200 characters.",
        ],
    )
    assert people() == before


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "The body should have at least 1 item."),
        ([row("x")] * 1001, "The body should have at most 1000 items."),
        (row("x"), "The body should be a valid list."),
        (None, "The body should be a valid list."),
    ],
)
def test_anything_but_a_list_of_1_to_1_000_rows_is_422(as_alice: Caller, body: object, sentence: str) -> None:
    assert as_alice.refusal("POST", PATH, body) == (422, [sentence])


@pytest.mark.parametrize("count", [2, pytest.param(1000, marks=pytest.mark.release)])
def test_rows_that_are_wrong_all_over_take_little_memory(as_alice: Caller, count: int) -> None:
    wrong: dict[str, Any] = {"tags": [0] * 50, "attributes": {f"{number:02}": [] for number in range(80)}}

    response, peak = peak_of(lambda: as_alice.send("POST", PATH, [row("Asha", **wrong)] * count))

    assert (response.status_code, len(response.json()["data"])) == (400, count)
    assert response.json()["data"][0].endswith("; 125 more.")
    assert peak < 50 * MIB
