"""Names and ids on other platforms, and the keys that no contact has."""

import re
from typing import Any

import pytest

from accounts.models import User
from botpenguin.platform.models import Contact
from tests.cast import logged_in
from tests.platform.calls import Caller, contact_of, names, row

pytestmark = pytest.mark.matrix

USERS = "/inbox/users"
IMPORT = f"{USERS}/import"
IGNORED = "Ignored, because a contact has no such key to set: "
COLUMNS = {
    "telegramUserName": "telegram_user_name",
    "instagramProfileId": "instagram_profile_id",
    "facebookProfileId": "facebook_profile_id",
}
PROFILES: list[tuple[str, Any, str]] = [
    ("telegramUserName", "asha_rao", "asha_rao"),
    ("telegramUserName", "@asha_rao", "@asha_rao"),
    ("telegramUserName", " asha ", "asha"),
    ("telegramUserName", 987654321, "987654321"),
    ("instagramProfileId", "17841400000000001", "17841400000000001"),
    ("instagramProfileId", 17841400000000001, "17841400000000001"),
    ("instagramProfileId", 2**64 - 1, str(2**64 - 1)),
    ("facebookProfileId", "asha.rao.7", "asha.rao.7"),
    ("facebookProfileId", 100000000000001, "100000000000001"),
    ("facebookProfileId", "x" * 100, "x" * 100),
]


@pytest.mark.parametrize(("key", "sent", "stored"), PROFILES)
def test_a_profile_is_stored_returned_and_found(
    as_alice: Caller, alice: User, key: str, sent: Any, stored: str
) -> None:
    contact_of(alice, name="Ben")
    imported = as_alice.data("POST", IMPORT, [row("Asha", **{key: sent})])["ids"][0]
    whole = as_alice.data("GET", f"{USERS}/{imported}")

    assert whole["profile"]["userDetails"][key] == stored
    assert names(as_alice.data("POST", USERS, {"searchText": stored.upper()})) == ["Asha"]
    assert "Ben" not in logged_in(alice).get("/inbox/", {"q": stored}).content.decode()
    assert as_alice.data("PUT", f"{USERS}/{imported}", whole)["profile"] == whole["profile"]


@pytest.mark.parametrize("key", COLUMNS)
def test_a_profile_is_changed_and_emptied_by_put_and_kept_where_left_out(
    as_alice: Caller, asha: Contact, key: str
) -> None:
    def put(details: Any) -> Any:
        return as_alice.data("PUT", f"{USERS}/{asha.pk}", {"profile": {"userDetails": details}})

    changed = put({key: "new_name"})
    kept = put({"country": "Nepal"})
    emptied = put({key: ""})

    assert [answer["profile"]["userDetails"][key] for answer in (changed, kept, emptied)] == [
        "new_name",
        "new_name",
        "",
    ]
    assert names(as_alice.data("POST", USERS, {"searchText": "new_name"})) == []


@pytest.mark.parametrize("empty", ["", None, "  "])
def test_an_import_without_a_profile_keeps_what_is_known(as_alice: Caller, asha: Contact, empty: str | None) -> None:
    as_alice.data("POST", IMPORT, [row(email="asha@example.com", **dict.fromkeys(COLUMNS, empty))])

    stored = Contact.objects.get()
    assert [getattr(stored, column) for column in COLUMNS.values()] == [
        "asha_rao", "17841400000000001", "100000000000001"
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["x" * 101, "a\0b", "\ud800", 0, -5, 1.5, True, [], {"id": "1"}, 2**64])
def test_a_profile_that_cannot_be_stored_is_refused_by_name(as_alice: Caller, value: Any) -> None:
    answer = as_alice.send("POST", IMPORT, [row("Ben"), row("Asha", telegramUserName=value)])

    assert answer.status_code == 400
    assert answer.json()["data"] == [
        "Row 2: profile.userDetails.telegramUserName should be a name or an id of at most 100 characters."
    ]
    assert not Contact.objects.exists()


