"""The tables of the token. Only `issuance`, `usage`, `program_uses` and `program_labels` write them."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.web.clients import PLACE_LENGTH, USER_AGENT_LENGTH
from developers import programs, tokens, vault
from developers.vault import Sealed

DIGEST_LENGTH = 32
BINDING_LENGTH = 32
STILL_IN_USE = timedelta(days=7)
SHOWN_FOR = timedelta(days=7)


class ApiToken(models.Model):
    """A user's active token. Its primary key is the user, so the database allows only one."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="api_token"
    )
    digest = models.BinaryField(max_length=DIGEST_LENGTH, unique=True)
    ciphertext = models.TextField()
    key_id = models.CharField(max_length=8)
    # NULL if the row is older than bindings and cannot be unsealed. Such a token is refused.
    binding = models.BinaryField(max_length=BINDING_LENGTH, null=True)
    hint = models.CharField(max_length=tokens.HINT_LENGTH)
    generation = models.PositiveIntegerField(default=1)
    issued_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.GenericIPAddressField(null=True)
    last_used_client = models.CharField(max_length=USER_AGENT_LENGTH, null=True)  # noqa: DJ001 - NULL is "never used"

    class Meta:
        verbose_name = _("API access token")
        verbose_name_plural = _("API access tokens")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(generation__gte=1), name="developers_apitoken_generation_from_one"),
            models.CheckConstraint(
                condition=Q(last_used_at__isnull=False) | Q(last_used_ip__isnull=True, last_used_client__isnull=True),
                name="developers_apitoken_last_use_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.mask

    @property
    def mask(self) -> str:
        return tokens.mask(self.hint)

    @property
    def sealed(self) -> Sealed:
        return Sealed(bytes(self.digest), self.ciphertext, self.key_id, self.binding)

    @property
    def is_bound(self) -> bool:
        """Whether the row is as `issuance` wrote it for this owner and generation."""
        return vault.is_bound(self.user_id, self.generation, bytes(self.digest), self.key_id, self.binding)


class RevokedToken(models.Model):
    """A revoked token, and its refused uses since."""

    class Reason(models.TextChoices):
        OWNER = "owner", _("Revoked by its owner")
        API = "api", _("Revoked through the API")
        EXPOSED = "exposed", _("Reported as exposed")
        NEW_PASSWORD = "password", _("Password changed")
        OPERATOR = "operator", _("Revoked by the operator")
        RESTORED = "restored", _("A backup was restored")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="revoked_tokens")
    digest = models.BinaryField(max_length=DIGEST_LENGTH, unique=True)
    key_id = models.CharField(max_length=8)
    hint = models.CharField(max_length=tokens.HINT_LENGTH)
    generation = models.PositiveIntegerField()
    revoked_at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=10, choices=Reason)
    # Where it was found, if a scanner named a place.
    place = models.CharField(max_length=PLACE_LENGTH, null=True)  # noqa: DJ001 - NULL where none was named
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.GenericIPAddressField(null=True)
    last_used_client = models.CharField(max_length=USER_AGENT_LENGTH, null=True)  # noqa: DJ001 - NULL is "never used"
    refused_count = models.PositiveBigIntegerField(default=0)
    last_refused_at = models.DateTimeField(null=True)
    last_refused_ip = models.GenericIPAddressField(null=True)
    last_refused_client = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)
    refusal_reported_on = models.DateField(null=True)
    # Time of the last mail to the owner about its use after the revoke.
    owner_told_at = models.DateTimeField(null=True)
    # When its owner dismissed the list of programs that have moved to the next token.
    list_dismissed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = [F("last_refused_at").desc(nulls_last=True), "-generation"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "generation"], name="developers_revokedtoken_generation_once"),
            models.CheckConstraint(
                condition=Q(refused_count=0, last_refused_at__isnull=True)
                | Q(refused_count__gte=1, last_refused_at__isnull=False),
                name="developers_revokedtoken_refusals_have_a_time",
            ),
        ]

    def __str__(self) -> str:
        return tokens.mask(self.hint)

    @property
    def is_unexpected(self) -> bool:
        """Whether somebody other than its owner revoked it within the last week."""
        return (
            self.reason not in (self.Reason.OWNER, self.Reason.NEW_PASSWORD)
            and timezone.now() - self.revoked_at < SHOWN_FOR
        )

    @property
    def is_still_in_use(self) -> bool:
        """Whether it was refused within the last week."""
        return self.last_refused_at is not None and timezone.now() - self.last_refused_at < STILL_IN_USE


class TokenUse(models.Model):
    """How often one program sent one token from one address on one day (UTC), and was accepted or refused.

    `program` and `address` are as `programs` names them; the address of IPv6 is its /64.
    """

    # The unique constraint begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="token_uses", db_index=False
    )
    day = models.DateField()
    program = models.CharField(max_length=programs.NAME_LENGTH, blank=True)
    address = models.CharField(max_length=programs.ADDRESS_LENGTH, blank=True)
    generation = models.PositiveIntegerField()
    # Refused because the token of this generation was revoked.
    is_refused = models.BooleanField()
    count = models.PositiveBigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["day"], name="developers_tokenuse_oldest")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "day", "program", "address", "generation", "is_refused"],
                name="developers_tokenuse_once_a_day",
            ),
            models.CheckConstraint(condition=Q(count__gte=1), name="developers_tokenuse_counts_from_one"),
            models.CheckConstraint(
                condition=Q(last_at__gte=F("first_at")), name="developers_tokenuse_first_before_last"
            ),
        ]

    def __str__(self) -> str:
        return f"{programs.program_name(self.program)}, {self.day}"


class ProgramLabel(models.Model):
    """What an owner calls a program. It outlives the tokens and the uses of the program."""

    # The unique constraint begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="program_labels", db_index=False
    )
    program = models.CharField(max_length=programs.NAME_LENGTH, blank=True)
    label = models.CharField(max_length=programs.LABEL_LENGTH)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "program"], name="developers_programlabel_one_each"),
            models.CheckConstraint(condition=~Q(label=""), name="developers_programlabel_has_a_text"),
        ]

    def __str__(self) -> str:
        return self.label
