"""Subscriptions to new contacts, as BotPenguin's triggers make them, and what is sent to their addresses."""

from django.utils.translation import gettext_lazy
from ninja import Router
from pydantic import BaseModel, Field
from pydantic_core import to_json

from accounts.web.clients import Client
from botpenguin.platform.api import bots, contact_output, fields
from botpenguin.platform.api.authentication import BearerRequest
from botpenguin.platform.api.contact_output import ContactOut
from botpenguin.platform.api.envelope import Envelope
from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.errors import ApiError
from botpenguin.platform.api.integrations import Credential
from botpenguin.platform.models import Bot, Contact
from developers.outbound.subscriptions import subscribing
from developers.outbound.subscriptions.subscribing import BadUrl, Webhook

router = Router(tags=["integrations"], by_alias=True)

NEW_CONTACT = "newLeadHook"
ABSENT = {
    "newMessageHook": gettext_lazy("This server has no messages."),
    "newOrderHook": gettext_lazy("This server has no orders."),
}
URL_EXAMPLE = "https://n8n.example.com/webhook/5f0c8a2e/trigger-event"


class Trigger(Credential):
    event: fields.AnyText = Field(
        description=f"`{NEW_CONTACT}`: a contact of the bot comes to be.", examples=[NEW_CONTACT]
    )
    category: fields.AnyText | None = Field(default=None, examples=["n8n"])


class Subscribing(Trigger):
    webhookUrl: fields.WebhookUrl = Field(description="Where each event is posted to.", examples=[URL_EXAMPLE])
    subscribe: bool = Field(default=True, description="False ends the subscription of this address.")


class AddressOut(BaseModel):
    url: str = Field(examples=[URL_EXAMPLE])


class Subscribed(BaseModel):
    integrationCredentials: dict[str, list[AddressOut]] = Field(
        description="Addresses by event.", examples=[{NEW_CONTACT: [{"url": URL_EXAMPLE}]}]
    )


class SubscriptionOut(BaseModel):
    botId: str = Field(examples=[fields.ID_EXAMPLE])
    event: str = Field(examples=[NEW_CONTACT])
    subscribed: bool = Field(examples=[True])


class Posted(BaseModel):
    """What is posted to an address."""

    botId: str
    platform: str
    event: str
    data: ContactOut


@router.post(
    "/integrations/custom-app/fetch-subscribed-webhooks",
    summary="List the webhooks of a bot",
    operation_id="list_webhooks",
    response=Envelope[list[Subscribed]],
)
def list_webhooks(request: BearerRequest, trigger: Trigger) -> Envelope[list[Subscribed]]:
    """The addresses that get an event of a bot. One that waits for its owner after a revoke is not among them."""
    bot = bots.find(request, trigger.botId)
    _check(trigger)
    urls = subscribing.addresses(request.auth.owner_id, bot.pk, trigger.event)
    found = [AddressOut(url=url) for url in urls]
    return Envelope(data=[Subscribed(integrationCredentials={trigger.event: found})] if found else [])


@router.post(
    "/integrations/custom-app/subscribe-trigger-event",
    summary="Set up or end a webhook",
    operation_id="subscribe",
    response=Envelope[SubscriptionOut],
)
def subscribe(request: BearerRequest, wanted: Subscribing) -> Envelope[SubscriptionOut]:
    """Each new contact of the bot is posted to the address, as `data` beside `botId`, `platform` and `event`.

    A request without an answer of 2xx is repeated for a day, with the same `webhook-id` in its headers. The Developers
    page lists the webhooks, and a revoke of the token pauses all of them.
    """
    owner, client = request.auth.owner_id, Client.of(request)
    bot = bots.find(request, wanted.botId)
    webhook = Webhook(bot.pk, wanted.event, wanted.webhookUrl)
    if not wanted.subscribe:
        subscribing.unsubscribe(owner, webhook, client)
        return Envelope(data=SubscriptionOut(botId=bot.pk, event=wanted.event, subscribed=False))
    _check(wanted)
    if wanted.platform not in (None, bot.platform):
        raise ApiError(ErrorKey.PLATFORM_WRONG, ErrorKey.PLATFORM_WRONG.say(platform=bot.platform))
    try:
        subscribing.subscribe(owner, request.auth.generation, webhook, client)
    except BadUrl as problem:
        raise ApiError(ErrorKey.WEBHOOK_URL_INVALID, f"webhookUrl: {problem}") from problem
    return Envelope(data=SubscriptionOut(botId=bot.pk, event=wanted.event, subscribed=True))


def body_of(owner: int, bot_id: str, contact_id: str) -> str | None:
    """Return what is posted of a new contact, as JSON; None if the contact or the bot is deleted."""
    bot = Bot.objects.owned_by(owner).filter(pk=bot_id).first()
    found = Contact.objects.owned_by(owner).listed([contact_id]) if bot else []
    if not bot or not found:
        return None
    [data] = contact_output.serialize(found, owner)
    posted = Posted(botId=bot.pk, platform=bot.platform, event=NEW_CONTACT, data=data)
    return to_json(posted, by_alias=True).decode()


def _check(trigger: Trigger) -> None:
    """Raise `ApiError` for an event that never comes, so that nobody waits for it."""
    if trigger.event != NEW_CONTACT:
        absent = ABSENT.get(trigger.event)
        sentence = str(absent) if absent else ErrorKey.EVENT_UNKNOWN.say(event=NEW_CONTACT)
        raise ApiError(ErrorKey.EVENT_UNKNOWN, sentence)
