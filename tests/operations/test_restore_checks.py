"""`restore` takes only the schema of this version, whole rows, and no link that was mailed before."""

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client as Browser
from post_office.models import Email

from accounts import sign_ups
from accounts.models import User
from botpenguin.operations import schemas
from tests.operations.databases import ask, changing, manage, refusal

# One process works out the schema of this version for all of them, which takes seconds.
pytestmark = [pytest.mark.resilience, pytest.mark.xdist_group("restoring")]

NEW_PASSWORD = "another good passphrase"
UNIQUE = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE UNIQUE%'"
STEAL = """
CREATE TRIGGER steal AFTER UPDATE ON {} BEGIN
    UPDATE accounts_user SET is_superuser = 1;
END
"""
# Statements of somebody who can write to a backup, and what restore says of the result.
TAMPERED = {
    "a unique index is missing": (
        ["DROP INDEX accounts_user_email_unique_without_case"],
        "Its schema is not that of this version: the index accounts_user_email_unique_without_case on accounts_user is "
        "missing.",
    ),
    "an index is another": (
        [
            "DROP INDEX accounts_user_email_unique_without_case",
            "CREATE INDEX accounts_user_email_unique_without_case ON accounts_user (email)",
        ],
        "Its schema is not that of this version: the index accounts_user_email_unique_without_case on accounts_user is "
        "another.",
    ),
    "a trigger on the tokens": (
        [STEAL.format("developers_apitoken")],
        "It holds what no version of this project has: trigger steal.",
    ),
    "a trigger on the migrations": (
        ["CREATE TRIGGER steal AFTER INSERT ON django_migrations BEGIN DELETE FROM accounts_user; END"],
        "It holds what no version of this project has: trigger steal.",
    ),
    "a view in the place of a table": (
        [
            "PRAGMA legacy_alter_table = ON",
            "ALTER TABLE accounts_securityevent RENAME TO events",
            "CREATE VIEW accounts_securityevent AS SELECT * FROM events",
        ],
        "It holds what no version of this project has: view accounts_securityevent.",
    ),
    "a virtual table": (
        ["CREATE VIRTUAL TABLE notes USING fts5(text)"],
        "It holds what no version of this project has: table notes.",
    ),
    "a table more": (
        ["CREATE TABLE notes (text)"],
        "Its schema is not that of this version: the table notes is none of this version.",
    ),
    "an index more": (
        ["CREATE INDEX more ON accounts_user (name)"],
        "Its schema is not that of this version: the index more on accounts_user is none of this version.",
    ),
    "a table is missing": (
        ["DROP TABLE accounts_securityevent"],
        "Its schema is not that of this version: the table accounts_securityevent is missing; the index ",
    ),
    "the table of the tokens is missing": (
        ["DROP TABLE developers_apitoken"],
        "Its schema is not that of this version: the table developers_apitoken is missing.",
    ),
    "the table of the migrations is missing": (
        ["DROP TABLE django_migrations"],
        "It is not a database of this project.",
    ),
    "a table without what makes its rows unique": (
        [
            "CREATE TABLE copy AS SELECT * FROM developers_apitoken",
            "DROP TABLE developers_apitoken",
            "ALTER TABLE copy RENAME TO developers_apitoken",
        ],
        "Its schema is not that of this version: the table developers_apitoken is another.",
    ),
    "a column more": (
        ["ALTER TABLE accounts_user ADD COLUMN nick TEXT"],
        "Its schema is not that of this version: the table accounts_user is another.",
    ),
    "a column is missing": (
        ["ALTER TABLE developers_apitoken DROP COLUMN binding"],
        "Its schema is not that of this version: the table developers_apitoken is another.",
    ),
    "a digest need not be unique": (
        [
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL UNIQUE', ' NOT NULL')"
            " WHERE name = 'developers_apitoken'",
            "DELETE FROM sqlite_master WHERE name LIKE 'sqlite_autoindex_developers_apitoken%'",
        ],
        "SQLite finds it damaged: ",
    ),
    "a constraint is missing": (
        [
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, '\"generation\" >= 1', '\"generation\" >= 0')"
            " WHERE name = 'developers_apitoken'",
        ],
        "Its schema is not that of this version: the table developers_apitoken is another.",
    ),
    "a migration is not noted": (
        ["DELETE FROM django_migrations WHERE app = 'developers' AND name >= '0007'"],
        "It cannot be brought up to date: duplicate column name: binding",
    ),
    "a migration in the middle is not noted": (
        ["DELETE FROM django_migrations WHERE app = 'developers' AND name LIKE '0003%'"],
        "It cannot be brought up to date: Migration developers.0004_operator_reason is applied before its dependency",
    ),
    "people are deleted and what was theirs is not": (
        ["DELETE FROM accounts_user"],
        "Its rows contradict each other: 3 rows of account_emailaddress refer to missing ones of accounts_user; ",
    ),
    "a row breaks a constraint": (
        ["PRAGMA ignore_check_constraints = ON", "UPDATE developers_apitoken SET generation = 0"],
        "Its rows contradict each other: CHECK constraint failed in developers_apitoken; ",
    ),
    "text in the place of a number": (
        ["UPDATE developers_apitoken SET generation = 'one'"],
        "Columns hold values of other types than theirs: developers_apitoken.generation.",
    ),
    "a number in the place of a password": (
        ["UPDATE accounts_user SET password = x'00', name = 7"],
        "Columns hold values of other types than theirs: accounts_user.password.",
    ),
}


