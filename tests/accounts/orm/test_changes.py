"""Saving a loaded row writes only changed columns, and nothing where the row was deleted."""

import sqlite3

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Session, User
from accounts.orm.changes import Gone, SavesChanges


@pytest.mark.parametrize("model", [User, Session, EmailAddress, Authenticator])
def test_every_model_that_a_library_saves_is_bounded(model: type) -> None:
    assert issubclass(model, SavesChanges)


def test_only_what_was_changed_is_written(alice: User) -> None:
    stale = User.objects.get(pk=alice.pk)
    User.objects.filter(pk=alice.pk).update(is_active=False, password="another")

    stale.name = "Alice Liddell"
    stale.save()

    alice.refresh_from_db()
    assert (alice.name, alice.is_active, alice.password) == ("Alice Liddell", False, "another")


def test_named_fields_are_written_only_where_they_changed(alice: User) -> None:
    alice.name, alice.time_zone = "Alice Liddell", "Asia/Tokyo"

    alice.save(update_fields=["name", "is_staff"])
    with CaptureQueriesContext(connection) as queries:
        alice.save(update_fields=["name"])

    written = User.objects.get()
    alice.save()
    assert (written.name, written.time_zone) == ("Alice Liddell", "UTC")
    assert len(queries) == 0
    assert User.objects.get().time_zone == "Asia/Tokyo"


def test_a_row_that_was_deleted_is_not_brought_back(alice: User) -> None:
    stale = User.objects.get(pk=alice.pk)
    alice.delete()

    stale.name = "Alice Liddell"
    with pytest.raises(Gone), transaction.atomic():
        stale.save()

    assert not User.objects.exists()


def test_a_new_row_replaces_none_that_has_its_key(alice: User) -> None:
    double = User(pk=alice.pk, email="double@example.com")

    with pytest.raises(IntegrityError), transaction.atomic():
        double.save()


def test_another_error_of_the_database_does_not_count_as_a_deleted_row(alice: User) -> None:
    alice.name = "Alice Liddell"

    def fail(*statement: object) -> None:
        raise DatabaseError("disk image is malformed") from sqlite3.DatabaseError()

    with connection.execute_wrapper(fail), pytest.raises(DatabaseError, match="malformed"):
        alice.save()


def test_a_list_that_was_changed_in_place_is_written(alice: User) -> None:
    passkey = Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Laptop", "uses": [1]})

    passkey.data["uses"].append(2)
    passkey.save()

    assert Authenticator.objects.get().data == {"name": "Laptop", "uses": [1, 2]}


def test_a_column_that_is_loaded_later_counts_as_read(alice: User) -> None:
    partial = User.objects.only("email").get(pk=alice.pk)

    loaded, partial.time_zone = partial.name, "Asia/Tokyo"
    User.objects.filter(pk=alice.pk).update(name="Alice Liddell")
    partial.save()

    alice.refresh_from_db()
    assert (loaded, alice.name, alice.time_zone) == ("Alice", "Alice Liddell", "Asia/Tokyo")
