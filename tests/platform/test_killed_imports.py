"""Imports whose process is killed: all rows or none exist, and the next import succeeds."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from accounts.models import User
from botpenguin.platform import staging
from botpenguin.platform.models import Contact, ContactTag
from botpenguin.platform.pending import PendingImport
from developers import issuance
from tests.cast import LAPTOP
from tests.import_until_killed import CONTACTS, TAGS
from tests.platform.calls import caller, contact_of, row
from tests.server import poll
from tests.test_races import database_url

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = str(-signal.SIGKILL)
WRITING = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid() AND datname = %s"


def people(count: int) -> list[User]:
    """Make accounts with a contact that their import changes."""
    made = [User.objects.create_user(f"user{number}@example.net") for number in range(count)]
    for user in made:
        issuance.issue(user, LAPTOP)
        contact_of(user, ("vip",), email="0@example.com")
    return made


def import_until_killed(mode: str, *people: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.import_until_killed", mode, *people],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "botpenguin.settings", "DATABASE_URL": database_url()},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    poll(nobody_writes)
    return done.stdout.split()


def nobody_writes() -> bool:
    """Return whether PostgreSQL has noticed that the processes are dead."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute(WRITING, [connection.settings_dict["NAME"]])
        return bool(cursor.fetchone() == (0,))


def seen(user: User) -> dict[str, Any]:
    """Return what the API shows: the number of contacts, in total and by tag, and the tags of each."""
    program = caller(user)
    found = program.data("POST", "/inbox/users")
    tags = {tuple(contact["profile"]["userDetails"]["tags"]) for contact in found}
    by_tag = [len(program.data("POST", "/inbox/users", {"tags": [tag]})) for tag in (TAGS[0], TAGS[-1])]
    return {"contacts": len(found), "by tag": by_tag, "tags": tags}


def many(tags: list[str]) -> tuple[str, ...]:
    return tuple(sorted(tags))


NOTHING: dict[str, Any] = {"contacts": 1, "by tag": [0, 0], "tags": {("vip",)}}
ALL: dict[str, Any] = {
    "contacts": CONTACTS,
    "by tag": [CONTACTS] * 2,
    "tags": {many(TAGS), many([*TAGS, "vip"])},
}


def assert_whole_and_repeatable(users: list[User], endings: list[str]) -> None:
    """Assert that each person has all or nothing, that the rest is deleted, and that the same import then succeeds."""
    for user, ending in zip(users, endings, strict=True):
        assert seen(user) in ([ALL] if ending == "0" else [ALL, NOTHING])
    whole = sum(seen(user) == ALL for user in users)
    PendingImport.objects.update(began_at=F("began_at") - staging.DEAD_AFTER - timedelta(minutes=1))
    call_command("housekeeping", stdout=StringIO())
    assert PendingImport.objects.count() == 0
    assert ContactTag.every.count() == len(users) + whole * CONTACTS * len(TAGS)
    assert Contact.objects.count() == len(users) + whole * (CONTACTS - 1)
    rows = [row(email=f"{number}@example.com", tags=TAGS) for number in range(CONTACTS)]
    for user in users:
        caller(user).data("POST", "/inbox/users/import", rows)
        assert seen(user) == ALL
    assert ContactTag.every.count() == len(users) * (1 + CONTACTS * len(TAGS))


@pytest.mark.matrix
@pytest.mark.parametrize("every", [11, pytest.param(1, marks=pytest.mark.release)])
def test_an_import_killed_after_any_statement_is_there_as_a_whole_or_not_at_all(every: int) -> None:
    """Kill it after each of about 27 statements, or after a sample of them."""
    steps = range(3, 37, every)
    users = people(len(steps))

    endings = import_until_killed("step", *[f"{step}:{user.pk}" for step, user in zip(steps, users, strict=True)])

    killed = endings.count(KILLED)
    assert endings == [KILLED] * killed + ["0"] * (len(users) - killed)
    assert 0 < killed < len(users)
    assert PendingImport.objects.exists()
    assert_whole_and_repeatable(users, endings)


@pytest.mark.release
def test_an_import_killed_at_any_time_is_there_as_a_whole_or_not_at_all() -> None:
    users = people(30)

    endings = import_until_killed("random", *[str(user.pk) for user in users])

    assert endings[0] == "0"
    assert KILLED in endings
    assert_whole_and_repeatable(users, endings)
