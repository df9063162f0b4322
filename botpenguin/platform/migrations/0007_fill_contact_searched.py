"""Write what searches compare of the contacts of before, and count its bytes. An interrupted run goes on."""

from collections import Counter
from typing import Any

from django.db import migrations
from django.db.models import F

from accounts.email_addresses import shown
from accounts.orm import prepared
from accounts.orm.bulk import bulk_writes
from accounts.orm.searched import joined

# Contacts of one transaction: SQLite writes them in some 30 ms.
BATCH = 500


def fill(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    contacts, usages = (apps.get_model("platform", name).objects.using(using) for name in ("Contact", "ContactUsage"))
    last: str | None = ""
    while last is not None:
        with bulk_writes(using):
            last = _fill_after(last, contacts, usages)


def _fill_after(last: str, contacts: Any, usages: Any) -> str | None:
    """Fill the contacts after this id, and return the last one's id, or None where there was none."""
    empty = contacts.filter(pk__gt=last, searched="").order_by("pk").only("owner_id", "name", "email")
    batch, growth = list(empty.select_for_update(of=("self",))[:BATCH]), Counter[int]()
    for contact in batch:
        contact.searched = joined((contact.name, contact.email, shown(contact.email)))
        growth[contact.owner_id] += len(contact.searched.encode())
    prepared.update(contacts.model, [(contact, (contact.pk,)) for contact in batch], ["searched"], ["id"]).run()
    for owner, size in growth.items():
        usages.filter(pk=owner).update(size=F("size") + size)
    return batch[-1].pk if batch else None


class Migration(migrations.Migration):
    # Each batch is a transaction.
    atomic = False

    dependencies = [
        ("platform", "0006_contact_searched"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
