"""Pages of contacts while others are added, and numbers that come as text."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from accounts.models import User
from accounts.orm.object_ids import object_id
from botpenguin.platform.api.contact_input import ContactIn
from botpenguin.platform.api.filters import ContactFilter
from botpenguin.platform.models import Contact
from tests.platform.calls import NOBODY, NOON, Caller, contact_of, names, row

pytestmark = pytest.mark.matrix

USERS = "/inbox/users"
PAGES: list[tuple[Any, int | None]] = [
    ("1", 1),
    (" 2 ", 2),
    ("02", 2),
    ("２", 2),
    ("٢", 2),
    ("\u202a2\u202c", 2),
    ("\u00a02", 2),
    ("9" * 20, 10**20 - 1),
    (2, 2),
    ("", None),
    ("  ", None),
    (None, None),
]


@pytest.mark.parametrize(("typed", "page"), PAGES)
def test_a_page_may_come_as_text(typed: Any, page: int | None) -> None:
    assert ContactFilter.model_validate({"page": typed}).page == page


@pytest.mark.parametrize("typed", ["-1", "+1", "1,5", "1.0", "1e3", "0x1", "one", "1 2", "9" * 21, ["1"], "0", "\x84"])
def test_a_text_that_is_no_page_is_refused_by_name(as_alice: Caller, typed: Any) -> None:
    status, (sentence,) = as_alice.refusal("POST", USERS, {"page": typed})

    assert (status, sentence.split()[:3]) == (422, ["page", "should", "be"])


@pytest.mark.parametrize(("typed", "unread"), [("3", 3), ("0", 0), ("9" * 9, 999_999_999), ("", 2), (None, 2)])
def test_other_whole_numbers_may_come_as_text_too(as_alice: Caller, asha: Contact, typed: Any, unread: int) -> None:
    as_alice.data("PUT", f"{USERS}/{asha.pk}", {"unreadMessages": typed})

    assert Contact.objects.get().unread_messages == unread


@pytest.mark.parametrize("typed", ["-1", str(2**31), "1" * 10, "many", "1.5"])
def test_a_number_beyond_its_limits_is_refused_as_text_too(typed: str) -> None:
    with pytest.raises(ValidationError):
        ContactIn.model_validate({"unreadMessages": typed})


@given(st.integers(1, 10**20 - 1))
def test_the_digits_of_a_page_are_that_page(page: int) -> None:
    assert ContactFilter.model_validate({"page": f"{page}"}).page == page


def add(owner: User, count: int, start: int = 0) -> list[str]:
    """Add contacts, of whom always two share an instant; return their names, newest first."""
    made = [
        Contact(owner=owner, id=object_id(), name=f"{number:04}", created_at=NOON + timedelta(seconds=number // 2))
        for number in range(start, start + count)
    ]
    Contact.objects.bulk_create(made)
    return [contact.name for contact in sorted(made, key=lambda each: (each.created_at, each.pk), reverse=True)]


@pytest.mark.parametrize("is_empty_sent", [False, True])
def test_with_after_an_insert_between_pages_repeats_nobody_and_omits_nobody(
    as_alice: Caller, alice: User, is_empty_sent: bool
) -> None:
    there = add(alice, 170)
    found: list[dict[str, Any]] = []
    after: dict[str, Any] = {"after": "", "page": ""} if is_empty_sent else {}

    for number in range(5):
        found += as_alice.data("POST", USERS, after)
        after = {"after": found[-1]["_id"]}
        add(alice, 30, start=1000 + 30 * number)

    assert names(found) == there
    assert as_alice.data("POST", USERS, after) == []


def test_a_pinned_end_hides_what_is_added_later(as_alice: Caller, alice: User) -> None:
    there = add(alice, 120)
    pinned = {"createdAt": {"endsAt": (NOON + timedelta(seconds=60)).isoformat()}}
    found: list[dict[str, Any]] = []

    for page in range(1, 5):
        found += as_alice.data("POST", USERS, pinned | {"page": page})
        add(alice, 30, start=1000 * page)

    assert names(found) == there


def test_pages_are_counted_from_the_one_that_after_names(as_alice: Caller, alice: User) -> None:
    there = add(alice, 130)
    [first] = [contact.pk for contact in Contact.objects.filter(name=there[9])]

    second = as_alice.data("POST", USERS, {"after": first, "page": "2"})

    assert names(second) == there[60:110]


def test_after_goes_with_every_filter(as_alice: Caller, alice: User) -> None:
    add(alice, 20)
    wanted = {"searchText": "001", "status": ["OPEN"]}
    found = as_alice.data("POST", USERS, wanted)

    rest = as_alice.data("POST", USERS, wanted | {"after": found[3]["_id"]})

    assert rest == found[4:]


def test_a_contact_that_the_filter_excludes_still_marks_a_place(as_alice: Caller, alice: User) -> None:
    there = add(alice, 5)
    Contact.objects.filter(name=there[2]).update(status="CLOSED")
    mark = Contact.objects.get(name=there[2]).pk

    assert names(as_alice.data("POST", USERS, {"after": mark, "status": ["OPEN"]})) == there[3:]


@pytest.mark.parametrize("whose", ["nobody", "bob"])
def test_after_a_contact_of_nobody_or_of_others_is_404(as_alice: Caller, bob: User, whose: str) -> None:
    mark = contact_of(bob).pk if whose == "bob" else NOBODY

    refusal = as_alice.refusal("POST", USERS, {"after": mark})

    assert refusal == (404, ["There is no contact with the id in `after` in your account."])


@pytest.mark.parametrize("mark", ["1", "x" * 24, 7, ["a"]])
def test_an_after_that_is_no_id_is_refused_by_name(as_alice: Caller, mark: Any) -> None:
    assert as_alice.refusal("POST", USERS, {"after": mark}) == (422, ["after should be an id, 24 hexadecimal digits."])


LARGE = [2**53, -(2**53), 2**53 + 1, 2**64, 12345678901234567890, 17841400000000001, 10**400, -(10**998)]


@pytest.mark.parametrize("number", LARGE, ids=lambda number: f"{len(str(number))}-{number % 97}")
def test_a_whole_number_beyond_2_53_keeps_its_digits_as_text(as_alice: Caller, asha: Contact, number: int) -> None:
    changed = as_alice.data("PUT", f"{USERS}/{asha.pk}/attributes", {"order": number})
    as_alice.data("POST", f"{USERS}/import", [row("Ben", attributes={"order": number})])

    assert {"key": "order", "value": str(number)} in changed["profile"]["userDetails"]["attributes"]
    assert [contact.attributes["order"] for contact in Contact.objects.all()] == [str(number)] * 2


@pytest.mark.parametrize("number", [2**53 - 1, -(2**53) + 1, 0, 1.5, True])
def test_other_numbers_stay_numbers(number: Any) -> None:
    attributes = ContactIn.model_validate({"attributes": {"order": number}}).attributes

    assert attributes == {"order": number}
    assert type((attributes or {})["order"]) is type(number)


@pytest.mark.parametrize("text", ["1e300", "9007199254740993.0", "-1e17"])
def test_a_number_that_has_lost_digits_already_is_refused(as_alice: Caller, asha: Contact, text: str) -> None:
    answer = as_alice.send_text("PUT", f"{USERS}/{asha.pk}/attributes", f'{{"order": {text}}}')

    assert answer.status_code == 422
    assert answer.json()["data"][0].startswith("order should be")
