"""A conversation through the Python client that openapi-python-client generates as the package `botpenguin_client`.

Prints what was answered as JSON. `conversation.mts` says the same through a generated TypeScript client.
"""

import json
import os
from typing import Any, TypeVar

from botpenguin_client import AuthenticatedClient
from botpenguin_client.api.bots import change_bot, create_bot, delete_bot, list_bots, read_bot
from botpenguin_client.api.inbox import (
    change_contact,
    import_contacts,
    list_contacts,
    read_contact,
    set_attributes,
    update_status,
)
from botpenguin_client.api.integrations import list_whatsapp_bots, test_credential, update_user_attributes
from botpenguin_client.api.revoke import revoke_token
from botpenguin_client.api.third_party_apps import run_third_party_api
from botpenguin_client.api.token import read_token, report_exposed_tokens
from botpenguin_client.models import (
    AttributeUpdate,
    AttributeUpdateAttributesItem,
    BotChange,
    ContactFilter,
    ContactIn,
    ContactInStatusType0,
    CreatedImportedOut,
    Credential,
    CredentialPlatformType0,
    EnvelopeImportedOut,
    NewBot,
    NewBotPlatform,
    NewProfileIn,
    NewUserDetailsIn,
    PhoneIn,
    ReachIn,
    Report,
    RowIn,
    RunIn,
    RunInAttributesItem,
    SetAttributesBody,
    SetAttributesBodyAttributesItem,
    StatusUpdate,
    StatusUpdateStatus,
)
from botpenguin_client.models.contact_out import ContactOut
from botpenguin_client.models.error_envelope import ErrorEnvelope

Answer = TypeVar("Answer")
BASE, TOKEN, API = (os.environ[name] for name in ("BASE_URL", "TOKEN", "API_ID"))
client = AuthenticatedClient(BASE, TOKEN, raise_on_unexpected_status=True)
said: dict[str, Any] = {}


def good(answer: Answer | ErrorEnvelope | None) -> Answer:
    assert answer is not None
    assert not isinstance(answer, ErrorEnvelope), answer
    return answer


def bad(name: str, answer: object) -> None:
    assert isinstance(answer, ErrorEnvelope)
    said[name] = [answer.success, answer.code, answer.message, answer.data, answer.error]


def row(name: str, email: str, phone: str = "") -> RowIn:
    reach = ReachIn(email=email, phone=PhoneIn(number=phone, prefix="91"))
    return RowIn(NewProfileIn(NewUserDetailsIn(user_provided_name=name, contact=reach, tags=["vip"])))


def facts(contact: ContactOut) -> list[Any]:
    details = contact.profile.user_details
    phone = details.contact.phone
    attributes = {attribute.key: attribute.value for attribute in details.attributes}
    return [details.name, details.contact.email, phone.number, phone.prefix, details.tags, contact.status, attributes]


def bots() -> str:
    said["email"] = good(read_token.sync(client=client)).data.email
    made = good(create_bot.sync(client=client, body=NewBot("Reception", NewBotPlatform.WHATSAPP))).data
    changed = good(change_bot.sync(made.field_id, client=client, body=BotChange(name="Front desk"))).data
    read = good(read_bot.sync(made.field_id, client=client)).data
    listed = good(list_bots.sync(client=client)).data
    on_whatsapp = good(list_whatsapp_bots.sync(client=client)).data
    credential = Credential(made.field_id, slug="n8n", platform=CredentialPlatformType0.WHATSAPP)
    works = good(test_credential.sync(client=client, body=credential)).message
    said["bots"] = [changed.name, read.name, [bot.name for bot in listed], [bot.name for bot in on_whatsapp], works]
    return made.field_id


def contacts(bot: str) -> ContactOut:
    rows = [row("Asha", "asha@example.com", "9876543210"), row("Ben", "ben@example.com")]
    first = import_contacts.sync(client=client, body=rows, bot_id=bot)
    again = import_contacts.sync(client=client, body=rows[:1])
    assert isinstance(first, CreatedImportedOut)
    assert isinstance(again, EnvelopeImportedOut)
    said["import"] = [
        [first.code, first.data.created, first.data.updated],
        [again.code, again.data.created, again.data.updated],
    ]
    listed = good(list_contacts.sync(client=client, body=ContactFilter(page=1, tags=["vip"]))).data
    said["list"] = [facts(contact) for contact in listed]
    return good(read_contact.sync(first.data.ids[0], client=client)).data


def changes(asha: ContactOut, bot: str) -> None:
    # What came out goes in.
    body = ContactIn.from_dict(asha.to_dict())
    body.status = ContactInStatusType0.CLOSED
    said["change"] = facts(good(change_contact.sync(asha.field_id, client=client, body=body)).data)
    plan = SetAttributesBody([SetAttributesBodyAttributesItem("plan", "gold")])
    said["attributes"] = facts(good(set_attributes.sync(asha.field_id, client=client, body=plan)).data)
    age = AttributeUpdate("asha@example.com", [AttributeUpdateAttributesItem("age", 41)], bot_id=bot)
    said["search"] = facts(good(update_user_attributes.sync(client=client, body=age)).data)
    status = StatusUpdate([asha.field_id], StatusUpdateStatus.OPEN)
    said["status"] = good(update_status.sync(client=client, body=status)).data.updated
    wanted = RunIn([RunInAttributesItem("unused", True)], contact_id=asha.field_id)
    run = good(run_third_party_api.sync(API, client=client, body=wanted)).data
    said["run"] = [run.response.status, run.attributes.to_dict(), run.missing]


def errors() -> None:
    rows = [row("Asha", "asha"), row("Ben", "ben@example.com"), row("Cleo", "cleo")]
    bad("import error", import_contacts.sync(client=client, body=rows))
    bad("change error", change_contact.sync("0" * 24, client=client, body=ContactIn(is_contact=True)))
    bad("filter error", list_contacts.sync(client=client, body=ContactFilter(page=0)))
    bad("query error", list_bots.sync(client=client, page=0))
    bad("bot error", create_bot.sync(client=client, body=NewBot("", NewBotPlatform.SMS)))
    bad("run error", run_third_party_api.sync("0" * 24, client=client, body=RunIn()))
    bad("token error", read_token.sync(client=AuthenticatedClient(BASE, "wrong")))


def end(bot: str) -> None:
    said["delete"] = good(delete_bot.sync(bot, client=client)).message
    said["report"] = good(report_exposed_tokens.sync(client=client, body=Report(["none"]))).data.received
    said["revoke"] = revoke_token.sync_detailed(client=client).status_code
    said["revoked"] = read_token.sync_detailed(client=client).status_code


if __name__ == "__main__":
    own_bot = bots()
    changes(contacts(own_bot), own_bot)
    errors()
    end(own_bot)
    print(json.dumps(said))
