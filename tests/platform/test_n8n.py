"""Every request of BotPenguin's n8n node and trigger, as their public source sends it, and what they read.

n8n hands an answer on as one item. Of an error it shows `message`.
"""

from typing import Any

import pytest

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from developers.outbound.subscriptions.models import Subscription
from tests.cast import logged_in
from tests.platform.calls import NOBODY, caller, contact_of

pytestmark = pytest.mark.matrix

MESSAGES = "This server sends no messages."
TEMPLATES = f"{MESSAGES} It has no templates either."
HOOK = "https://n8n.example.com/webhook/5f0c8a2e-0d5b-4c7e-9a51-6f3d2b1c0e9a/trigger-event"
ASHA: dict[str, Any] = {"email": "asha@example.com", "phone": "919876543210", "phone_prefix": "91"}


@pytest.fixture
def reception(alice: User) -> Bot:
    return Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")


class Node:
    """The node with the credential of its user: token, bot and platform."""

    def __init__(self, user: User, bot: str, platform: str = "whatsapp") -> None:
        self.api = caller(user)
        self.bot = bot
        self.platform = platform

    def test_credential(self) -> Any:
        body = {"slug": "n8n", "botId": self.bot, "platform": self.platform}
        path = "/integrations/custom-app/general-authentication"
        return self.api.send("POST", path, body, Accept="application/json", authtype="Key")

    def send(self, method: str, path: str, *body: Any, **headers: str) -> Any:
        return self.api.send(method, path, *body, Accept="*/*", authtype="Key", **headers)

    def add_contact(self, name: str, contact: dict[str, Any]) -> Any:
        # A field that was left empty is undefined, which JSON leaves out.
        details = {"userProvidedName": name} | ({"contact": contact} if contact else {})
        path = f"/inbox/users/import?botId={self.bot}"
        return self.send("POST", path, [{"profile": {"userDetails": details}}], botId=self.bot)

    def update_attribute(self, search: str, key: str, value: str) -> Any:
        body = {"search": search, "attributes": {key: value}, "botId": self.bot, "platform": self.platform}
        return self.send("PUT", "/integrations/custom-app/update-user-attributes", body)

    def trigger(self, path: str, event: str, **beside: Any) -> Any:
        body = {"botId": self.bot, "event": event, "slug": "n8n", "category": "n8n"} | beside
        # The trigger spells the header in another way.
        return self.api.send("POST", f"/integrations/custom-app/{path}", body, Accept="*/*", authType="Key")


@pytest.fixture
def node(alice: User, reception: Bot) -> Node:
    return Node(alice, reception.pk)


def item(response: Any) -> Any:
    """The item that the next node of the workflow gets."""
    assert response.status_code in (200, 201)
    answer = response.json()
    assert answer["success"] is True
    return answer["data"]


def shown(response: Any, status: int) -> str:
    answer = response.json()
    assert (response.status_code, answer["code"], answer["success"]) == (status, status, False)
    return str(answer["message"])


def test_the_credential_test_passes_for_a_bot_on_its_platform(node: Node) -> None:
    assert item(node.test_credential())["_id"] == node.bot


def test_the_credential_test_shows_what_is_wrong(alice: User, bob: User, node: Node) -> None:
    no_bot = "There is no bot with this id in your account."

    assert shown(Node(alice, node.bot, "telegram").test_credential(), 400) == (
        "platform should be whatsapp, where this bot talks."
    )
    assert shown(Node(bob, node.bot).test_credential(), 404) == no_bot
    assert shown(Node(alice, NOBODY).test_credential(), 404) == no_bot


def test_the_credential_test_shows_that_the_token_was_revoked(alice: User, node: Node) -> None:
    logged_in(alice).post("/developers/api-access-token/revoke/", {"generation": 1, "even_if_used": "on"})

    sentence = shown(node.test_credential(), 401)

    assert sentence.startswith("This API access token was revoked at 20")
    assert sentence.endswith("Copy the current one from the Developers page.")


