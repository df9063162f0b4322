"""Every request of Pipedream's components for BotPenguin, as their public source sends it, and what they read.

They hand an answer on whole. Of an error they show `data`, joined by blanks.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from accounts.models import User
from botpenguin.platform.api.envelope import timestamp
from botpenguin.platform.models import Contact
from tests.platform.calls import NOON, caller, contact_of

pytestmark = pytest.mark.matrix

LISTS = (
    *("applicableFilters", "_botWebsite", "_botWhatsapp", "_botTelegram", "_botFacebook", "status", "lastMessageBy"),
    *("tags", "_agentAssigned"),
)
EVER = {"startAt": "", "endsAt": ""}
EVERYBODY: dict[str, Any] = {name: [] for name in LISTS} | {
    "searchText": "",
    "createdAt": EVER,
    "lastSeenAt": EVER,
    "isExport": "none",
}
# Where a source that has seen nothing begins.
BEGINNING = "1970-01-01T00:00:01Z"


class Component:
    """The components with the account that their user connected."""

    def __init__(self, user: User) -> None:
        self.api = caller(user)

    def send(self, method: str, path: str, body: Any, **headers: str) -> Any:
        accept = "application/json, text/plain, */*"
        return self.api.send(method, path, body, Accept=accept, authtype="Key", **headers)

    def page(self, number: int, **wanted: Any) -> list[dict[str, Any]]:
        response = self.send("POST", "/inbox/users", EVERYBODY | wanted | {"page": number})
        assert response.status_code == 200
        found: list[dict[str, Any]] = response.json()["data"]
        return found

    def contacts(self, **wanted: Any) -> Iterator[dict[str, Any]]:
        """Read pages from 1 until one is empty."""
        for number in count(1):
            found = self.page(number, **wanted)
            yield from found
            if not found:
                return

    def add(self, contact: dict[str, Any], **name: str) -> Any:
        return self.send("POST", "/inbox/users/import", [{"profile": {"userDetails": name | {"contact": contact}}}])

    def update(self, contact_id: str, *, phone: dict[str, str] | None = None, email: str = "", **details: str) -> Any:
        """Find the contact in the list, set what was filled in, and write it back whole."""
        contact = next(found for found in self.contacts() if found["_id"] == contact_id)
        user = contact["profile"]["userDetails"]
        user |= details
        user["contact"] |= ({"email": email} if email else {}) | ({"phone": phone} if phone else {})
        if phone and phone.keys() == {"number", "prefix"}:
            user["whatsAppNumber"] = f"{phone['prefix']} {phone['number']}"
        return self.send("PUT", f"/inbox/users/{contact_id}", contact)


class Source:
    """A source that asks again and again for contacts made since the last one."""

    def __init__(self, component: Component, *, is_contact: bool) -> None:
        self.component = component
        self.is_contact = is_contact
        self.last = BEGINNING

    def run(self, most: int = 0) -> list[str]:
        """Return the names of new contacts, the oldest first."""
        wanted = {"createdAt": {"startAt": self.last, "endsAt": ""}, "isContact": self.is_contact}
        fresh: list[dict[str, Any]] = []
        for contact in self.component.contacts(**wanted):
            if contact["createdAt"] <= self.last:
                break
            fresh.append(contact)
            if len(fresh) == most:
                break
        if fresh:
            self.last = fresh[0]["createdAt"]
        return [contact["profile"]["userDetails"]["name"] for contact in reversed(fresh)]


@pytest.fixture
def component(alice: User) -> Component:
    return Component(alice)


def shown(response: Any, status: int) -> str:
    assert (response.status_code, response.json()["success"]) == (status, False)
    return " ".join(response.json()["data"])


@pytest.mark.parametrize("name", [{"userProvidedName": "Asha Rao"}, {}])
@pytest.mark.parametrize("email", [{"email": "asha@example.com"}, {}])
def test_add_whatsapp_contact(component: Component, name: dict[str, str], email: dict[str, str]) -> None:
    response = component.add(email | {"phone": {"number": "9876543210", "prefix": "91"}}, **name)

    stored = Contact.objects.get()
    assert (response.status_code, response.json()["data"]["ids"]) == (201, [stored.pk])
    assert (stored.name, stored.email) == (name.get("userProvidedName", ""), email.get("email", ""))
    assert (stored.phone, stored.phone_prefix) == ("919876543210", "91")


def test_add_whatsapp_contact_shows_each_field_that_is_wrong(component: Component) -> None:
    response = component.add({"email": "nobody", "phone": {"number": "1", "prefix": "91"}}, userProvidedName="Asha")

    sentences = shown(response, 400)

    assert "profile.userDetails.contact.email should be an email address" in sentences
    assert "profile.userDetails.contact.phone.number should be a telephone number of 4 to 15 digits" in sentences
    assert not Contact.objects.exists()


def test_the_contacts_to_choose_from_have_a_label_and_an_id_on_every_page(component: Component, alice: User) -> None:
    last = contact_of(alice, name="", email="asha@example.com")
    Contact.objects.bulk_create(
        Contact(owner=alice, phone=f"91987654{number:04}", phone_prefix="91") for number in range(50)
    )

    # Its pages count from 0.
    first, second, third = (component.page(page + 1) for page in range(3))

    labels = []
    for contact in first + second:
        user = contact["profile"]["userDetails"]
        phone = user["contact"]["phone"]
        labels.append(user["name"] or user["contact"]["email"] or f"{phone['prefix']} {phone['number']}")
    assert set(labels) == {"asha@example.com"} | {f"91 987654{number:04}" for number in range(50)}
    assert (len(first), [contact["_id"] for contact in second], third) == (50, [last.pk], [])


def test_update_contact_attributes_keeps_the_identities_of_channels(component: Component, asha: Contact) -> None:
    filled = {
        "userProvidedName": "Asha Rao",
        "telegramUserName": "asha_2",
        "instagramProfileId": "17841400000000002",
        "facebookProfileId": "100000000000002",
    }

    response = component.update(
        asha.pk, email="rao@example.com", phone={"number": "9876543211", "prefix": "91"}, **filled
    )

    written = response.json()["data"]
    user = written["profile"]["userDetails"]
    assert response.status_code == 200
    assert {key: user[key] for key in filled} == filled
    assert user["contact"] == {"email": "rao@example.com", "phone": {"number": "9876543211", "prefix": "91"}}
    assert user["whatsAppNumber"] == "919876543211"
    # What was not filled in stays, and the next look sees the same.
    assert (user["tags"], written["profile"]["notes"]) == (["customer", "vip"], ["Asked for a call back."])
    assert next(component.contacts()) == written


def test_update_contact_attributes_without_a_new_value_changes_nothing(component: Component, asha: Contact) -> None:
    [before] = component.page(1)

    response = component.update(asha.pk)

    assert response.status_code == 200
    assert component.page(1) == [before | {"updatedAt": response.json()["data"]["updatedAt"]}]


@pytest.mark.parametrize(
    ("phone", "stored"),
    [({"number": "9876543211"}, ("919876543211", "91")), ({"prefix": "44"}, ("449876543210", "44"))],
    ids=["number", "prefix"],
)
def test_update_contact_attributes_with_half_a_number(
    component: Component, asha: Contact, phone: dict[str, str], stored: tuple[str, str]
) -> None:
    response = component.update(asha.pk, phone=phone)

    asha.refresh_from_db()
    assert (response.status_code, asha.phone, asha.phone_prefix) == (200, *stored)


def test_update_contact_attributes_shows_each_field_that_is_wrong(component: Component, asha: Contact) -> None:
    response = component.update(asha.pk, email="nobody", phone={"number": "1", "prefix": "91"})

    assert shown(response, 422) == (
        "profile.userDetails.contact.email should be an email address. "
        "profile.userDetails.contact.phone.number should be a telephone number of 4 to 15 digits."
    )


def test_send_whatsapp_message_shows_that_there_are_none(component: Component) -> None:
    body = {"userName": "Asha", "wa_id": "919876543210", "type": "text", "message": {"text": "Hello!"}}

    response = component.send("POST", "/whatsapp-automation/wa/send-message?apiKey=abc", body, apiKey="abc")

    assert shown(response, 404) == "This server sends no messages."


@pytest.mark.parametrize("is_contact", [True, False], ids=["new contact", "new incoming message"])
def test_both_sources_get_every_new_contact_once(component: Component, alice: User, is_contact: bool) -> None:
    """They send `isContact` beside an empty `applicableFilters`, as they send every filter, so it filters nothing.

    A source that gets a contact too many emits an event more. One that gets too few loses it, and nobody notices:
    `false` would hide every contact that is one, and `true` each that somebody has marked as none.
    """
    source = Source(component, is_contact=is_contact)
    people = [
        Contact(owner=alice, name=f"{at:02}", is_contact=bool(at % 2), created_at=NOON + timedelta(seconds=at))
        for at in range(60)
    ]
    Contact.objects.bulk_create(people)

    # 25 when it is set up, and from then on what is new.
    first = source.run(most=25)
    nothing = source.run()
    contact_of(alice, name="new", is_contact=False, created_at=NOON + timedelta(minutes=2))
    contact_of(alice, name="newer", is_contact=True, created_at=NOON + timedelta(minutes=3))
    second = source.run()

    assert first == [f"{at:02}" for at in range(35, 60)]
    assert (nothing, second) == ([], ["new", "newer"])
    assert source.last == timestamp(NOON + timedelta(minutes=3))