@pytest.mark.usefixtures("kept")
def test_what_is_not_the_schema_of_this_version_or_has_broken_rows_is_refused(backup: Path, tmp_path: Path) -> None:
    said, expected = {}, {}
    for number, (name, (statements, sentence)) in enumerate(TAMPERED.items()):
        tampered = tmp_path / f"tampered-{number}"
        shutil.copy(backup, tampered)
        with changing(tampered) as database:
            for statement in statements:
                database.execute(statement)

        expected[name] = f"Nothing was restored. {sentence}"
        said[name] = refusal("restore", str(tampered), "--noinput")[: len(expected[name])]

    assert said == expected


@pytest.mark.usefixtures("kept")
def test_all_that_is_missing_is_counted_and_some_of_it_named(backup: Path) -> None:
    indexes = [name for (name,) in ask(backup, UNIQUE)]
    with changing(backup) as database:
        for name in indexes:
            database.execute(f"DROP INDEX {name}")

    refused = refusal("restore", str(backup), "--noinput")

    assert refused.count("is missing") == 10
    assert refused.endswith(f"; and {len(indexes) - 10} more.")


@pytest.mark.usefixtures("kept")
def test_an_older_backup_that_lacks_what_a_migration_changes_is_refused_with_a_sentence(backup: Path) -> None:
    with schemas.connected_to(backup):
        call_command("migrate", "developers", "0006", verbosity=0)
    with changing(backup) as database:
        database.execute("DROP TABLE developers_apitoken")

    assert refusal("restore", str(backup), "--noinput") == (
        "Nothing was restored. It cannot be brought up to date: no such table: developers_apitoken."
    )


@pytest.mark.usefixtures("kept")
def test_a_trigger_does_not_run_while_an_older_backup_is_brought_up_to_date(backup: Path) -> None:
    with schemas.connected_to(backup):
        call_command("migrate", "developers", "0006", verbosity=0)
    with changing(backup) as database:
        database.execute(STEAL.format("developers_apitoken"))

    assert refusal("restore", str(backup), "--noinput") == (
        "Nothing was restored. It holds what no version of this project has: trigger steal."
    )
    assert ask(backup, "SELECT DISTINCT is_superuser FROM accounts_user") == [(0,)]


