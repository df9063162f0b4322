"""Calls of integrations: test a credential, list bots, set attributes of a contact."""

from typing import Annotated

from django.utils.translation import gettext as _
from ninja import Router
from pydantic import BaseModel, BeforeValidator, Field

from accounts.orm.owners import changing
from botpenguin.platform.api import bots, fields, inbox
from botpenguin.platform.api.authentication import BearerRequest
from botpenguin.platform.api.bots import BotOut
from botpenguin.platform.api.contact_output import ContactOut
from botpenguin.platform.api.envelope import Envelope
from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.errors import ApiError
from botpenguin.platform.api.fields import Input
from botpenguin.platform.api.listing import MOST_BOTS, Page, listed
from botpenguin.platform.api.phone_fields import Search
from botpenguin.platform.contacts import Details
from botpenguin.platform.models import Bot, Contact, Platform

router = Router(tags=["integrations"], by_alias=True)


def _in_any_case(platform: object) -> object:
    return platform.strip().lower() or None if isinstance(platform, str) else platform


class Credential(Input):
    botId: fields.ObjectId
    slug: fields.AnyText | None = Field(default=None, description="The integration's name.", examples=["n8n"])
    platform: Annotated[fields.PlatformName | None, BeforeValidator(_in_any_case)] = Field(
        default=None, description="Where it is sent, the bot's platform.", examples=["whatsapp"]
    )


class AttributeUpdate(Input):
    search: Search = Field(
        description="An email, a number or an id. A number with its country's prefix finds one contact at most, "
        "however it is written: +44 (0)20 7946 0991, 0044 20 7946 0991, 442079460991."
    )
    attributes: fields.Attributes
    botId: fields.OptionalId | None = None
    platform: fields.AnyText | None = Field(default=None, examples=["whatsapp"])


class BotName(BaseModel):
    id: fields.IdOut
    name: str = Field(examples=["Reception"])


@router.post(
    "/integrations/custom-app/general-authentication",
    summary="Test a credential",
    operation_id="test_credential",
    response=Envelope[BotOut],
)
def test_credential(request: BearerRequest, credential: Credential) -> Envelope[BotOut]:
    """Answers 200 only if the token is good, the bot belongs to its account, and its platform is this one."""
    bot = bots.find(request, credential.botId)
    if credential.platform not in (None, bot.platform):
        raise ApiError(ErrorKey.PLATFORM_WRONG, ErrorKey.PLATFORM_WRONG.say(platform=bot.platform))
    return Envelope(message=_("The credential works."), data=BotOut.of(bot))


@router.put(
    "/integrations/custom-app/update-user-attributes",
    summary="Set attributes of the contact with this email, number or id",
    operation_id="update_user_attributes",
    response=Envelope[ContactOut],
)
def update_user_attributes(request: BearerRequest, update: AttributeUpdate) -> Envelope[ContactOut]:
    """Other attributes stay; one whose value is null goes away."""
    owner = request.auth.owner_id
    if update.botId:
        bots.find(request, update.botId)
    # Outside of the transaction: of 100,000 contacts this takes up to 200 ms.
    found = Contact.objects.owned_by(owner).identified_by(update.search).values_list("pk", flat=True)[:2]
    if len(found) > 1:
        raise ApiError(ErrorKey.CONTACT_AMBIGUOUS)
    with changing(owner):
        contact = Contact.objects.owned_by(owner).filter(pk__in=list(found)).first()
        if contact is None:
            sentence = _("No contact of your account has this email, number or id.")
            raise ApiError(ErrorKey.CONTACT_NOT_FOUND, sentence)
        Details(attributes=update.attributes).apply_to(contact)
        inbox.save(contact)
    return inbox.answer(contact)


@router.get(
    "/whatsapp-automation",
    summary="List WhatsApp bots",
    operation_id="list_whatsapp_bots",
    response=Envelope[list[BotName]],
)
def list_whatsapp_bots(request: BearerRequest, page: Page = bots.BOTS_PAGE) -> Envelope[list[BotName]]:
    """The ids and names of the account's bots on WhatsApp, newest first."""
    found = Bot.objects.owned_by(request.auth.owner_id).filter(platform=Platform.WHATSAPP)
    return listed(found, page, MOST_BOTS, lambda bot: BotName(id=bot.pk, name=bot.name))
