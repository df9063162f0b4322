from datetime import timedelta

import pytest

from accounts.models import User
from botpenguin.platform.models import Bot, Contact, Segment
from tests.platform.calls import NOON, Caller, caller, contact_of


@pytest.fixture
def as_alice(alice: User) -> Caller:
    return caller(alice)


@pytest.fixture
def as_bob(bob: User) -> Caller:
    return caller(bob)


@pytest.fixture
def asha(alice: User) -> Contact:
    """A contact with a value in each field."""
    Segment.objects.create(owner=alice, name="Nobody", tags=["elsewhere"])
    Segment.objects.create(owner=alice, name="Customers", tags=["customer", "partner"])
    return contact_of(
        alice,
        tags=("vip", "customer"),
        bot=Bot.objects.create(owner=alice, name="Reception", platform="whatsapp"),
        platform="whatsapp",
        email="asha@example.com",
        phone="919876543210",
        phone_prefix="91",
        country="India",
        telegram_user_name="asha_rao",
        instagram_profile_id="17841400000000001",
        facebook_profile_id="100000000000001",
        attributes={"plan": "gold", "age": 41, "is_new": False},
        notes=["Asked for a call back."],
        is_subscriber=True,
        unread_messages=2,
        last_message_by="USER",
        last_message_at=NOON,
        last_seen_at=NOON + timedelta(hours=1),
    )
