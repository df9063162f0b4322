"""The table of what happened to tokens. `pyproject.toml` says who may know it, and import-linter sees to it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.orm.append_only import AppendOnly
from accounts.web.clients import USER_AGENT_LENGTH
from developers import tokens


class TokenEvent(AppendOnly):
    """Something that happened to a person's token: what the page lists under "Recent activity"."""

    class Kind(models.TextChoices):
        ISSUED = "issued", _("Issued")
        SHOWN = "shown", _("Shown")
        COPIED = "copied", _("Copied")
        TRIED = "tried", _("Tried out")
        REVOKED = "revoked", _("Revoked")
        REFUSED = "refused", _("Refused")

    class Note(models.TextChoices):
        UNREADABLE = "unreadable", _("Its stored copy could not be read.")
        API = "api", _("Through the API.")
        EXPOSED = "exposed", _("Reported as exposed.")
        PASSWORD = "password", _("With the password.")
        OPERATOR = "operator", _("By the operator.")
        RESTORED = "restored", _("A backup was restored.")

    # How many that are only counted one in memory stands for.
    more: int = 0

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="token_events")
    kind = models.CharField(max_length=10, choices=Kind)
    note = models.CharField(max_length=10, choices=Note, blank=True)
    hint = models.CharField(max_length=tokens.HINT_LENGTH)
    generation = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    ip = models.GenericIPAddressField(null=True)
    client = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(F("user"), F("at").desc(), F("id").desc(), name="developers_event_latest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} …{self.hint}"

    @property
    def name(self) -> str:
        """What a mail about it is called."""
        return f"token-event.{self.pk}"
