"""Choosing a contact whose values a test of an outbound call fills in."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from botpenguin.platform.contact_values import texts_of
from botpenguin.platform.models import Bot, Contact
from botpenguin.platform.views.contact_choice import PAGE_LENGTH
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import logged_in
from tests.developers.outbound.views.pages import GET, HTMX, PAGE, words

pytestmark = pytest.mark.matrix

PICKER = f"{PAGE}contacts/"
ATTRIBUTES = {"City": "Oslo", "age": 41, "score": 1.5, "is_new": True, "gone": None, "blank": ""}


@pytest.fixture
def ann(alice: User) -> Contact:
    bot = Bot.objects.create(owner=alice, name="Shop helper", platform="website")
    return Contact.objects.create(
        owner=alice, bot=bot, name="Ann", email="ann@example.com", phone="4791234567", attributes=ATTRIBUTES
    )


def filled(response: Any) -> list[Any]:
    return [
        json.loads(unescape(text)) for text in re.findall(r'name="fill" value="([^"]*)"', response.content.decode())
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("name", "Ann"),
        ("NAME", "Ann"),
        ("email", "ann@example.com"),
        ("phone", "4791234567"),
        ("city", "Oslo"),
        ("Age", "41"),
        ("score", "1.5"),
        ("is_new", "true"),
        ("gone", None),
        ("blank", None),
        ("odd", None),
        ("country", None),
    ],
)
def test_a_contact_fills_in_what_a_call_of_a_flow_would(name: str, text: str | None) -> None:
    # Data of before may hold what JSON cannot.
    attributes = ATTRIBUTES | {"odd": float("inf")}
    contact = Contact(name="Ann", email="ann@example.com", phone="4791234567", attributes=attributes)

    assert texts_of(contact, [name]) == ({} if text is None else {name.lower(): text})


def test_an_attribute_goes_before_the_field_of_its_name() -> None:
    contact = Contact(name="Ann", attributes={"Name": "Annie"})

    assert texts_of(contact, ["name", "email"]) == {"name": "Annie"}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["a page", "a dialog"])
def test_contacts_are_listed_with_what_they_fill_in(alice: User, ann: Contact, headers: dict[str, str]) -> None:
    Contact.objects.create(owner=alice, name="Ben")

    shown = logged_in(alice).post(PICKER, {"names": "Name city day"}, headers=headers)

    assert filled(shown) == [
        {
            "values": {"name": "Ben"},
            "note": "Filled in from Ben. This contact has no city, day: those values stay as they are.",
        },
        {
            "values": {"name": "Ann", "city": "Oslo"},
            "note": "Filled in from Ann. This contact has no day: that value stays as it is.",
        },
    ]
    assert "Ben Talks to no bot Name Ben" in words(shown)
    assert "Ann Shop helper Name Ann city Oslo" in words(shown)
    assert ("<html" in shown.content.decode()) == (headers == {})


def test_a_contact_that_has_all_values_and_one_that_has_none(alice: User, ann: Contact) -> None:
    browser = logged_in(alice)

    everything = browser.post(PICKER, {"names": "name"}, headers=HTMX)
    nothing = browser.post(PICKER, {"names": "day"}, headers=HTMX)

    assert filled(everything) == [{"values": {"name": "Ann"}, "note": "Filled in from Ann."}]
    assert "Has none of the values." in words(nothing)


def test_nobody_finds_contacts_of_another_account(alice: User, bob: User, ann: Contact) -> None:
    browser = logged_in(bob)

    listed = [browser.post(PICKER, {"names": "name", "q": q}, headers=HTMX) for q in ("", "Ann", ann.pk, ann.email)]

    assert [filled(shown) for shown in listed] == [[], [], [], []]
    assert "There are no contacts." in words(listed[0])
    assert "Nobody found." in words(listed[1])


def test_contacts_are_searched_and_turned_page_by_page(alice: User) -> None:
    Contact.objects.bulk_create(
        Contact(owner=alice, name=f"Guest {number}", searched=f"guest {number}")
        for number in range(PAGE_LENGTH * 2 + 1)
    )
    browser = logged_in(alice)

    pages = [browser.post(PICKER, {"names": "name", "page": page}, headers=HTMX) for page in ("1", "2", "3", "4")]
    odd = [browser.post(PICKER, {"names": "name", "page": page}, headers=HTMX) for page in ("0", "-1", "9" * 999, "x")]
    found = browser.post(PICKER, {"names": "name", "q": "guest 20"}, headers=HTMX)

    assert [len(filled(page)) for page in pages] == [PAGE_LENGTH, PAGE_LENGTH, 1, 0]
    names = {each["values"]["name"] for page in pages for each in filled(page)}
    assert len(names) == PAGE_LENGTH * 2 + 1
    assert [len(filled(page)) for page in odd] == [PAGE_LENGTH] * 4
    assert filled(found)[0]["values"] == {"name": "Guest 20"}
    assert [('name="page" value="1"' in page.content.decode()) for page in pages] == [False, True, False, False]


def test_the_fields_of_the_editor_come_along_and_lead_back_to_its_test_only(alice: User) -> None:
    api = OutboundApi.objects.make(alice, "Orders", Recipe("GET", "https://api.example.com"))
    browser = logged_in(alice)
    call = GET | {"sample-name": 'A"<b>', "names": "name", "q": "x", "csrfmiddlewaretoken": "y"}

    new = browser.post(PICKER, call).content.decode()
    known = browser.post(PICKER, call | {"api": api.pk}).content.decode()
    elsewhere = [
        browser.post(PICKER, call | {"api": text}).content.decode()
        for text in ("https://evil.example", "//evil.example", "../../logs", api.pk + "/", "javascript:1", "\n")
    ]

    assert '<input type="hidden" name="url" value="https://api.example.com/orders">' in new
    assert '<input type="hidden" name="sample-name" value="A&quot;&lt;b&gt;">' in new
    assert 'name="csrfmiddlewaretoken" value="y"' not in new
    assert set(re.findall(r'formaction="([^"]*)"', new)) == {f"{PAGE}new/test/"}
    assert set(re.findall(r'formaction="([^"]*)"', known)) == {f"{PAGE}{api.pk}/test/"}
    assert [set(re.findall(r'formaction="([^"]*)"', page)) for page in elsewhere] == [{f"{PAGE}new/test/"}] * 6


def test_a_project_without_contacts_offers_none(alice: User, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.platform.urls_without_contacts"
    call = GET | {"url": "https://api.example.com/{{city}}"}

    with pytest.raises(NoReverseMatch):
        reverse("contacts-to-test")
    asked = logged_in(alice).post(f"{PAGE}new/test/", call, headers=HTMX)

    assert "city" in words(asked)
    assert "Test as a contact" not in words(asked)
