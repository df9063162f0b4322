"""Write the emails of the contacts of before in their normal spelling.

A contact whose normal email another contact of the account has stays as it is; `manage.py list_email_collisions` names
it. An interrupted run goes on.
"""

from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError
from django.db import migrations
from django.db.models import F

from accounts.email_addresses import shown, spelled
from accounts.orm.bulk import bulk_writes
from accounts.orm.searched import joined

BEYOND_ASCII = "[^ -~]"
PROFILES = ("telegram_user_name", "instagram_profile_id", "facebook_profile_id")


def write_all(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    contacts, usages = (apps.get_model("platform", name).objects.using(using) for name in ("Contact", "ContactUsage"))
    others = contacts.filter(email__regex=BEYOND_ASCII).only("owner_id", "name", "email", "searched", *PROFILES)
    for contact in others.order_by("pk"):
        with suppress(ValidationError), bulk_writes(using):
            _write(contact, spelled(contact.email), contacts, usages)


def _write(contact: Any, new: str, contacts: Any, usages: Any) -> None:
    if new == contact.email or contacts.filter(owner_id=contact.owner_id, email=new).exists():
        return
    searched = joined((contact.name, new, shown(new), *(getattr(contact, name) for name in PROFILES)))
    contacts.filter(pk=contact.pk).update(email=new, searched=searched)
    growth = sum(len(text.encode()) for text in (new, searched))
    growth -= sum(len(text.encode()) for text in (contact.email, contact.searched))
    usages.filter(pk=contact.owner_id).update(size=F("size") + growth)


class Migration(migrations.Migration):
    # Each contact is a transaction.
    atomic = False

    dependencies = [
        ("platform", "0009_read_numbers"),
    ]

    operations = [
        migrations.RunPython(write_all, migrations.RunPython.noop, elidable=True),
    ]
