"""A contact takes at most 64 KB, and so a page of 50 has a bound too. Larger ones of before stay, and do not grow."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from botpenguin.platform import sizes
from botpenguin.platform.api import bots, inbox, integrations
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from tests.developers.test_bind_tokens import migrate
from tests.memory import MIB, peak_of
from tests.platform.calls import Caller, contact_of, row

TOO_LARGE = "a contact has at most 64 KB of attributes, notes and tags"
BEFORE = [("platform", "0001_initial")]
# Two bytes in UTF-8, one in most of Python's texts, and six where JSON is kept to ASCII.
LETTER = "é"


def attributes(count: int, value: str = "x" * 1000) -> dict[str, str]:
    return {f"key{number:03}": value for number in range(count)}


def large_contact(owner: User, tags: tuple[str, ...] = (), **values: Any) -> Contact:
    """A contact of before there was a bound: of 1.2 MB, as the API took them."""
    whole: dict[str, Any] = {"attributes": attributes(100, "🐧" * 1000), "notes": ["🐧" * 2000] * 100}
    return contact_of(owner, tags, **(whole | {"is_large": True} | values))


def stored(contact: Contact) -> tuple[Any, ...]:
    contact.refresh_from_db()
    return contact.name, contact.status, contact.attributes, contact.notes, contact.is_large


Write = Callable[[Caller, Contact, dict[str, Any]], Any]


def import_it(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    return caller.send("POST", "/inbox/users/import", [row(email=contact.email, attributes=more)])


def put_whole(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    body = {"profile": {"userDetails": {"attributes": contact.attributes | more}}}
    return caller.send("PUT", f"/inbox/users/{contact.pk}", body)


def put_flat(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    return caller.send("PUT", f"/inbox/users/{contact.pk}", more)


def put_attributes(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    return caller.send("PUT", f"/inbox/users/{contact.pk}/attributes", {"attributes": more})


def integrate(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    body = {"search": contact.email, "attributes": more}
    return caller.send("PUT", "/integrations/custom-app/update-user-attributes", body)


WAYS = [import_it, put_whole, put_flat, put_attributes, integrate]


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
def test_of_a_beginning_only_whole_entries_count(monkeypatch: pytest.MonkeyPatch, rest: str) -> None:
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


LISTS = ["/bots", "/whatsapp-automation", "/inbox/segments"]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_longer_than_anybodys_comes_in_pages(
    as_alice: Caller, alice: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for module, name in ((bots, "MOST_BOTS"), (integrations, "MOST_BOTS"), (inbox, "MOST_SEGMENTS")):
        monkeypatch.setattr(module, name, 2)
    for number in range(5):
        Bot.objects.create(owner=alice, name=str(number), platform="whatsapp")
        Segment.objects.create(owner=alice, name=str(number), tags=["vip"])

    answers = [as_alice.send("GET", f"{path}?page={page}").json() for page in (1, 2, 3, 4)]

    assert [len(answer["data"]) for answer in answers] == [2, 2, 1, 0]
    assert [answer["message"] for answer in answers] == [
        "There are more. Ask for them with ?page=2.",
        "There are more. Ask for them with ?page=3.",
        "",
        "",
    ]
    found = [item["_id"] for answer in answers for item in answer["data"]]
    assert len(set(found)) == 5
    assert as_alice.send("GET", path).json() == answers[0]


@pytest.mark.parametrize("page", ["0", "-1", "x", "1" * 30])
@pytest.mark.parametrize("path", LISTS)
def test_a_page_that_is_none_is_422(as_alice: Caller, path: str, page: str) -> None:
    assert as_alice.send("GET", f"{path}?page={page}").status_code == 422


@pytest.mark.release
def test_segments_of_before_there_were_quotas_take_little_memory(as_alice: Caller, alice: User, client: Any) -> None:
    tags = [f"{number:02}{'🐧' * 58}" for number in range(20)]
    Segment.objects.bulk_create(Segment(owner=alice, name=f"{number:05}", tags=tags) for number in range(5_000))
    contact_of(alice, (tags[0],))
    client.force_login(alice)

    answers = [
        peak_of(lambda: as_alice.send("GET", "/inbox/segments")),
        peak_of(lambda: as_alice.send("POST", "/inbox/users")),
        peak_of(lambda: client.get("/inbox/")),
    ]

    assert [response.status_code for response, _ in answers] == [200, 200, 200]
    assert max(peak for _, peak in answers) < 50 * MIB


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
