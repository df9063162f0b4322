"""Contacts that were larger than 64 KB before there was a bound: they stay, do not grow, and lists shorten them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from botpenguin.platform import sizes
from botpenguin.platform.models import Contact, ContactTag
from tests.developers.test_bind_tokens import migrate
from tests.memory import MIB, peak_of
from tests.platform.calls import Caller, contact_of
from tests.platform.large_contacts import WAYS, Write, attributes, large_contact, put_flat, stored

BEFORE = [("platform", "0001_initial")]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "CLOSED"},
        {"profile": {"userDetails": {"name": "Asha Rao, whose name is longer now"}}},
        {"profile": {"userDetails": {"tags": []}}},
        {"profile": {"notes": []}},
        {"profile": {"userDetails": {"attributes": {"plan": "gold"}}}},
        {"attributes": {"key000": None}},
    ],
)
def test_a_large_contact_of_before_can_be_changed_and_become_smaller(
    as_alice: Caller, alice: User, change: dict[str, Any]
) -> None:
    asha = large_contact(alice, ("vip",))

    response = as_alice.send("PUT", f"/inbox/users/{asha.pk}", change)

    assert response.status_code == 200


def test_a_large_contact_that_became_small_has_the_bound_of_all_others(as_alice: Caller, alice: User) -> None:
    asha = large_contact(alice, email="asha@example.com")
    as_alice.data("PUT", f"/inbox/users/{asha.pk}", {"profile": {"userDetails": {"attributes": {}}, "notes": []}})

    refused = put_flat(as_alice, asha, attributes(70))

    assert refused.status_code == 409
    assert stored(asha)[2:] == ({}, [], False)


@pytest.mark.parametrize("write", WAYS)
def test_a_large_contact_of_before_does_not_grow(as_alice: Caller, alice: User, write: Write) -> None:
    asha = large_contact(alice, email="asha@example.com", attributes=attributes(99, "x" * 900))
    before = stored(asha)

    refused = write(as_alice, asha, {"one": "more"})
    fits = write(as_alice, asha, {"key000": "less"})

    assert (refused.status_code in (400, 409), fits.status_code) == (True, 200)
    assert stored(asha) == (*before[:2], before[2] | {"key000": "less"}, *before[3:])


def test_status_update_takes_large_contacts_of_before(as_alice: Caller, alice: User) -> None:
    asha = large_contact(alice)

    as_alice.data("PUT", "/inbox/users/status-update", {"ids": [asha.pk], "status": "CLOSED"})

    assert stored(asha)[1] == "CLOSED"


def test_a_list_shortens_large_contacts_visibly_and_their_id_gives_them_whole(as_alice: Caller, alice: User) -> None:
    large = large_contact(alice, ("vip",), attributes=attributes(100), notes=["é" * 2000] * 50)
    small = contact_of(alice, name="Ben", attributes={"plan": "gold"})

    listed = {contact["_id"]: contact for contact in as_alice.data("POST", "/inbox/users")}
    whole = as_alice.data("GET", f"/inbox/users/{large.pk}")

    details = listed[large.pk]["profile"]["userDetails"]
    shown = {each["key"]: each["value"] for each in details["attributes"]}
    assert 1 <= len(shown) < 100
    assert shown.items() <= attributes(100).items()
    assert listed[large.pk]["profile"]["notes"] in (large.notes[:3], large.notes[:4])
    assert details["tags"] == ["vip"]
    assert listed[large.pk]["shortened"] == (
        "This contact is larger than 64 KB, so this list holds only its first attributes and notes. "
        f"Read it whole with GET /api/v7/inbox/users/{large.pk}."
    )
    assert "shortened" not in listed[small.pk]
    assert "shortened" not in whole
    assert {each["key"]: each["value"] for each in whole["profile"]["userDetails"]["attributes"]} == large.attributes
    assert whole["profile"]["notes"] == large.notes


def test_what_a_list_has_shortened_can_be_written_back_without_a_loss(as_alice: Caller, alice: User) -> None:
    asha = large_contact(alice, attributes=attributes(100), notes=["x" * 2000] * 50)
    [listed] = as_alice.data("POST", "/inbox/users")
    kept = {each["key"]: each["value"] for each in listed["profile"]["userDetails"]["attributes"]}
    listed["profile"]["userDetails"]["attributes"][0]["value"] = "changed"

    as_alice.data("PUT", f"/inbox/users/{asha.pk}", listed | {"status": "REVIEW"})

    expected = attributes(100) | {min(kept): "changed"}
    assert stored(asha)[1:] == ("REVIEW", expected, ["x" * 2000] * 50, True)


@pytest.mark.parametrize("rest", ["", '"b', '"b": ', '"b": 12', '"b": "\\ud83d', '"b": "\\'])
def test_only_whole_entries_of_a_beginning_count(monkeypatch: pytest.MonkeyPatch, rest: str) -> None:
    text = '{"a": 1, ' + rest
    monkeypatch.setattr(sizes, "SHOWN", len(text))

    assert sizes.read_beginning(text).items() <= {"a": 1}.items()
    assert sizes.read_beginning("[") == []


def test_pages_stay_full_and_end_empty(as_alice: Caller, alice: User) -> None:
    large_contact(alice, attributes=attributes(100), notes=[])
    Contact.objects.bulk_create(Contact(owner=alice, name=str(number)) for number in range(51))

    lengths = [len(as_alice.data("POST", "/inbox/users", {"page": page})) for page in (1, 2, 3)]

    assert lengths == [50, 2, 0]


def fill_a_page(owner: User, made: Callable[[int], Contact], count: int = 50) -> None:
    contacts = Contact.objects.bulk_create(made(number) for number in range(count))
    tags = [f"{number:02}{'🐧' * 58}" for number in range(50)]
    ContactTag.objects.bulk_create(ContactTag(contact=contact, name=tag) for contact in contacts for tag in tags)


@pytest.mark.no_cover
def test_a_page_of_the_largest_contacts_has_a_bound_in_bytes_and_memory(as_alice: Caller, alice: User) -> None:
    whole = attributes(13, "🐧" * 999 + "x")
    fill_a_page(alice, lambda number: Contact(owner=alice, name=str(number), attributes=whole))

    response, peak = peak_of(lambda: as_alice.send("POST", "/inbox/users"))

    assert len(response.json()["data"]) == 50
    assert len(response.content) < 50 * 80 * 1024
    assert peak < 50 * MIB


@pytest.mark.no_cover
@pytest.mark.parametrize("count", [3, pytest.param(50, marks=pytest.mark.release)])
@pytest.mark.parametrize("path", ["api", "page"])
def test_a_page_of_large_contacts_of_before_is_small(
    as_alice: Caller, alice: User, client: Any, path: str, count: int
) -> None:
    whole = {"attributes": attributes(100, "🐧" * 1000), "notes": ["🐧" * 2000] * 100}
    fill_a_page(alice, lambda number: Contact(owner=alice, name=str(number), is_large=True, **whole), count)
    client.force_login(alice)

    response, peak = peak_of(lambda: as_alice.send("POST", "/inbox/users") if path == "api" else client.get("/inbox/"))

    assert response.status_code == 200
    assert len(response.content) < 50 * 80 * 1024
    assert peak < 50 * MIB


@pytest.fixture
def apps_of_before(transactional_db: None) -> Iterator[Any]:
    yield migrate(BEFORE)
    migrate()


@pytest.mark.release
def test_contacts_of_before_are_kept_and_the_large_ones_marked(apps_of_before: Any) -> None:
    owner = apps_of_before.get_model("accounts", "User").objects.create(email="alice@example.com", password="!")
    made = apps_of_before.get_model("platform", "Contact").objects
    large = made.create(owner=owner, name="Large", attributes=attributes(100), notes=["x" * 2000] * 100)
    small = made.create(owner=owner, name="Small", attributes=attributes(9), notes=["x"])

    migrate()

    marked = {contact.pk: contact for contact in Contact.objects.all()}
    assert {pk: contact.is_large for pk, contact in marked.items()} == {large.pk: True, small.pk: False}
    assert marked[large.pk].notes == large.notes
    with pytest.raises(IntegrityError), transaction.atomic():
        Contact.objects.filter(pk=small.pk).update(attributes=attributes(100))
