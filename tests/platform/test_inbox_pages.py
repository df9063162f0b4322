"""The page Inbox and its actions, without a browser."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from tests.cast import logged_in
from tests.platform.elements import columns, facts, messages, names, section, subtitle, texts

pytestmark = pytest.mark.matrix

PAGE = "/inbox/"
ADD = "/inbox/segments/add/"
FOUND = r'<p class="found">.*?</p>'
AGO = r"\d+ (minute|hour|day|week|month|year)s? ago|Just now"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def make_contact(owner: User, name: str, *, tags: tuple[str, ...] = (), minute: int = 0, **fields: Any) -> Contact:
    contact = Contact.objects.create(owner=owner, name=name, created_at=NOON + timedelta(minutes=minute), **fields)
    ContactTag.objects.bulk_create(ContactTag(contact=contact, name=tag) for tag in tags)
    return contact


@pytest.fixture
def people(alice: User, bob: User) -> dict[str, Contact]:
    """Three contacts of Alice's, and one of Bob's that resembles them all."""
    make_contact(bob, "Cleo Dora Emil", email="secret@example.com", phone="447700900123", tags=("vip", "lead"))
    return {
        "cleo": make_contact(
            alice, "Cleo", email="cleo@example.com", phone="447700900123", phone_prefix="44", tags=("vip", "lead")
        ),
        "dora": make_contact(alice, "Dora", email="dora7@example.org", tags=("lead",), minute=1),
        "emil": make_contact(alice, "", phone="12125550107", phone_prefix="1", minute=2),
    }


def test_an_account_without_contacts_reads_where_they_come_from(alice: User) -> None:
    response = logged_in(alice).get(PAGE)

    assert section(response, "empty") == (
        "No contacts yet People appear here once they talk to a bot, or once a program adds them with your API token. "
        "Go to your API token"
    )
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_the_page_lists_the_contacts_of_its_owner_newest_first(alice: User, people: dict[str, Contact]) -> None:
    response = logged_in(alice).get(PAGE)

    assert columns(response, "Name", "Email", "Number", "Tags", "Created") == [
        ["+1 2125550107", "–", "+1 2125550107", "–", "4 Mar 2026"],
        ["Dora", "dora7@example.org", "–", "lead", "4 Mar 2026"],
        ["Cleo", "cleo@example.com", "+44 7700900123", "lead vip", "4 Mar 2026"],
    ]
    assert "secret" not in response.content.decode()


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cleo", ["Cleo"]),
        (" DORA7@example ", ["Dora"]),
        ("example", ["Dora", "Cleo"]),
        ("+44 7700-900 123", ["Cleo"]),
        ("+44 (0)7700 900123", ["Cleo"]),
        ("07700 900123", ["Cleo"]),
        ("0107", ["+1 2125550107"]),
        ("0", ["+1 2125550107", "Cleo"]),
        ("secret", []),
        ("nobody\0", []),
        ("x" * 300, []),
        ("100%", []),
    ],
)
def test_search_finds_by_name_e_mail_or_number(
    alice: User, people: dict[str, Contact], text: str, found: list[str]
) -> None:
    response = logged_in(alice).get(PAGE, {"q": text})

    assert names(response) == found
    assert response.context["q"] == text.strip()
    assert ('id="empty">Nobody found<' in response.content.decode()) == (found == [])


def test_a_segment_lists_who_has_one_of_its_tags(alice: User, people: dict[str, Contact]) -> None:
    segment = Segment.objects.create(owner=alice, name="Warm", tags=["lead", "trial"])
    browser = logged_in(alice)

    everybody = browser.get(PAGE, {"segment": segment.pk})
    one = browser.get(PAGE, {"segment": segment.pk, "q": "cleo"})

    assert (names(everybody), names(one)) == (["Dora", "Cleo"], ["Cleo"])
    assert texts(everybody, FOUND) == ["2 contacts in Warm All contacts"]
    assert texts(one, FOUND) == ["1 contact matching “cleo” in Warm All contacts"]


@pytest.mark.parametrize("segment", ["bob's", "0" * 24, "nonsense", "\0"])
def test_a_segment_that_is_not_ones_own_filters_nothing(
    alice: User, bob: User, people: dict[str, Contact], segment: str
) -> None:
    foreign = Segment.objects.create(owner=bob, name="Secret", tags=["lead"])

    response = logged_in(alice).get(PAGE, {"segment": foreign.pk if segment == "bob's" else segment})

    assert names(response) == ["+1 2125550107", "Dora", "Cleo"]
    assert "Secret" not in response.content.decode()


def test_pages_of_fifty_keep_the_search(alice: User) -> None:
    Contact.objects.bulk_create(Contact(owner=alice, name=f"Person {number}") for number in range(120))
    browser = logged_in(alice)

    response = browser.get(PAGE, {"q": "person", "page": "2"})

    links = re.findall(r'href="(/inbox/\?[^"]+page=\d)"', response.content.decode())
    assert links == [f"/inbox/?q=person&amp;page={page}" for page in (1, 1, 2, 3, 3)]
    assert texts(response, r'<p class="pagination__place">.*?</p>') == ["Page 2 of 3"]
    seen = [name for page in (1, 2, 3) for name in names(browser.get(PAGE, {"page": page}))]
    assert sorted(seen) == sorted(f"Person {number}" for number in range(120))


@pytest.mark.parametrize(("page", "shown"), [("0", 3), ("-1", 3), ("4", 3), ("9" * 30, 3), ("one", 1), ("", 1)])
def test_a_page_that_is_not_there_is_the_nearest_one(alice: User, page: str, shown: int) -> None:
    Contact.objects.bulk_create(Contact(owner=alice, name=f"Person {number}") for number in range(120))

    response = logged_in(alice).get(PAGE, {"page": page})

    assert (response.status_code, response.context["page"].number) == (200, shown)


def test_the_page_takes_as_many_queries_for_fifty_contacts_as_for_three(
    alice: User, people: dict[str, Contact], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        make_contact(alice, f"Person {number}", tags=("lead", "trial"))
    browser = logged_in(alice)

    with django_assert_num_queries(6):
        response = browser.get(PAGE)

    assert len(names(response)) == 50


def test_a_contact_has_a_page_with_all_that_is_known(alice: User, people: dict[str, Contact]) -> None:
    bot = Bot.objects.create(owner=alice, name="Night desk", platform="telegram")
    Segment.objects.create(owner=alice, name="Warm", tags=["lead"])
    Segment.objects.create(owner=alice, name="Cold", tags=["gone"])
    cleo = people["cleo"]
    Contact.objects.filter(pk=cleo.pk).update(
        bot=bot,
        platform="telegram",
        status="ONHOLD",
        country="Wales",
        attributes={"plan": "Team", "orders": 3},
        notes=["Call back\nafter six"],
        unread_messages=2,
        last_message_by="bot",
        last_message_at=cleo.created_at,
        is_imported=True,
    )

    response = logged_in(alice).get(f"{PAGE}{cleo.pk}/")

    shown = {name: re.sub(AGO, "AGO", value) for name, value in facts(response).items()}
    reach = {"Email": "cleo@example.com", "Number": "+44 7700900123", "WhatsApp": "+44 7700900123", "Country": "Wales"}
    conversation = {"Status": "On hold", "Unread messages": "2", "Last message": "AGO by bot", "Last seen": "Never"}
    record = {"Created": "AGO", "Changed": "AGO", "Saved as a contact": "Yes", "Subscriber": "No", "Imported": "Yes"}
    assert shown.items() >= (reach | conversation | record | {"Contact ID": cleo.pk}).items()
    assert subtitle(response) == "Talks to Night desk on Telegram."
    assert columns(response, "Key", "Value") == [["plan", "Team"], ["orders", "3"]]
    assert section(response, "notes") == "Notes Call back after six"
    assert section(response, "tags") == "Tags lead vip"
    assert section(response, "in-segments") == "Segments Warm"


def test_a_contact_of_whom_little_is_known_has_a_page_too(alice: User, people: dict[str, Contact]) -> None:
    response = logged_in(alice).get(f"{PAGE}{people['emil'].pk}/")

    assert subtitle(response) == "Talks to no bot. Source: Website."
    assert facts(response).items() >= {"Email": "–", "Country": "–", "Last message": "Never"}.items()
    assert [section(response, name) for name in ("attributes", "notes", "tags", "in-segments")] == [
        "Attributes None yet. Programs add them through the API.",
        "Notes None yet.",
        "Tags None yet.",
        "Segments In none.",
    ]


def test_a_contact_leads_back_to_the_list_as_it_was(alice: User, people: dict[str, Contact]) -> None:
    browser = logged_in(alice)

    response = browser.get(PAGE, {"q": "cleo & co", "page": "2"})
    contact = browser.get(f"{PAGE}{people['cleo'].pk}/", {"q": "cleo & co", "page": "2"})

    assert response.status_code == 200
    assert 'href="/inbox/?q=cleo+%26+co&amp;page=2"' in contact.content.decode()


def test_a_contacts_page_takes_five_queries(
    alice: User, people: dict[str, Contact], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = logged_in(alice)

    with django_assert_num_queries(5):
        browser.get(f"{PAGE}{people['cleo'].pk}/")


def test_a_contact_that_is_not_ones_own_is_not_there(bob: User, people: dict[str, Contact]) -> None:
    browser = logged_in(bob)

    answers = [browser.get(f"{PAGE}{contact_id}/") for contact_id in (people["cleo"].pk, "0" * 24, "x", "%00")]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert ["There is no page here" in answer.content.decode() for answer in answers] == [True] * 4


def test_a_segment_is_made_and_applied(alice: User, people: dict[str, Contact]) -> None:
    browser = logged_in(alice)

    response = browser.post(f"{ADD}?q=cleo", {"name": " Warm ", "tags": "lead, trial,, lead ,"})

    segment = Segment.objects.get()
    assert (segment.owner, segment.name, segment.tags) == (alice, "Warm", ["lead", "trial"])
    assert (response.status_code, response["Location"]) == (302, f"{PAGE}?segment={segment.pk}")
    listed = browser.get(response["Location"])
    assert names(listed) == ["Dora", "Cleo"]
    assert messages(listed) == ["Segment Warm is added. These are its contacts."]


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"name": "", "tags": ""}, ["Give the segment a name.", "Name at least one tag."]),
        ({"name": "Warm", "tags": " , ,"}, ["Name at least one tag."]),
        ({"name": "x" * 101, "tags": "lead"}, ["Keep the name to 100 characters."]),
        ({"name": "Warm", "tags": "a\0b"}, ["Null characters are not allowed."]),
        ({"name": "Warm", "tags": ",".join(map(str, range(21)))}, ["Name at most 20 tags."]),
        (
            {"name": "Warm", "tags": f"lead, {'y' * 61}"},
            [f"“{'y' * 20}…” is too long: a tag has at most 60 characters."],
        ),
        ({"name": "old", "tags": "lead"}, ["There is a segment of this name already."]),
        ({"name": "ÉTÉ", "tags": "lead"}, ["There is a segment of this name already."]),
    ],
)
def test_a_segment_that_cannot_be_made_says_why_and_loses_nothing(
    alice: User, people: dict[str, Contact], typed: dict[str, str], errors: list[str]
) -> None:
    for name in ("Old", "été"):
        Segment.objects.create(owner=alice, name=name, tags=["lead"])

    response = logged_in(alice).post(f"{ADD}?q=cleo", typed)

    page = response.content.decode()
    assert re.findall(r'field__error"[^>]*>([^<]+)<', page) == errors
    assert [response.context["form"][field].value() for field in ("name", "tags")] == [typed["name"], typed["tags"]]
    assert (names(response), page.count("autofocus")) == (["Cleo"], 1)
    assert list(Segment.objects.values_list("name", flat=True)) == ["Old", "été"]


def test_two_people_may_name_segments_alike(alice: User, bob: User) -> None:
    Segment.objects.create(owner=bob, name="Warm", tags=["lead"])

    logged_in(alice).post(ADD, {"name": "Warm", "tags": "lead"})

    assert list(Segment.objects.order_by("owner__email").values_list("owner", flat=True)) == [alice.pk, bob.pk]


def test_a_removed_segment_leaves_its_contacts(alice: User, people: dict[str, Contact]) -> None:
    segment = Segment.objects.create(owner=alice, name="Warm", tags=["lead"])
    browser = logged_in(alice)

    response = browser.post(f"{PAGE}segments/{segment.pk}/remove/")

    listed = browser.get(response["Location"])
    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert messages(listed) == ["Segment Warm is removed. Its contacts stay."]
    assert (names(listed), list(Segment.objects.all())) == (["+1 2125550107", "Dora", "Cleo"], [])


def test_a_segment_that_is_not_ones_own_cannot_be_removed(alice: User, bob: User) -> None:
    segment = Segment.objects.create(owner=bob, name="Warm", tags=["lead"])

    response = logged_in(alice).post(f"{PAGE}segments/{segment.pk}/remove/")

    assert response.status_code == 404
    assert list(Segment.objects.all()) == [segment]
