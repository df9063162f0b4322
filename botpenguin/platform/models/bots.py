"""Bots, and the platforms that they talk on."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.orm.changes import Gone
from accounts.orm.object_ids import ID_LENGTH, OwnedQuerySet, object_id
from accounts.orm.owners import changing
from accounts.text import searchable
from botpenguin.platform import quotas


class Platform(models.TextChoices):
    """Where a bot talks."""

    WHATSAPP = "whatsapp", _("WhatsApp")
    INSTAGRAM = "instagram", _("Instagram")
    FACEBOOK = "facebook", _("Facebook")
    TELEGRAM = "telegram", _("Telegram")
    WEBSITE = "website", _("Website")
    SMS = "sms", _("SMS")


class BotQuerySet(OwnedQuerySet):
    def make(self, owner: int, **columns: str) -> "Bot":
        """Add a bot. Raises `QuotaExceeded`."""
        with changing(owner):
            quotas.BOTS.check(self.owned_by(owner).count())
            bot: Bot = self.create(owner_id=owner, **columns)
            return bot

    def change(self, **columns: str) -> None:
        """Change a bot. Raises `Gone` where it was deleted meanwhile."""
        if not self.update(**columns, updated_at=timezone.now()):
            raise Gone("The bot was deleted meanwhile.")

    def mentioning(self, text: str) -> Self:
        """Return the bots with the text in their names, in any case and spelling.

        Reads all names, of which a quota allows few.
        """
        part = searchable(text)
        names = self.order_by().values_list("pk", "name")
        return self.filter(pk__in=[pk for pk, name in names if part in searchable(name)])

    def with_contact_counts(self) -> Self:
        return self.annotate(contact_count=models.Count("contacts"))


AllBots = models.Manager.from_queryset(BotQuerySet)


class BotManager(AllBots["Bot"]):
    def get_queryset(self) -> "models.QuerySet[Bot]":
        """Exclude deleted bots whose rows remain for a while."""
        return super().get_queryset().filter(is_deleted=False)


class Bot(models.Model):
    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=object_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bots")
    name = models.CharField(_("name"), max_length=100)
    platform = models.CharField(_("platform"), max_length=10, choices=Platform)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    # Hidden everywhere. `botpenguin.platform.bot_deletion` deletes the row.
    is_deleted = models.BooleanField(default=False, editable=False)

    objects: ClassVar[BotManager] = BotManager()
    every: ClassVar = AllBots()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(F("owner"), F("created_at").desc(), F("id").desc(), name="platform_bot_newest")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(platform__in=Platform.values), name="platform_bot_platform_is_known"),
            models.CheckConstraint(condition=~Q(name=""), name="platform_bot_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
