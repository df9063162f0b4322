"""Write the telephone numbers of the contacts of before as they are read now.

A contact whose number another contact of the account has stays as it is, and so does one whose number cannot be read;
`manage.py list_number_problems` names them. An interrupted run goes on.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db import migrations
from django.db.models import F

from accounts.orm import prepared
from accounts.orm.bulk import bulk_writes
from botpenguin.platform.phones import Phone

# Contacts of one transaction: SQLite writes them in some 30 ms.
BATCH = 250


class Change(NamedTuple):
    pk: str
    owner: int
    before: Phone
    now: Phone


def read_all(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    contacts, usages = (apps.get_model("platform", name).objects.using(using) for name in ("Contact", "ContactUsage"))
    for changes in _changes(contacts):
        with bulk_writes(using):
            _write(changes, contacts, usages)


def _changes(contacts: Any) -> Iterator[list[Change]]:
    """Yield what is to be changed, a few at a time. Numbers are read outside of the transactions."""
    numbered, last = contacts.exclude(phone="").order_by("pk"), ""
    while rows := list(numbered.filter(pk__gt=last).values_list("pk", "owner_id", "phone", "phone_prefix")[:BATCH]):
        last = rows[-1][0]
        read = [
            Change(pk, owner, Phone(phone, prefix), Phone.of_stored(phone, prefix)) for pk, owner, phone, prefix in rows
        ]
        if changes := [change for change in read if change.now != change.before and not change.now.problem]:
            yield changes


def _write(changes: Sequence[Change], contacts: Any, usages: Any) -> None:
    """Write the numbers that no other contact of the account has.

    No number that is read now becomes free by this: only one that is stored as it is read can be another's.
    """
    same = contacts.filter(
        owner_id__in={change.owner for change in changes}, phone__in=[change.now.whole for change in changes]
    )
    has = {(owner, phone): pk for pk, owner, phone in same.values_list("pk", "owner_id", "phone")}
    rows, growth = [], Counter[int]()
    for pk, owner, before, now in changes:
        if has.setdefault((owner, now.whole), pk) == pk:
            contact = contacts.model(pk=pk, phone=now.whole, phone_prefix=now.prefix)
            rows.append((contact, (pk, before.whole, before.prefix)))
            growth[owner] += len(now.whole + now.prefix) - len(before.whole + before.prefix)
    prepared.update(contacts.model, rows, ["phone", "phone_prefix"], ["id", "phone", "phone_prefix"]).run()
    for owner, size in growth.items():
        usages.filter(pk=owner).update(size=F("size") + size)


class Migration(migrations.Migration):
    # Each batch is a transaction.
    atomic = False

    dependencies = [
        ("platform", "0008_contact_profiles"),
    ]

    operations = [
        migrations.RunPython(read_all, migrations.RunPython.noop, elidable=True),
    ]
