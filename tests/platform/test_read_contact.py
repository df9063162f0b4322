"""`GET /inbox/users/{id}`: one contact of the token's owner, as in the list."""

from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from botpenguin.platform.api import reference
from botpenguin.platform.models import Contact
from tests.platform.calls import NOBODY, Caller, contact_of

pytestmark = pytest.mark.matrix

USERS = "/inbox/users"
NO_CONTACT = (404, ["There is no contact with this id in your account."])
WRONG_IDS = [
    *("1", "0", "-1", "x", "null", "undefined", "*", "%", "'", "{contact_id}", "[object Object]"),
    *(NOBODY[:-1], f"{NOBODY}0", f"{NOBODY[:-1]}g", "9" * 26, "9" * 5000, str(2**63)),
    *("\0", f"{NOBODY}\0", f"{NOBODY[:-1]}\0", "\n", "a\r\nX-Evil: 1", "\ud83d".encode("utf-8", "surrogatepass")),
    *("١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩٠١٢٣٤", f"{NOBODY};x=1", f"{NOBODY} OR 1=1", f"{NOBODY},{NOBODY}", b"\xff\xfe"),
]


@pytest.fixture
def other(alice: User) -> Contact:
    return contact_of(alice, name="Ben", email="ben@example.com")


def test_a_contact_is_read_as_the_list_shows_it(as_alice: Caller, asha: Contact, other: Contact) -> None:
    listed = as_alice.data("POST", USERS, {})

    read = [as_alice.data("GET", f"{USERS}/{contact['_id']}") for contact in listed]

    assert read == listed
    assert {contact["_id"] for contact in read} == {asha.pk, other.pk}


@pytest.mark.parametrize("spelling", ["{}", "%20{}%20", "%EF%BB%BF{}", "{}%0A"])
def test_an_id_may_be_pasted_with_what_surrounds_it(as_alice: Caller, asha: Contact, spelling: str) -> None:
    assert as_alice.data("GET", f"{USERS}/{spelling.format(asha.pk)}")["_id"] == asha.pk


@pytest.mark.parametrize("wrong", WRONG_IDS, ids=range(len(WRONG_IDS)))
def test_a_text_that_is_no_id_is_not_found(as_alice: Caller, asha: Contact, wrong: str | bytes) -> None:
    assert as_alice.refusal("GET", f"{USERS}/{quote(wrong, safe='')}") == NO_CONTACT


def test_a_contact_of_another_account_is_answered_as_one_that_nobody_has(as_bob: Caller, asha: Contact) -> None:
    as_bob.send("GET", "/token")
    answers = []
    for contact_id in (asha.pk, NOBODY):
        with CaptureQueriesContext(connection) as queries:
            response = as_bob.send("GET", f"{USERS}/{contact_id}")
        work = [query["sql"].replace(contact_id, "") for query in queries]
        answers.append((response.status_code, response.content, work))

    assert answers[0] == answers[1]
    assert as_bob.refusal("GET", f"{USERS}/{asha.pk}") == NO_CONTACT


def test_a_deleted_contact_is_not_found(as_alice: Caller, asha: Contact) -> None:
    Contact.objects.filter(pk=asha.pk).delete()

    assert as_alice.refusal("GET", f"{USERS}/{asha.pk}") == NO_CONTACT


def test_reading_takes_as_many_queries_whatever_the_contact_holds(
    as_alice: Caller, alice: User, asha: Contact, other: Contact
) -> None:
    full = contact_of(alice, tuple(f"tag-{at}" for at in range(50)), attributes={f"a{at}": at for at in range(100)})
    as_alice.send("GET", "/token")
    counts = []
    for contact in (asha, other, full):
        with CaptureQueriesContext(connection) as queries:
            as_alice.data("GET", f"{USERS}/{contact.pk}")
        counts.append(len(queries))

    # The token, the contact, its tags, and the account's segments.
    assert counts == [4, 4, 4]


def test_head_is_answered_as_get(as_alice: Caller, asha: Contact) -> None:
    read, head = (as_alice.send(method, f"{USERS}/{asha.pk}") for method in ("GET", "HEAD"))

    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == str(len(read.content))


def test_it_is_documented() -> None:
    operation = reference.document()["paths"]["/inbox/users/{contact_id}"]["get"]

    assert operation["operationId"] == "read_contact"
    assert [(part["name"], part["in"], part["required"]) for part in operation["parameters"]] == [
        ("contact_id", "path", True)
    ]
    assert any(
        (shown.method, shown.path) == ("GET", "/inbox/users/{contact_id}") for shown in reference.groups()["inbox"]
    )
