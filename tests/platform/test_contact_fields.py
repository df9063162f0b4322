"""Every field of a contact is in each list of fields that it belongs to."""

import re
from dataclasses import fields
from typing import Any

from django.db.models import CharField

from botpenguin.platform.api.contact_input import ContactIn, ProfileIn, ReachIn, UserDetailsIn
from botpenguin.platform.contacts import CHANGEABLE, IMPORTED, Details
from botpenguin.platform.models import Contact
from botpenguin.platform.phones import Phone
from botpenguin.platform.sizes import TEXTS

COLUMNS = {field.name: field for field in Contact._meta.concrete_fields}
# What neither an import nor a request changes of a contact.
FIXED = {"id", "owner", "bot", "is_imported", "last_message_by", "last_message_at", "last_seen_at", "created_at"}
# The code sets these itself.
COMPUTED = {"is_large", "updated_at", "searched"}
ADVICE = """
Name a new column of Contact in one of these:
- a text that imports and requests write: `TEXTS` in sizes.py, the class `Details` and its `apply_to` in contacts.py,
  and `UserDetailsIn` with its `details` in api/contact_input.py;
- anything else that requests write: `CHANGEABLE` in contacts.py, and `ContactIn` with its `write_to` in
  api/contact_input.py;
- what neither writes: `FIXED` in this test.
"""


def test_requests_may_change_every_column_that_is_not_fixed() -> None:
    assert set(COLUMNS) - set(CHANGEABLE) == FIXED, ADVICE
    assert set(CHANGEABLE) <= set(COLUMNS), ADVICE


def test_every_text_that_may_change_counts_as_size() -> None:
    texts = {name for name in CHANGEABLE if isinstance(COLUMNS[name], CharField) and not COLUMNS[name].choices}

    assert texts == set(TEXTS), ADVICE


def test_details_change_every_column_that_an_import_writes() -> None:
    values: dict[str, Any] = {"phone": Phone("447700900123", "44"), "attributes": {"plan": "gold"}, "tags": ["vip"]}
    details = Details(**{field.name: values.get(field.name, "gold") for field in fields(Details)})
    contact = Contact()

    details.apply_to(contact)

    assert {name for name in IMPORTED if not getattr(contact, name)} == COMPUTED - {"searched"}, ADVICE


def test_requests_have_a_key_for_every_detail_and_every_other_column_that_they_may_change() -> None:
    details = {field.name for field in fields(Details)}
    keys, keys_of_details = (
        {re.sub(r"(?=[A-Z])", "_", key).lower() for model in models for key in model.model_fields}
        for models in ((ContactIn, ProfileIn), (UserDetailsIn, ReachIn))
    )

    assert keys_of_details - {"user_provided_name", "contact"} == details, ADVICE
    assert set(CHANGEABLE) - set(IMPORTED) <= keys, ADVICE
