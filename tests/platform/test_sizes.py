"""A contact holds at most 64 KB of attributes, notes and tags, whichever way they are written."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from botpenguin.platform import sizes
from botpenguin.platform.models import Contact
from tests.platform.calls import Caller, contact_of, row
from tests.platform.large_contacts import LETTER, TOO_LARGE, WAYS, Write, attributes, stored


@pytest.mark.parametrize("write", WAYS)
def test_numbers_that_a_database_writes_out_are_counted_so(as_alice: Caller, alice: User, write: Write) -> None:
    asha = contact_of(alice, email="asha@example.com", attributes=attributes(60))
    before = stored(asha)
    small = {f"small{number:02}": 1.5e-300 for number in range(30)}

    written = write(as_alice, asha, small)

    # On PostgreSQL 300 bytes each, which is too much.
    is_taken = written.status_code == 200
    assert is_taken or TOO_LARGE in written.json()["message"] or TOO_LARGE in written.json()["data"][0]
    assert is_taken == (connection.vendor == "sqlite")
    assert stored(asha) == (*before[:2], before[2] | (small if is_taken else {}), *before[3:])


@pytest.mark.no_cover
@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("value", ["x" * 1000, LETTER * 500, "🐧" * 250], ids=["ascii", "latin", "emoji"])
def test_no_way_of_writing_makes_a_contact_larger_than_64_kb(
    as_alice: Caller, alice: User, write: Write, value: str
) -> None:
    asha = contact_of(alice, email="asha@example.com", attributes=attributes(60, value), notes=["x"])
    before = stored(asha)

    fits = write(as_alice, asha, {"one": "more"})
    refused = write(as_alice, asha, attributes(80, value))

    assert fits.status_code == 200
    assert refused.status_code in (400, 409)
    assert refused.json()["data"] in ([f"Row 1: {TOO_LARGE}."], [f"Nothing was changed: {TOO_LARGE}."])
    assert stored(asha) == (*before[:2], before[2] | {"one": "more"}, *before[3:])


@pytest.mark.parametrize(
    "details",
    [
        {"tags": [f"{number:02}{'🐧' * 58}" for number in range(50)], "attributes": attributes(55)},
        {"attributes": {f"{number:02}{'é' * 98}": "x" * 1000 for number in range(60)}},
        {"attributes": attributes(33, "\x01" * 400)},
    ],
)
def test_tags_names_of_attributes_and_escapes_count(as_alice: Caller, details: dict[str, Any]) -> None:
    response = as_alice.send("POST", "/inbox/users/import", [row("Asha"), row("Ben", **details)])

    assert (response.status_code, response.json()["data"]) == (400, [f"Row 2: {TOO_LARGE}."])
    assert not Contact.objects.exists()


def test_notes_and_tags_of_one_request_count_together(as_alice: Caller, alice: User) -> None:
    asha = contact_of(alice, attributes=attributes(40))
    tags = [f"{number:02}{LETTER * 58}" for number in range(50)]

    fits = as_alice.send("PUT", f"/inbox/users/{asha.pk}", {"profile": {"notes": ["x" * 2000] * 10}})
    refused = as_alice.send("PUT", f"/inbox/users/{asha.pk}", {"profile": {"userDetails": {"tags": tags}}})

    assert (fits.status_code, refused.status_code) == (200, 409)
    assert list(asha.tags.all()) == []


def test_rows_of_one_import_that_are_the_same_contact_count_together(as_alice: Caller) -> None:
    rows = [row(email="asha@example.com", attributes=attributes(40)), row("Ben")]
    rows.append(
        row(email="asha@example.com", attributes={f"more{key}": value for key, value in attributes(40).items()})
    )

    response = as_alice.send("POST", "/inbox/users/import", rows)

    assert (response.status_code, response.json()["data"]) == (400, [f"Row 3: {TOO_LARGE}."])


@pytest.mark.parametrize("column", ["attributes", "notes"])
def test_the_database_refuses_what_is_larger(alice: User, column: str) -> None:
    texts = [LETTER * 2000] * 17
    value: Any = texts if column == "notes" else dict(enumerate(texts))

    with pytest.raises(IntegrityError, match="platform_contact_is_not_too_large"), transaction.atomic():
        contact_of(alice, **{column: value})

    assert not Contact.objects.exists()


@pytest.mark.parametrize("value", ["x" * 640, LETTER * 320, "🐧" * 160], ids=["ascii", "latin", "emoji"])
def test_both_databases_count_the_same_bytes(alice: User, value: str) -> None:
    asha = contact_of(alice, attributes=attributes(90, value) | {"n": 1.5, "t": True}, notes=['"\n\x01', LETTER])

    found = Contact.objects.values_list("attributes__octets", "notes__octets").get(pk=asha.pk)

    assert sum(found) == sizes.of_json(asha)
