"""The tables of what happened to accounts. `pyproject.toml` says who may know it, and import-linter sees to it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.orm.append_only import AppendOnly
from accounts.web.clients import USER_AGENT_LENGTH


class SecurityEvent(AppendOnly):
    """Something that happened to an account. `accounts.security_log` writes these rows, and nothing changes one."""

    class Kind(models.TextChoices):
        SIGNED_UP = "signed-up", _("Account created")
        SIGNED_IN = "signed-in", _("Signed in")
        SIGN_IN_FAILED = "sign-in-failed", _("Sign-in failed")
        SIGNED_OUT = "signed-out", _("Signed out")
        SESSION_ENDED = "session-ended", _("Signed out another browser")
        SESSIONS_ENDED = "sessions-ended", _("Signed out everywhere else")
        CONFIRMED = "confirmed", _("Identity confirmed")
        CONFIRMING_FAILED = "confirming-failed", _("Confirming identity failed")
        PASSWORD_CHANGED = "password-changed", _("Password changed")
        PASSWORD_RESET = "password-reset", _("Password reset")
        EMAIL_ASKED = "email-asked", _("Change of email asked for")
        EMAIL_CHANGED = "email-changed", _("Email changed")
        FACTOR_ADDED = "factor-added", _("Way to log in added")
        FACTOR_REMOVED = "factor-removed", _("Way to log in removed")
        FACTORS_REMOVED = "factors-removed", _("Ways to log in removed by the operator")
        CODES_RENEWED = "codes-renewed", _("New recovery codes made")
        CODE_USED = "code-used", _("Recovery code used")
        PASSKEY_COPIED = "passkey-copied", _("Passkey refused: it may have been copied")

    class Means(models.TextChoices):
        """What a person signed in or proved themselves by, or which of their ways to log in it is about."""

        PASSWORD = "password", _("Password")
        AUTHENTICATOR = "totp", _("Authenticator app")
        RECOVERY_CODES = "recovery_codes", _("Recovery codes")
        PASSKEY = "webauthn", _("Passkey")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="security_events")
    kind = models.CharField(max_length=20, choices=Kind)
    means = models.CharField(max_length=20, choices=Means, blank=True)
    at = models.DateTimeField(default=timezone.now)
    ip = models.GenericIPAddressField(null=True)
    client = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(F("user"), F("at").desc(), F("id").desc(), name="accounts_event_latest")]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def name(self) -> str:
        """What a mail about it is called."""
        return f"security-event.{self.pk}"

    @property
    def detail(self) -> str:
        return self.means


class EventCount(models.Model):
    """How many more events of a kind an account had in an hour than are listed singly, and who made the last one.

    `accounts.security_log` writes these rows, for the events of tokens too. `detail` is an event's means or note.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="event_counts")
    kind = models.CharField(max_length=20)
    detail = models.CharField(max_length=20, blank=True)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)
    client = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(F("user"), F("at").desc(), F("id").desc(), name="accounts_count_latest")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "detail", "hour"], name="accounts_eventcount_once_an_hour")
        ]

    def __str__(self) -> str:
        return f"{self.count} more of {self.kind}"

    @property
    def name(self) -> str:
        return f"counted-event.{self.pk}.{self.count}"
