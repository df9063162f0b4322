"""All rows of a deleted account are deleted from every table, in small batches, even after interruptions."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import OperationalError, connection, models
from django.db.models.fields.json import JSONField

from accounts import deletion
from accounts.models import Deletion, User
from accounts.orm import batches
from accounts.orm.changes import Gone
from accounts.orm.owners import changing
from botpenguin.platform.models import Bot, Contact, ContactTag
from tests.accounts.samples import sample
from tests.cast import logged_in

pytestmark = pytest.mark.django_db


def close(owner: User) -> None:
    assert logged_in(owner).post("/account/delete/", {"email": owner.email}).status_code == 302


def counts() -> dict[str, int]:
    """Count the rows of every table in the database."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = {}
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - a name of Django's
            found[table] = cursor.fetchone()[0]
    return found


def tables_that_refer_to(*tables: str) -> set[str]:
    """Return, by the database's own foreign keys, the tables whose rows refer to others, directly or not."""
    with connection.cursor() as cursor:
        found = {
            table
            for table in connection.introspection.table_names(cursor)
            for _column, other in connection.introspection.get_relations(cursor, table).values()
            if other in tables
        }
    return found if found <= set(tables) else tables_that_refer_to(*found, *tables)


class Filler:
    """Makes a row of any model, with whatever it refers to, for one owner."""

    def __init__(self, owner: User) -> None:
        self.rows: dict[Any, Any] = {User: owner}

    def row(self, model: Any) -> Any:
        if model not in self.rows:
            values = {field.name: self.value(field) for field in model._meta.concrete_fields if self.is_needed(field)}
            [self.rows[model]] = model._base_manager.bulk_create([model(**values)])
        return self.rows[model]

    def is_needed(self, field: Any) -> bool:
        if isinstance(field, models.AutoField) or field.has_default() or getattr(field, "auto_now", False):
            return False
        return field.is_relation or not field.null

    def value(self, field: Any) -> Any:
        if field.is_relation:
            return self.row(field.related_model)
        if field.choices:
            return field.choices[0][0]
        if isinstance(field, models.BinaryField):
            return uuid4().bytes * 2
        # Of times and of days.
        if isinstance(field, models.DateField):
            return datetime(2026, 11, 30, tzinfo=UTC)
        if isinstance(field, JSONField):
            return {}
        return f"n{uuid4().hex[:3]}" if isinstance(field, models.CharField | models.TextField) else 1


def test_every_table_that_refers_to_a_person_is_emptied_of_theirs(alice: User, bob: User) -> None:
    """This includes tables that are added later: the test makes a row of every model."""
    before = counts()
    carol = User.objects.create_user("carol@example.net")
    referring, filler = tables_that_refer_to("accounts_user"), Filler(carol)
    for model in apps.get_models(include_auto_created=True):
        if model._meta.db_table in referring:
            filler.row(model)
    between = counts()

    close(carol)
    sum(deletion.finish_all())

    assert {table for table in referring if between[table] == before[table]} == set()
    after = counts()
    of_people = referring | {"accounts_user", "accounts_deletion"}
    assert {table: after[table] for table in of_people} == {table: before[table] for table in of_people}


def test_all_that_refers_to_a_person_goes_or_is_detached() -> None:
    """The deletion handles these two. Add another kind here and in `accounts.orm.batches`."""
    seen, waiting = set(), [User]
    ways = set()
    while waiting:
        for relation in batches.referrers(waiting.pop()):
            ways.add(relation.on_delete)
            if relation.related_model not in seen:
                seen.add(relation.related_model)
                waiting.append(relation.related_model)

    assert ways == {models.CASCADE, models.SET_NULL}
    assert {ContactTag, Contact, Bot} < seen


def give_much(owner: User) -> None:
    bots = [Bot.objects.create(owner=owner, name=name, platform="website") for name in ("Night desk", "Day desk")]
    for number in range(7):
        contact = Contact.objects.create(owner=owner, name=f"Contact {number}", bot=bots[number % 2])
        ContactTag.objects.bulk_create([ContactTag(contact=contact, name=f"tag {tag}") for tag in range(5)])


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    monkeypatch.setattr(batches, "FIRST", 2)


@pytest.mark.usefixtures("small_batches")
def test_no_transaction_deletes_more_than_a_batch(alice: User) -> None:
    give_much(alice)
    close(alice)

    steps = list(deletion.finish_all())

    assert max(steps) == 2
    assert sum(steps) > 2 + 7 + 35
    assert not Contact.objects.exists()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("kills", sample([1, 2, 3], {2}))
def test_an_interrupted_deletion_continues_where_it_stopped(alice: User, bob: User, kills: int) -> None:
    give_much(alice)
    give_much(bob)
    close(alice)

    rounds = 0
    while Deletion.objects.exists():
        steps: Any = deletion.finish_all()
        for _ in range(kills):
            next(steps, None)
        steps.close()
        rounds += 1

    assert rounds > 5
    assert list(User.objects.all()) == [bob]
    assert ContactTag.objects.count() == ContactTag.objects.filter(contact__owner=bob).count() == 35


@pytest.mark.no_cover
@pytest.mark.usefixtures("small_batches")
def test_rows_added_meanwhile_are_deleted_too_and_in_batches(alice: User) -> None:
    give_much(alice)
    close(alice)
    steps = list[int]()

    for step in deletion.finish_all():
        if not Contact.objects.exists() and len(steps) < 40:
            give_much(alice)
        steps.append(step)

    assert len(steps) > 40
    assert max(steps) == 2
    assert not User.objects.exists()


def test_rows_of_others_stay_without_their_links_to_deleted_rows(alice: User, bob: User) -> None:
    bot = Bot.objects.create(owner=alice, name="Night desk", platform="website")
    contact = Contact.objects.create(owner=bob, name="Carol", bot=bot)
    close(alice)

    sum(deletion.finish_all())

    assert [(kept.pk, kept.bot) for kept in Contact.objects.all()] == [(contact.pk, None)]


def test_an_account_that_cannot_be_removed_is_logged_and_does_not_delay_others(
    alice: User, bob: User, caplog: pytest.LogCaptureFixture
) -> None:
    close(alice)
    close(bob)

    broken = list[str]()

    def break_once(execute: Any, sql: str, *rest: Any) -> Any:
        if "platform_contact" in sql and not broken:
            broken.append(sql)
            raise OperationalError
        return execute(sql, *rest)

    with connection.execute_wrapper(break_once):
        sum(deletion.finish_all())

    assert f"What is left of the deleted account {alice.pk} could not be removed yet." in caplog.text
    assert [row.pk for row in Deletion.objects.all()] == [alice.pk]
    sum(deletion.finish_all())
    assert not User.objects.exists()
    assert not Deletion.objects.exists()


def test_an_import_that_was_under_way_adds_nothing_to_a_deleted_account(alice: User) -> None:
    close(alice)

    with pytest.raises(Gone), changing(alice.pk):
        pass

    assert str(Deletion.objects.get()) == f"the deletion of account {alice.pk}"
