"""What an account owns on the platform: its bots, its contacts, and segments of them."""

from botpenguin.platform.models.bots import Bot, Platform
from botpenguin.platform.models.contacts import (
    LARGE_COLUMNS,
    UNSTORABLE,
    Contact,
    ContactQuerySet,
    ContactTag,
    ContactUsage,
)
from botpenguin.platform.models.segments import Segment

__all__ = [
    "LARGE_COLUMNS",
    "UNSTORABLE",
    "Bot",
    "Contact",
    "ContactQuerySet",
    "ContactTag",
    "ContactUsage",
    "Platform",
    "Segment",
]