def empty(backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%user%'")
        for (name,) in tables.fetchall():
            database.execute(f'DELETE FROM "{name}"')  # noqa: S608 - names of its own
        database.commit()


def test_it_shows_how_many_rows_there_are_beside_those_that_are_replaced(live: Path, backup: Path) -> None:
    with changing(live) as database:
        database.execute("DELETE FROM account_emailaddress WHERE verified")

    shown = manage("restore", str(backup), "--noinput")

    rows = [line.split() for line in shown.splitlines()]
    for row in (
        ["Rows", "backup", "replaced"],
        ["users", "2", "2"],
        ["API", "access", "tokens", "2", "2"],
        ["email", "addresses", "3", "1"],
    ):
        assert row in rows
    assert not [row for row in rows if row[:1] == ["bots"]]


def test_where_there_is_nothing_to_replace_it_shows_the_rows_of_the_backup_alone(live: Path, backup: Path) -> None:
    live.unlink()

    shown = manage("restore", str(backup), "--noinput")

    rows = [line.split() for line in shown.splitlines()]
    assert (["Rows", "backup"] in rows, ["users", "2"] in rows) == (True, True)


@pytest.mark.usefixtures("kept")
def test_a_backup_without_an_account_is_restored_only_where_somebody_says_so(
    backup: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty(backup)

    assert refusal("restore", str(backup), "--noinput") == (
        "Nothing was restored. There is no account in it. If that is right, add --even-if-empty."
    )


def test_an_empty_backup_is_restored_where_it_is_meant(live: Path, backup: Path) -> None:
    empty(backup)

    shown = manage("restore", str(backup), "--noinput", "--even-if-empty")

    assert ["users", "0", "2"] in [line.split() for line in shown.splitlines()]
    assert ask(live, "SELECT count(*) FROM accounts_user") == [(0,)]


def link_for_a_new_password() -> str:
    """Ask for a mail, as anybody can, and return the path of the link in it."""
    Browser().post("/account/password/reset/", {"email": "bob@example.com"})
    found = re.search(r"https://app\.example\.com(/account/password/reset/key/\S+)", Email.objects.latest("pk").message)
    assert found
    return found[1]


def is_good(link: str) -> bool:
    """Follow a link: a good one leads on to the form."""
    return Browser().get(link).status_code == 302


def use(link: str) -> None:
    browser = Browser()
    form = browser.get(link)["Location"]
    browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert User.objects.get(email="bob@example.com").check_password(NEW_PASSWORD)


def leave(link: str) -> None:
    """Do nothing with it."""


@pytest.mark.no_cover
@pytest.mark.parametrize("do", [use, leave])
@pytest.mark.parametrize("tokens", [[], ["--keep-tokens"]])
def test_a_link_for_a_new_password_that_was_mailed_before_is_dead(
    live: Path, backup: Path, do: Callable[[str], None], tokens: list[str]
) -> None:
    link = link_for_a_new_password()
    was_good = is_good(link)
    do(link)
    connection.close()

    manage("restore", str(backup), "--noinput", *tokens)

    assert (was_good, is_good(link)) == (True, False)
    assert is_good(link_for_a_new_password())


@pytest.mark.no_cover
def test_a_link_that_confirms_the_address_of_an_account_is_dead(live: Path, backup: Path) -> None:
    """Version 0.1.0 made accounts before their address was confirmed."""
    with changing(backup) as database:
        database.execute("UPDATE account_emailaddress SET verified = 0 WHERE email = 'alice@example.com'")
    with schemas.connected_to(backup):
        key = EmailConfirmationHMAC(EmailAddress.objects.get(email="alice@example.com")).key
        was_good = EmailConfirmationHMAC.from_key(key) is not None

    manage("restore", str(backup), "--noinput")

    assert (was_good, EmailConfirmationHMAC.from_key(key)) == (True, None)
    waiting = EmailAddress.objects.get(email="alice@example.com")
    assert EmailConfirmationHMAC.from_key(EmailConfirmationHMAC(waiting).key) is not None


def test_a_link_that_confirms_a_sign_up_is_dead(live: Path, backup: Path) -> None:
    with schemas.connected_to(backup):
        Browser().post("/account/signup/", {"email": "carol@example.com", "password1": NEW_PASSWORD})
        found = re.search(r"/account/confirm-email/(\S+?)/", Email.objects.latest("pk").message)
        assert found
        was_good = sign_ups.from_key(found[1]) is not None

    manage("restore", str(backup), "--noinput")

    assert (was_good, sign_ups.from_key(found[1])) == (True, None)


def test_log_ins_under_way_end(live: Path, backup: Path) -> None:
    epochs = "SELECT email, session_epoch FROM accounts_user"
    before = dict(ask(backup, epochs))

    manage("restore", str(backup), "--noinput")

    assert [email for email, epoch in ask(live, epochs) if not epoch or epoch == before[email]] == []


# Of each kind that acts or differs, on either database.
CHANGES = {
    "sqlite": {
        "CREATE TRIGGER steal AFTER INSERT ON accounts_user BEGIN DELETE FROM accounts_session; END": [
            "trigger steal",
            "the trigger steal on accounts_user is none of this version",
        ],
        "DROP INDEX accounts_user_email_unique_without_case": [
            "the index accounts_user_email_unique_without_case on accounts_user is missing"
        ],
    },
    "postgresql": {
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER steal BEFORE INSERT ON accounts_user FOR EACH ROW EXECUTE FUNCTION f()": [
            "function f",
            "trigger steal",
        ],
        "CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT $1::text'": ["function lower"],
        "CREATE RULE r AS ON DELETE TO accounts_session DO INSTEAD NOTHING": [
            "rule r",
            "the table accounts_session is another",
        ],
        "CREATE POLICY p ON accounts_session": ["policy p"],
        "ALTER TABLE accounts_session ENABLE ROW LEVEL SECURITY": ["the table accounts_session is another"],
        "CREATE VIEW v AS SELECT 1 AS one": ["view v"],
        "CREATE TYPE mood AS ENUM ('good')": ["type mood"],
        "CREATE TABLE notes (text text)": [
            "the table notes is none of this version",
            "the column notes.text is none of this version",
        ],
        "ALTER TABLE accounts_user ADD COLUMN nick text": [
            "the column accounts_user.nick is none of this version",
        ],
        "ALTER TABLE accounts_user ALTER COLUMN is_superuser SET DEFAULT true": [
            "the column accounts_user.is_superuser is another"
        ],
        "ALTER TABLE accounts_user ALTER COLUMN email DROP NOT NULL": ["the column accounts_user.email is another"],
        "DROP INDEX accounts_user_email_unique_without_case": [
            "the index accounts_user_email_unique_without_case on accounts_user is missing"
        ],
        "ALTER TABLE developers_apitoken DROP CONSTRAINT developers_apitoken_generation_from_one;"
        "ALTER TABLE developers_apitoken ADD CONSTRAINT developers_apitoken_generation_from_one"
        " CHECK (generation >= 1) NOT VALID": [
            "the constraint developers_apitoken_generation_from_one on developers_apitoken is another"
        ],
        "DROP TABLE outbound_apilog CASCADE": ["the table outbound_apilog is missing"],
        "ALTER SEQUENCE accounts_user_id_seq INCREMENT 2": ["the sequence accounts_user_id_seq is another"],
        "UPDATE pg_trigger SET tgenabled = 'D' WHERE tgrelid = 'developers_apitoken'::regclass": [
            "the switched-off trigger of developers_apitoken_user_id_c882cccc_fk_accounts_user_id on "
            "developers_apitoken is none of this version"
        ],
    },
}


@pytest.mark.django_db(transaction=True)
def test_each_kind_of_difference_is_named() -> None:
    schemas.of_this_version(connection.vendor)
    found = {}
    for statement in CHANGES[connection.vendor]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            named = schemas.active() + schemas.differences()
            transaction.set_rollback(True)
        # With a table goes much else.
        found[statement] = named[:1] if "DROP TABLE" in statement else named

    assert found == CHANGES[connection.vendor]
    assert schemas.active() + schemas.differences() == []
