"""What a contact fills into an outbound call: its name, email and phone, and its attributes."""

import json
import math
from collections.abc import Sequence

from botpenguin.platform.models import Contact

Value = str | int | float | bool | None


def values_of(contact: Contact) -> dict[str, Value]:
    """Return a contact's values by names in lower case, as calls use them. Attributes go before its own fields."""
    details = {"name": contact.name, "email": contact.email, "phone": contact.phone}
    known: dict[str, Value] = {key: value for key, value in details.items() if value}
    return known | {name.lower(): value for name, value in contact.attributes.items()}


def texts_of(contact: Contact, names: Sequence[str]) -> dict[str, str]:
    """Return a contact's values for these names as text, as a call would send them; none for what it does not have."""
    known = values_of(contact)
    texts = {name.lower(): _text(known.get(name.lower())) for name in names}
    return {name: text for name, text in texts.items() if text}


def _text(value: Value) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return value if isinstance(value, str) else json.dumps(value)
