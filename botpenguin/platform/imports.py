"""Imports contacts: all rows or none, without long locks.

All rows are read and prepared before the transaction, which only writes. It fails if contacts have changed since, by
constraints of the database or by their `updated_at`. Then the import starts again.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from django.db import IntegrityError

from accounts.orm import prepared
from accounts.orm.bulk import writes_of
from accounts.orm.changes import Gone
from accounts.orm.owners import changing
from botpenguin.platform import sizes, staging, usages
from botpenguin.platform.contacts import IMPORTED, Book, Conflict, Details, refuse_too_large
from botpenguin.platform.models import Bot, Contact
from botpenguin.platform.staging import ImportConflict
from developers.outbound.subscriptions.queue import emit

# After so many conflicting changes the import is refused.
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Imported:
    """The ids of the contacts in the order of the rows, and the number of new ones."""

    ids: list[str]
    created: int


def import_all(owner: int, rows: Mapping[int, Details], bot: Bot | None, wrong: Mapping[int, str]) -> Imported:
    """Add a contact for each row, or update the one with its email or number; all rows or none.

    Tags are added and attributes merged. Rows have their positions as keys. `wrong` has the errors that are known
    already, which are reported with the others. Raises `Conflict`, `TooLarge`, `QuotaExceeded`, `Gone` if the account
    or the bot was deleted meanwhile, and `IntegrityError` if the same contacts keep changing.
    """
    once = partial(_import, owner, rows, bot, wrong)
    for _ in range(MOST_TRIES - 1):
        with suppress(IntegrityError):
            return once()
    return once()


def _import(owner: int, rows: Mapping[int, Details], bot: Bot | None, wrong: Mapping[int, str]) -> Imported:
    book = Book(owner, rows.values())
    contacts = [book.write(position, row, bot) for position, row in rows.items()]
    if problems := {**wrong, **book.problems}:
        raise Conflict(dict(sorted(problems.items())))
    distinct = list({contact.pk: contact for contact in contacts}.values())
    refuse_too_large(sum(sizes.of_json(contact) for contact in distinct))
    _Writing(owner, book, distinct, bot).write()
    return Imported([contact.pk for contact in contacts], book.created)


class _Writing:
    """The prepared statements of an import."""

    def __init__(self, owner: int, book: Book, contacts: Sequence[Contact], bot: Bot | None) -> None:
        self.owner, self.bot, self.book = owner, bot, book
        known = [(contact, (contact.pk, contact.updated_at)) for contact in contacts if contact.pk in book.before]
        change = [*IMPORTED, "bot"] if bot else [*IMPORTED]
        self.changes = prepared.update(Contact, known, change, ["id", "updated_at"])
        new = [contact for contact in contacts if contact.pk not in book.before]
        self.new, self.new_ids = prepared.insertion(Contact, new), [contact.pk for contact in new]
        self.tags = book.new_tags([contact.pk for contact in contacts])
        self.growth = {"contacts": book.created, "size": book.growth(contacts)}

    def write(self) -> None:
        usages.check(self.owner, **self.growth)
        if len(self.tags) <= staging.TAGS_AT_ONCE:
            self._apply(staging.new_tags(self.tags), None)
            return
        number = staging.stage(self.tags)
        try:
            self._apply(staging.new_tags([]), number)
        except BaseException:
            staging.discard(number)
            raise

    def _apply(self, tags: prepared.Prepared, staged: int | None) -> None:
        with writes_of(len(self.changes.rows) + len(self.new.rows) + len(tags.rows)), changing(self.owner):
            if self.bot and not Bot.objects.filter(pk=self.bot.pk).exists():
                raise Gone("The bot was deleted meanwhile.")
            usages.grow(self.owner, **self.growth)
            self.book.free_swapped_values()
            if self.changes.run() < len(self.changes.rows):
                raise ImportConflict("A contact was changed meanwhile.")
            self.new.run()
            tags.run()
            emit(self.owner, self.bot.pk if self.bot else None, self.new_ids)
            if staged:
                staging.show(staged)
