"""The tables of the security log. import-linter checks which modules may import them (`pyproject.toml`)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.orm.append_only import AppendOnly
from accounts.web import formats
from accounts.web.clients import PLACE_LENGTH, USER_AGENT_LENGTH


class EventBase(models.Model):
    """The common fields of a single event and a count of events."""

    count: Any
    place: Any

    class Kind(models.TextChoices):
        SIGNED_UP = "signed-up", _("Account created")
        LOGGED_IN = "signed-in", _("Logged in")
        LOG_IN_FAILED = "sign-in-failed", _("Log-in failed")
        LOGGED_OUT = "signed-out", _("Logged out")
        SESSION_ENDED = "session-ended", _("Logged out another browser")
        SESSIONS_ENDED = "sessions-ended", _("Logged out everywhere else")
        CONFIRMED = "confirmed", _("Identity confirmed")
        CONFIRMING_FAILED = "confirming-failed", _("Confirming identity failed")
        PASSWORD_CHANGED = "password-changed", _("Password changed")
        PASSWORD_RESET = "password-reset", _("Password reset")
        EMAIL_ASKED = "email-asked", _("Change of email requested")
        EMAIL_CHANGED = "email-changed", _("Email changed")
        FACTOR_ADDED = "factor-added", _("Way to log in added")
        FACTOR_REMOVED = "factor-removed", _("Way to log in removed")
        FACTORS_REMOVED = "factors-removed", _("Ways to log in removed by the operator")
        CODES_RENEWED = "codes-renewed", _("New recovery codes made")
        CODE_USED = "code-used", _("Recovery code used")
        PASSKEY_COPIED = "passkey-copied", _("Passkey refused: it may have been copied")
        TOKEN_ISSUED = "token-issued", _("API token issued")
        TOKEN_SHOWN = "token-shown", _("API token shown")
        TOKEN_COPIED = "token-copied", _("API token copied")
        TOKEN_TRIED = "token-tried", _("API token tried out")
        TOKEN_REVOKED = "token-revoked", _("API token revoked")
        TOKEN_REFUSED = "token-refused", _("Revoked API token refused")
        TOKEN_NEW_PROGRAM = "token-new-program", _("API token used by a new program")
        TOKEN_NEW_ADDRESS = "token-new-address", _("API token used from a new address")
        WEBHOOK_MADE = "webhook-made", _("Webhook set up")
        WEBHOOK_STOPPED = "webhook-stopped", _("Webhook stopped")
        WEBHOOK_RESUMED = "webhook-resumed", _("Webhook resumed")
        WEBHOOKS_PAUSED = "webhooks-paused", _("Webhooks paused with a revoked API token")
        WEBHOOKS_STOPPED = "webhooks-stopped", _("Webhooks stopped with an exposed API token")

    class Detail(models.TextChoices):
        """The factor that was used, added or removed, or why a token was revoked."""

        PASSWORD = "password", _("Password")
        AUTHENTICATOR = "totp", _("Authenticator app")
        RECOVERY_CODES = "recovery_codes", _("Recovery codes")
        PASSKEY = "webauthn", _("Passkey")
        UNREADABLE = "unreadable", _("Its stored copy could not be read.")
        API = "api", _("Through the API.")
        EXPOSED = "exposed", _("Reported as exposed.")
        NEW_PASSWORD = "new-password", _("With the password.")
        OPERATOR = "operator", _("By the operator.")
        RESTORED = "restored", _("A backup was restored.")

    kind = models.CharField(max_length=20, choices=Kind)
    detail = models.CharField(max_length=20, choices=Detail, blank=True)
    ip = models.GenericIPAddressField(null=True)
    client = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)

    class Meta:
        abstract = True

    @property
    def mark(self) -> str:
        """The mark in lists: something new, ended or refused."""
        return MARKS.get(self.kind, "")

    @property
    def detail_and_count(self) -> str:
        """The text of its detail, with the place that it names, and of the number for which it stands."""
        # Django's `get_detail_display` translates all choices each time.
        label = str(DETAILS.get(self.detail, self.detail))
        if not self.count:
            return f"{label} {self.place}" if self.place else label
        words = {"detail": label.rstrip("."), "number": formats.number(self.count)}
        if label:
            # Translators: ends an event of the security log: "Password, and 12 more", for 12 more events of this kind.
            return ngettext("%(detail)s, and %(number)s more", "%(detail)s, and %(number)s more", self.count) % words
        # Translators: ends an event of the security log: 12 more of this kind.
        return ngettext("and %(number)s more", "and %(number)s more", self.count) % words


class SecurityEvent(AppendOnly, EventBase):
    """An event of an account or its token. `accounts.security_log` adds these rows, and no code changes one."""

    # It stands for no others.
    count = 0

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="security_events")
    at = models.DateTimeField(default=timezone.now)
    # The token that the event is about.
    hint = models.CharField(max_length=4, null=True)  # noqa: DJ001 - NULL where it is about no token
    generation = models.PositiveIntegerField(null=True)
    # Where a revoked token was found, if a scanner named a place; the server of a webhook.
    place = models.CharField(max_length=PLACE_LENGTH, null=True)  # noqa: DJ001 - NULL where none was named

    class Meta:
        indexes: ClassVar = [
            models.Index(F("user"), F("at").desc(), F("id").desc(), name="accounts_event_latest"),
            # The page of the token lists these alone, however many others there are.
            models.Index(
                *(F("user"), F("at").desc(), F("id").desc()),
                name="accounts_event_latest_of_token",
                condition=Q(generation__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__startswith="token-", hint__isnull=False, generation__isnull=False)
                | (~Q(kind__startswith="token-") & Q(hint=None, generation=None)),
                name="accounts_securityevent_of_a_token_names_it",
            )
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def name(self) -> str:
        """The name from which the `Message-ID` of its mail is made."""
        return f"security-event.{self.pk}"


class EventCount(EventBase):
    """The number of events of a kind in an hour that are not listed singly, and the client of the last one.

    `accounts.security_log` writes these rows.
    """

    # Of many tokens, perhaps.
    hint = place = None

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="event_counts")
    hour = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

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


Kind = EventBase.Kind
DETAILS: Mapping[str, Any] = dict(EventBase.Detail.choices)
FAILURES = (Kind.LOG_IN_FAILED, Kind.CONFIRMING_FAILED, Kind.PASSKEY_COPIED, Kind.TOKEN_REFUSED)
MARKS: Mapping[Any, str] = (
    dict.fromkeys((Kind.SIGNED_UP, Kind.LOGGED_IN, Kind.FACTOR_ADDED, Kind.TOKEN_ISSUED), "issued")
    | dict.fromkeys((Kind.WEBHOOK_MADE, Kind.WEBHOOK_RESUMED), "issued")
    | dict.fromkeys((Kind.WEBHOOK_STOPPED, Kind.WEBHOOKS_PAUSED, Kind.WEBHOOKS_STOPPED), "revoked")
    | dict.fromkeys((Kind.LOGGED_OUT, Kind.SESSION_ENDED, Kind.SESSIONS_ENDED), "revoked")
    | dict.fromkeys((Kind.FACTOR_REMOVED, Kind.FACTORS_REMOVED, Kind.TOKEN_REVOKED), "revoked")
    | dict.fromkeys(FAILURES, "refused")
)