def test_the_page_of_a_contact_shows_its_profiles(alice: User, asha: Contact) -> None:
    page = logged_in(alice).get(f"/inbox/{asha.pk}/").content.decode()

    for text in ("Telegram", "asha_rao", "Instagram", "17841400000000001", "Facebook", "100000000000001"):
        assert re.search(f">{text}(</bdi>)?</d", page)


UNKNOWN: list[tuple[Any, str]] = [
    ({"profile": {"nickname": "A"}}, "profile.nickname"),
    ({"profile": {"userDetails": {"phone": "123"}}}, "profile.userDetails.phone"),
    ({"profile": {"userDetails": {"telegramUsername": "a", "age": 3}}},
     "profile.userDetails.telegramUsername, profile.userDetails.age"),
    ({"profile": {"userDetails": {"contact": {"mobile": "1"}}}}, "profile.userDetails.contact.mobile"),
    ({"profile": {"userDetails": {"contact": {"phone": {"no": "1"}}}}}, "profile.userDetails.contact.phone.no"),
    ({"_id": "x", "createdAt": "2001"}, "_id, createdAt"),
    ({"profile": {}, "x" * 150: 1}, f"{'x' * 100}…"),
    ({"profile": {f"k{number}": number for number in range(13)}},
     f"{', '.join(f'profile.k{number}' for number in range(10))} and 3 more"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "keys"), UNKNOWN)
def test_a_put_of_nothing_but_unknown_keys_says_so(as_alice: Caller, asha: Contact, body: Any, keys: str) -> None:
    answer = as_alice.send("PUT", f"{USERS}/{asha.pk}", body)

    assert answer.status_code == 200
    assert answer.json()["message"] == f"Nothing was changed. {IGNORED}{keys}."


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"plan": "gold"},
        {"status": "OPEN"},
        {"status": "OPEN", "__v": 0},
        {"isContact": False, "_agency": "x"},
        {"profile": {"notes": []}, "isPaid": True},
        {"profile": {"userDetails": {"name": "", "age": 3}}},
        {"attributes": [], "hasOrdered": {"status": False}},
    ],
)
def test_a_put_of_something_else_too_says_nothing(as_alice: Caller, asha: Contact, body: Any) -> None:
    assert as_alice.send("PUT", f"{USERS}/{asha.pk}", body).json()["message"] == ""


def test_a_contact_with_keys_of_another_server_is_written_back_without_a_word(as_alice: Caller, asha: Contact) -> None:
    read = as_alice.data("GET", f"{USERS}/{asha.pk}")
    read |= {"__v": 0, "_agency": asha.pk, "secondaryPlatform": ["website"], "websiteVisits": 0, "isMigrated": False}
    read["profile"]["marketing"] = {"urlsVisited": []}

    answer = as_alice.send("PUT", f"{USERS}/{asha.pk}", read).json()

    assert (answer["success"], answer["message"]) == (True, "")


def test_an_import_names_the_keys_that_it_left_out(as_alice: Caller, asha: Contact) -> None:
    known = as_alice.data("GET", f"{USERS}/{asha.pk}")
    rows = [row("Ben", nickname="B"), row("Cleo", nickname="C", age=3) | {"vip": True}, row("Dora")]

    created = as_alice.send("POST", IMPORT, rows).json()
    updated = as_alice.send("POST", IMPORT, [{"profile": known["profile"], "_id": asha.pk, "createdAt": "2001"}]).json()

    assert created["message"] == (
        f"{IGNORED}profile.userDetails.age (1 row), profile.userDetails.nickname (2 rows), vip (1 row)."
    )
    assert (updated["data"]["updated"], updated["message"]) == (1, f"{IGNORED}profile.notes (1 row).")


def test_an_import_that_is_refused_names_its_errors_alone(as_alice: Caller) -> None:
    answer = as_alice.send("POST", IMPORT, [row("Ben", nickname="B"), row()]).json()

    assert answer["message"] == f"{answer['data'][0]} Nothing was imported."
    assert "nickname" not in answer["data"][0]