@pytest.mark.parametrize(
    ("contact", "email", "phone"),
    [
        ({"email": "asha@example.com", "phone": {"number": "9876543210", "prefix": "91"}}, "asha@example.com", "91"),
        ({"phone": {"number": "9876543210", "prefix": "91"}}, "", "91"),
        ({"phone": {"number": "9876543210"}}, "", ""),
        ({"email": "asha@example.com"}, "asha@example.com", None),
        ({}, "", None),
    ],
    ids=["all", "phone", "no prefix", "email", "name"],
)
def test_add_contact(node: Node, contact: dict[str, Any], email: str, phone: str | None) -> None:
    added = item(node.add_contact("Asha Rao", contact))

    stored = Contact.objects.get()
    assert added == {"ids": [stored.pk], "created": 1, "updated": 0}
    assert (stored.name, stored.email, stored.bot_id) == ("Asha Rao", email, node.bot)
    assert stored.phone == ("" if phone is None else f"{phone}9876543210")


def test_add_contact_twice_updates_it(node: Node) -> None:
    first, second = (item(node.add_contact(name, {"email": "asha@example.com"})) for name in ("Asha", "Asha Rao"))

    assert (first["created"], second["updated"], first["ids"]) == (1, 1, second["ids"])
    assert Contact.objects.get().name == "Asha Rao"


def test_add_contact_shows_what_is_wrong(node: Node) -> None:
    response = node.add_contact("Asha", {"email": "nobody", "phone": {"number": "1", "prefix": "91"}})

    assert shown(response, 400).startswith("Row 1: profile.userDetails.contact.email should be an email address")
    assert not Contact.objects.exists()


@pytest.mark.parametrize("search", ["asha@example.com", "919876543210", "id"])
def test_update_contact_attributes(node: Node, alice: User, search: str) -> None:
    contact = contact_of(alice, **ASHA)

    updated = item(node.update_attribute(contact.pk if search == "id" else search, "plan", "gold"))

    assert updated["_id"] == contact.pk
    assert updated["profile"]["userDetails"]["attributes"] == [{"key": "plan", "value": "gold"}]


def test_update_contact_attributes_shows_that_nobody_is_found(node: Node, alice: User) -> None:
    contact_of(alice, **ASHA)

    response = node.update_attribute("ben@example.com", "plan", "gold")

    assert shown(response, 404) == "No contact of your account has this email, number or id."


def test_send_session_message_shows_that_there_are_none(node: Node) -> None:
    body = {"text": "Hello!", "search": "919876543210", "channel": node.platform}

    response = node.send("POST", "/integrations/custom-app/send-message-to-plugin", body, botId=node.bot)

    assert shown(response, 404) == MESSAGES


def test_the_bots_to_choose_from_are_those_on_whatsapp(node: Node, alice: User) -> None:
    Bot.objects.create(owner=alice, name="Shop", platform="website")

    found = item(node.send("GET", "/whatsapp-automation"))

    assert [(bot["name"], bot["_id"]) for bot in found] == [("Reception", node.bot)]


def test_send_template_message_shows_that_there_are_none(node: Node) -> None:
    plugin = "/whatsapp-automation/plugin"
    body = {"botId": node.bot, "templateId": NOBODY, "whatsAppNumber": "919876543210", "templateParams": {"1": "Asha"}}

    # The lists of its form, and then the message.
    templates = node.send("GET", f"{plugin}/templates/{node.bot}")
    fields = node.send("GET", f"{plugin}/make-template-dynamic-fields/{NOBODY}")
    sent = node.send("POST", f"{plugin}/send-template-message", body)

    assert {shown(response, 404) for response in (templates, fields, sent)} == {TEMPLATES}


def hook_exists(node: Node, url: str = HOOK) -> bool:
    """What the trigger does before it subscribes, as its source reads the answer."""
    listed = item(node.trigger("fetch-subscribed-webhooks", "newLeadHook"))
    return any(webhook["url"] == url for each in listed for webhook in each["integrationCredentials"]["newLeadHook"])


