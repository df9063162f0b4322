"""The tables of subscriptions: what programs subscribed to, events that wait, and deliveries that wait."""

import json
from datetime import timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.keyring import Unreadable
from accounts.orm.object_ids import ID_LENGTH, OwnedQuerySet, object_id
from accounts.web.clients import USER_AGENT_LENGTH
from developers.outbound import sealing

# How long a delivery is tried, and an event waits.
TRIED_FOR = timedelta(days=1)
# Characters of an address that pages show after the server's name.
SHOWN_OF_A_PATH = 8
HOST_LENGTH = 260
PROBLEM_LENGTH = 300


class Subscriptions(OwnedQuerySet):
    def current(self) -> Self:
        """Those that were made, or kept, with the owner's current token and are not stopped."""
        return self.filter(stopped_at=None, owner__is_active=True, generation=F("owner__api_token__generation"))

    def paused(self) -> Self:
        """Those that wait for their owner, since the token that made them was revoked."""
        return self.filter(stopped_at=None, generation__lt=F("owner__api_token__generation"))


class Subscription(models.Model):
    """An address that gets each new contact of a bot.

    Whoever knows the address can post to it, so it is sealed, together with the bot and the event. There is no
    foreign key to the bot: this room knows nothing of the platform. `generation` is that of the token that made it.
    A worker that delivers holds it until `leased_until`. `next_at` is when the next delivery may begin, or None
    where none waits.
    """

    class Event(models.TextChoices):
        NEW_CONTACT = "newLeadHook", _("New contact")

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=object_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscriptions")
    bot_id = models.CharField(max_length=ID_LENGTH)
    event = models.CharField(max_length=20, choices=Event)
    host = models.CharField(max_length=HOST_LENGTH)
    # What pages show of the address.
    beginning = models.CharField(max_length=HOST_LENGTH + 20)
    sealed = models.TextField()
    key_id = models.CharField(max_length=8)
    generation = models.PositiveIntegerField()
    ip = models.GenericIPAddressField(null=True)
    client = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    delivered = models.PositiveBigIntegerField(default=0)
    last_delivered_at = models.DateTimeField(null=True)
    # Failures in a row, since when, and the last one as a sentence.
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    problem = models.CharField(max_length=PROBLEM_LENGTH, blank=True)
    # Contacts that were tried for a day in vain, and contacts for which the queue had no room.
    given_up = models.PositiveBigIntegerField(default=0)
    dropped = models.PositiveBigIntegerField(default=0)
    # Since a report said that the token is exposed. The row stays a while, so that its owner sees it.
    stopped_at = models.DateTimeField(null=True)

    objects = Subscriptions.as_manager()

    class Meta:
        ordering: ClassVar = ["-made_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="outbound_subscription_due", condition=Q(next_at__isnull=False)),
            models.Index(
                fields=["stopped_at"], name="outbound_subscription_stopped", condition=Q(stopped_at__isnull=False)
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(event__in=["newLeadHook"]), name="outbound_subscription_event_is_known"),
        ]

    def __str__(self) -> str:
        return self.beginning

    @property
    def sealed_as(self) -> str:
        """The id that the address is sealed to. No call and no draft has it."""
        return f"subscription-{self.pk}"

    def seal(self, url: str) -> None:
        text = json.dumps([url, self.bot_id, self.event])
        self.sealed, self.key_id = sealing.seal(self.owner_id, self.sealed_as, text)

    def url(self) -> str:
        """Unseal the address. Raises `Unreadable`, also where the bot or the event was changed beside it."""
        url, *rest = json.loads(sealing.unseal(self.owner_id, self.sealed_as, self.sealed, self.key_id))
        if rest != [self.bot_id, self.event]:
            raise Unreadable("its bot or event was changed beside it")
        return str(url)


class QueuedEvent(models.Model):
    """New contacts of a bot that wait to become deliveries: one row, written in the transaction that adds them."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="queued_events")
    bot_id = models.CharField(max_length=ID_LENGTH)
    event = models.CharField(max_length=20)
    contacts = models.JSONField()
    # Deliveries that it becomes.
    waiting = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="outbound_queuedevent_oldest")]

    def __str__(self) -> str:
        return f"{self.event} of {self.bot_id}"


class Delivery(models.Model):
    """A contact that waits to be sent to a subscription. Its id is sent too, the same in each attempt.

    What is sent is read from the contact at that time.
    """

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=object_id, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    contact_id = models.CharField(max_length=ID_LENGTH)
    attempts = models.PositiveIntegerField(default=0)
    # Of its event.
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subscription", "due_at", "id"], name="outbound_delivery_next"),
            models.Index(fields=["created_at"], name="outbound_delivery_oldest"),
        ]

    def __str__(self) -> str:
        return self.pk
