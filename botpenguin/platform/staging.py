"""The tags of large imports: written in small transactions beforehand, and shown by the import's own transaction.

SQLite writes 50,000 tags in more than a second, in which nobody else could write. The tags have the number of their
import, and no query finds them while its row exists. A failed import deletes them; housekeeping deletes those of a
killed one.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.orm import prepared
from accounts.orm.bulk import bulk_writes
from botpenguin.platform.models import ContactTag
from botpenguin.platform.pending import PendingImport

# Tags of one transaction. In a large table each may write a page of every index.
TAGS_AT_ONCE = 1_000
# Each has at most 50 tags.
CONTACTS_AT_ONCE = 20
# No request lasts that long.
DEAD_AFTER = timedelta(minutes=30)

Item = TypeVar("Item")
# The id of a contact, and the name of a tag.
Tag = tuple[str, str]


class ImportConflict(IntegrityError):
    """The prepared rows no longer match the database."""


def stage(tags: Sequence[Tag]) -> int:
    """Write hidden tags, and return the number of their import. Delete them if that fails.

    Raises `BulkBusy`.
    """
    pending = PendingImport(contacts=list(dict.fromkeys(contact for contact, _ in tags)))
    with bulk_writes():
        pending.save(force_insert=True)
    try:
        for part in parts(tags, TAGS_AT_ONCE):
            insertion = new_tags(part, pending.pk)
            with bulk_writes(), transaction.atomic():
                insertion.run()
    except BaseException:
        discard(pending.pk)
        raise
    return pending.pk


def new_tags(tags: Sequence[Tag], batch: int = 0) -> prepared.Prepared:
    return prepared.insertion(ContactTag, [ContactTag(contact_id=pk, name=name, batch=batch) for pk, name in tags])


def show(number: int) -> None:
    """Show the tags of an import on commit. Raises `ImportConflict` if housekeeping has abandoned it."""
    if not PendingImport.objects.filter(pk=number, is_abandoned=False).delete()[0]:
        raise ImportConflict("The import took too long.")


def discard(number: int) -> None:
    """Delete the tags of an import that is not applied."""
    sum(_forget(PendingImport.objects.filter(pk=number)))


def forget_dead() -> Iterator[int]:
    """Delete the tags of killed imports; yield the number of each batch."""
    return _forget(PendingImport.objects.filter(began_at__lt=timezone.now() - DEAD_AFTER))


def _forget(imports: QuerySet[PendingImport]) -> Iterator[int]:
    for pending in list(imports):
        row = PendingImport.objects.filter(pk=pending.pk)
        # First, so that an import that is just being applied gets all or none of its tags.
        for contacts in parts(pending.contacts, CONTACTS_AT_ONCE) if row.update(is_abandoned=True) else ():
            with bulk_writes(), transaction.atomic():
                deleted = ContactTag.every.filter(contact__in=contacts, batch=pending.pk).delete()[0]
            yield deleted
        row.delete()


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
