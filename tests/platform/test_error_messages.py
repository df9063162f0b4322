"""The `message` of an error is its first reason: n8n's node shows nothing else. `data` holds all of them."""

from typing import Any

import pytest
from django.test import Client as Browser

from accounts.models import User
from botpenguin.platform.api import envelope
from botpenguin.platform.models import Contact
from tests.platform.calls import BASE, NOBODY, Caller, contact_of, row

pytestmark = pytest.mark.matrix

USERS = "/inbox/users"
IMPORT = "/inbox/users/import"
ATTRIBUTES = "/integrations/custom-app/update-user-attributes"
EMAIL = "profile.userDetails.contact.email should be an email address"
NOT_IMPORTED = " Nothing was imported."
STATUS = "should be 'OPEN', 'INPROGRESS', 'REVIEW', 'ONHOLD', 'DEPENDANCY', 'CLOSED' or 'DELETED'."
SAMPLES = [
    # Rows of an import.
    (("POST", IMPORT, [row("Asha", "nobody")]), 400, f"Row 1: {EMAIL}.{NOT_IMPORTED}", 1),
    (
        ("POST", IMPORT, [row("Asha"), row("Ben", "ben"), row()]),
        400,
        f"Row 2: {EMAIL}. 1 more error is listed in `data`.{NOT_IMPORTED}",
        2,
    ),
    (
        ("POST", IMPORT, [row("Ben", "ben", tags=[""])] * 40),
        400,
        f"Row 1: {EMAIL}; profile.userDetails.tags.0 should be a tag of 1 to 60 characters. "
        f"39 more errors are listed in `data`.{NOT_IMPORTED}",
        40,
    ),
    (("POST", IMPORT, ["Asha"]), 400, f"Row 1: the row should be an object.{NOT_IMPORTED}", 1),
    (
        ("POST", IMPORT, [row(phone={"number": "555", "prefix": "91"})]),
        400,
        "Row 1: profile.userDetails.contact.phone.number should be a telephone number of 4 to 15 digits."
        f"{NOT_IMPORTED}",
        1,
    ),
    # Bodies as a whole.
    (("POST", IMPORT, []), 422, "The body should have at least 1 item.", 1),
    (("POST", "/bots", 7), 422, "The body should be an object.", 1),
    (("POST", "/bots", {}), 422, "name is required. 1 more error is listed in `data`.", 2),
    # Fields of a body.
    (("POST", "/bots", {"name": "", "platform": "sms"}), 422, "name should be a name of 1 to 100 characters.", 1),
    (("POST", USERS, {"page": 0}), 422, "page should be greater than or equal to 1.", 1),
    (
        ("POST", USERS, {"status": ["OPEN", "open", "Shut"], "createdAt": {"startAt": "noon"}}),
        422,
        f"status.1 {STATUS} 2 more errors are listed in `data`.",
        3,
    ),
    (("PUT", f"{USERS}/status-update", {"ids": [NOBODY], "status": "open"}), 422, f"status {STATUS}", 1),
    (
        ("PUT", ATTRIBUTES, {"search": "asha@example.com", "attributes": ["plan"]}),
        422,
        'attributes should be a list of {"key": …, "value": …}, or a map.',
        1,
    ),
    # The query.
    (("GET", "/bots?page=0", None), 422, "page should be greater than or equal to 1.", 1),
    (
        ("GET", "/inbox/segments?page=two", None),
        422,
        "page should be a valid integer, unable to parse string as an integer.",
        1,
    ),
    (("POST", f"{IMPORT}?botId=mine", [row("Asha")]), 422, "botId should be an id, 24 hexadecimal digits.", 1),
    # The path.
    (("GET", "/bots/mine", None), 404, "There is no bot with this id in your account.", 1),
    (("PUT", f"{USERS}/{NOBODY}", {"status": "OPEN"}), 404, "There is no contact with this id in your account.", 1),
]


@pytest.mark.parametrize(("call", "status", "message", "count"), SAMPLES)
def test_the_message_is_the_first_reason_and_how_many_there_are(
    as_alice: Caller, call: tuple[str, str, Any], status: int, message: str, count: int
) -> None:
    response = as_alice.send(*call)

    answer = response.json()
    assert (response.status_code, answer["code"], answer["success"]) == (status, status, False)
    assert answer["message"] == message
    assert len(answer["data"]) == count
    assert message.startswith(answer["data"][0])
    assert not Contact.objects.exists()


def test_the_message_of_a_change_says_why_and_that_nothing_was_changed(as_alice: Caller, alice: User) -> None:
    asha = contact_of(alice, phone="442079460991", phone_prefix="44")
    phone = {"number": "2079460991", "prefix": "999"}

    refused = as_alice.send("PUT", f"{USERS}/{asha.pk}", row(phone=phone) | {"status": "CLOSED"})
    invalid = as_alice.send("PUT", f"{USERS}/{asha.pk}", row(email="asha") | {"isContact": "yes"})

    reason = "profile.userDetails.contact.phone.prefix 999 is the calling code of no country."
    assert (refused.status_code, refused.json()["data"]) == (400, [reason])
    assert refused.json()["message"] == f"{reason} Nothing was changed."
    assert invalid.json()["message"] == f"{EMAIL}. 1 more error is listed in `data`."
    assert invalid.json()["data"] == [f"{EMAIL}.", "isContact should be a valid boolean."]
    assert Contact.objects.get().status == "OPEN"


@pytest.mark.django_db
def test_the_message_of_a_report_without_a_token_is_the_reason() -> None:
    response = Browser().post(f"{BASE}/token/report-exposed", {"tokens": []}, "application/json")

    assert (response.status_code, response.json()["message"]) == (422, "tokens should have at least 1 item.")


@pytest.mark.parametrize(
    ("count", "rest"),
    [
        (1, ""),
        (2, " 1 more error is listed in `data`."),
        (3, " 2 more errors are listed in `data`."),
        (1235, " 1,234 more errors are listed in `data`."),
    ],
)
def test_other_reasons_are_counted(count: int, rest: str) -> None:
    assert envelope.first_of([f"Number {number} is wrong." for number in range(count)]) == f"Number 0 is wrong.{rest}"