def subscribe(node: Node, event: str = "newLeadHook", *, on: bool = True, **others: str) -> Any:
    hook = {"webhookUrl": HOOK, "platform": node.platform} | others
    return node.trigger("subscribe-trigger-event", event, **hook, subscribe=on)


def test_the_trigger_subscribes_once_and_unsubscribes(node: Node) -> None:
    steps = [hook_exists(node)]
    for on in (True, True, False, False):
        answer = item(subscribe(node, on=on))
        steps += [answer["subscribed"], hook_exists(node)]

    assert steps == [False, True, True, True, True, False, False, False, False]
    assert not Subscription.objects.exists()


def test_the_trigger_finds_its_own_address_only(node: Node) -> None:
    subscribe(node)

    assert (hook_exists(node, HOOK + "/"), hook_exists(node, HOOK.upper())) == (False, False)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ("newMessageHook", "This server has no messages."),
        ("newOrderHook", "This server has no orders."),
        ("newleadhook", "event should be newLeadHook, for new contacts."),
    ],
)
def test_the_trigger_shows_that_an_event_never_comes(node: Node, event: str, sentence: str) -> None:
    exists = node.trigger("fetch-subscribed-webhooks", event)
    created = subscribe(node, event)
    deleted = subscribe(node, event, on=False)

    assert {shown(response, 400) for response in (exists, created)} == {sentence}
    assert item(deleted) == {"botId": node.bot, "event": event, "subscribed": False}


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://localhost:5678/webhook/1/trigger-event", "webhookUrl: "),
        ("ftp://n8n.example.com/webhook", "webhookUrl: Only https:// and http:// can be called."),
        ("https://user:pw@n8n.example.com/", "webhookUrl: Put no user name or password into the URL."),
        ("https://n8n.example.com:22/", "webhookUrl: Port 22 belongs to another protocol than HTTP."),
        ("https://n8n.example.com/a b", "webhookUrl: The URL holds a blank"),
        ("n8n.example.com/webhook", "webhookUrl: The URL must start with https://"),
        ("https://0x7f.1/webhook", "webhookUrl: Write the address of the server in its usual notation"),
    ],
)
def test_the_trigger_shows_what_is_wrong_with_an_address(node: Node, url: str, sentence: str) -> None:
    assert shown(subscribe(node, webhookUrl=url), 400).startswith(sentence)
    assert not Subscription.objects.exists()


def test_the_trigger_shows_that_the_platform_or_the_bot_is_another(alice: User, bob: User, node: Node) -> None:
    no_bot = "There is no bot with this id in your account."

    assert shown(subscribe(node, platform="telegram"), 400) == "platform should be whatsapp, where this bot talks."
    assert shown(subscribe(Node(bob, node.bot)), 404) == no_bot
    assert shown(Node(bob, node.bot).trigger("fetch-subscribed-webhooks", "newLeadHook"), 404) == no_bot
    assert not Subscription.objects.exists()


def test_an_account_has_at_most_10_webhooks(node: Node) -> None:
    made = [subscribe(node, webhookUrl=f"{HOOK}/{number}").status_code for number in range(10)]

    refused = subscribe(node, webhookUrl=f"{HOOK}/10")
    known = subscribe(node, webhookUrl=f"{HOOK}/9")

    assert made == [200] * 10
    assert shown(refused, 409) == "You have 10 of 10 webhooks. Stop some to make room. Nothing was changed."
    assert item(known)["subscribed"] is True


def test_another_account_gets_nothing_from_a_credential_of_its_own(alice: User, bob: User, node: Node) -> None:
    contact = contact_of(alice, **ASHA)
    theirs = Node(bob, node.bot)

    assert shown(theirs.update_attribute(contact.pk, "plan", "gold"), 404)
    assert shown(theirs.add_contact("Asha", {"email": "asha@example.com"}), 404)
    assert item(theirs.send("GET", "/whatsapp-automation")) == []
    assert Contact.objects.get().attributes == {}
