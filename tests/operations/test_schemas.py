"""Differences between a database and the schema of this version, on either database."""

import pytest
from django.db import connection, transaction

from botpenguin.operations import schemas

# In one process, since each process needs seconds for the schema of this version.
pytestmark = [pytest.mark.resilience, pytest.mark.xdist_group("restoring")]
# One change of each kind, and the differences that it makes.
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


@pytest.mark.release
@pytest.mark.django_db(transaction=True)
def test_each_kind_of_difference_is_named() -> None:
    schemas.of_this_version(connection.vendor)
    found = {}
    for statement in CHANGES[connection.vendor]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            named = schemas.active() + schemas.differences()
            transaction.set_rollback(True)
        # A dropped table takes its indexes and constraints along.
        found[statement] = named[:1] if "DROP TABLE" in statement else named

    assert found == CHANGES[connection.vendor]
    assert schemas.active() + schemas.differences() == []
