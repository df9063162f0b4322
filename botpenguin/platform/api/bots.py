"""The resource `bots`: names and platforms of an account's bots."""

from http import HTTPStatus
from typing import Self

from django.utils.translation import gettext as _
from ninja import P, PathEx, Router
from pydantic import BaseModel, Field

from accounts.orm.owners import changing
from botpenguin.platform import bot_deletion
from botpenguin.platform.api import fields
from botpenguin.platform.api.authentication import BearerRequest
from botpenguin.platform.api.envelope import Created, Envelope, Timestamp
from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.errors import ApiError
from botpenguin.platform.api.fields import Input, PlatformName
from botpenguin.platform.api.listing import MOST_BOTS, Page, owned, page_of
from botpenguin.platform.models import Bot

router = Router(tags=["bots"], by_alias=True)

BOTS_PAGE = page_of(MOST_BOTS)
BotId = PathEx[fields.PathId, P(description="The bot's `_id`.")]


class BotOut(BaseModel):
    id: fields.IdOut
    name: str = Field(examples=["Reception"])
    platform: fields.PlatformOut
    createdAt: Timestamp
    updatedAt: Timestamp

    @classmethod
    def of(cls, bot: Bot) -> Self:
        return cls(id=bot.pk, name=bot.name, platform=bot.platform, createdAt=bot.created_at, updatedAt=bot.updated_at)


class NewBot(Input):
    name: fields.BotName
    platform: PlatformName = Field(examples=["whatsapp"])


class BotChange(Input):
    name: fields.BotName | None = None
    platform: PlatformName | None = None


def find(request: BearerRequest, bot_id: str) -> Bot:
    """Return the bot with this id. Raises `ApiError` if the token's owner has none."""
    bot: Bot | None = Bot.objects.owned_by(request.auth.owner_id).with_id(bot_id).first()
    if bot is None:
        raise ApiError(ErrorKey.BOT_NOT_FOUND)
    return bot


@router.get("/bots", summary="List bots", operation_id="list_bots", response=Envelope[list[BotOut]])
def list_bots(request: BearerRequest, page: Page = BOTS_PAGE) -> Envelope[list[BotOut]]:
    """The bots of the account, newest first."""
    return owned(Bot.objects.owned_by, request.auth.owner_id, page, MOST_BOTS, BotOut.of)


@router.post("/bots", summary="Create a bot", operation_id="create_bot", response={HTTPStatus.CREATED: Created[BotOut]})
def create_bot(request: BearerRequest, new: NewBot) -> Created[BotOut]:
    """A bot has a name, which others may have too, and the platform that it talks on."""
    bot = Bot.objects.make(request.auth.owner_id, name=new.name, platform=new.platform)
    return Created(data=BotOut.of(bot))


@router.get("/bots/{bot_id}", summary="Read a bot", operation_id="read_bot", response=Envelope[BotOut])
def read_bot(request: BearerRequest, bot_id: BotId) -> Envelope[BotOut]:
    """One bot of the account."""
    return Envelope(data=BotOut.of(find(request, bot_id)))


@router.patch("/bots/{bot_id}", summary="Change a bot", operation_id="change_bot", response=Envelope[BotOut])
def change_bot(request: BearerRequest, change: BotChange, bot_id: BotId) -> Envelope[BotOut]:
    """Give a bot another name or platform. What is left out stays as it is."""
    with changing(request.auth.owner_id):
        bot = find(request, bot_id)
        Bot.objects.filter(pk=bot.pk).change(**change.model_dump(exclude_none=True))
        bot.refresh_from_db()
    return Envelope(data=BotOut.of(bot))


@router.delete("/bots/{bot_id}", summary="Delete a bot", operation_id="delete_bot", response=Envelope[BotOut])
def delete_bot(request: BearerRequest, bot_id: BotId) -> Envelope[BotOut]:
    """Its contacts stay, and belong to no bot from then on. The answer shows the bot for the last time."""
    deleted = BotOut.of(find(request, bot_id))
    bot_deletion.delete(request.auth.owner_id, bot_id)
    return Envelope(message=_("The bot was deleted. Its contacts were kept."), data=deleted)
