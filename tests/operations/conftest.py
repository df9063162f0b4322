import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Session, User
from botpenguin.operations import backups
from developers import issuance
from tests.cast import LAPTOP
from tests.operations.databases import ask, changing, names, open_database
from tests.prepared import DATABASE, state


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Path:
    """A database in which Bob's token was revoked once, with a queued mail about it."""
    migrated = state()
    assert migrated
    path = tmp_path_factory.mktemp("prepared") / "db.sqlite3"
    shutil.copy(migrated / DATABASE, path)
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        open_database(path, patch)
        users = [User.objects.create_user(f"{name}@example.com") for name in ("alice", "bob")]
        for user in users:
            issuance.issue(user, LAPTOP)
        bob = users[1]
        issuance.revoke(bob, 1, LAPTOP, even_if_used=True)
        Session.objects.create(session_key="x", session_data="", expire_date=timezone.now(), user=bob)
        TOTP.activate(bob, "A" * 32)
        bob.emailaddress_set.create(email="new@example.com")
        connection.close()
    return path


@pytest.fixture
def live(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[Path]:
    """The database of a stopped server."""
    path = tmp_path / "var" / "db.sqlite3"
    path.parent.mkdir()
    shutil.copy(prepared, path)
    with django_db_blocker.unblock():
        open_database(path, monkeypatch)
        yield path
        connection.close()


@pytest.fixture
def backup(live: Path, tmp_path: Path) -> Path:
    """A backup from before Bob's second revoke and before a change of names."""
    path = tmp_path / "backup.sqlite3"
    backups.take(live, path)
    with changing(live) as database:
        database.execute("UPDATE developers_apitoken SET generation = 3 WHERE generation = 2")
        database.execute("UPDATE accounts_user SET name = 'changed since'")
    return path


@pytest.fixture
def kept(live: Path, backup: Path) -> Iterator[None]:
    """A refused command changes nothing and leaves no file."""
    before = ask(live, "SELECT name FROM accounts_user"), names(live)
    yield
    assert (ask(live, "SELECT name FROM accounts_user"), names(live)) == before
