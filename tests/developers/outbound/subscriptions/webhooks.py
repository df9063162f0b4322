"""What programs and workers do with webhooks."""

from typing import Any

from django.utils import timezone

from botpenguin.operations.management.commands.mail_worker import read_contact
from developers.outbound.subscriptions.delivering import deliver_one
from developers.outbound.subscriptions.models import Delivery, Subscription
from developers.outbound.subscriptions.queue import fan_out
from tests.platform.calls import Caller, row

EVENT = "newLeadHook"
PATH = "/webhook/5f0c8a2e-0d5b-4c7e-9a51-6f3d2b1c0e9a/trigger-event"


def subscribe_by(program: Caller, bot: str, url: str, event: str = EVENT, *, on: bool = True) -> Any:
    body = {"webhookUrl": url, "botId": bot, "event": event, "slug": "n8n", "category": "n8n", "subscribe": on}
    return program.send("POST", "/integrations/custom-app/subscribe-trigger-event", body)


def add_contacts(program: Caller, bot: str, *names: str) -> list[str]:
    """Import a contact for each name, and return their ids."""
    ids: list[str] = program.data("POST", f"/inbox/users/import?botId={bot}", [row(name) for name in names])["ids"]
    return ids


def deliver_all(**network: Any) -> int:
    """Do what a worker does until nothing is due, and return the number of deliveries that were begun."""
    while fan_out():
        continue
    begun = 0
    while deliver_one(read_contact, **network):
        begun += 1
    return begun


def make_due() -> None:
    """Let the waits of all failures be over."""
    now = timezone.now()
    Delivery.objects.update(due_at=now)
    Subscription.objects.filter(next_at__isnull=False).update(next_at=now)
