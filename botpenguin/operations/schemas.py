"""The schema of a database, compared with the schema of this version.

A schema is a mapping of names, such as `index x on y`, to the definitions that the database itself gives. Those of
this version come from running all migrations on an empty SQLite file, or in an empty schema of the same PostgreSQL
database. Added indexes count as differences. Owners, grants, the order of columns on PostgreSQL, objects of
extensions, and the statistics tables of SQLite are not compared.
"""

import tempfile
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from botpenguin.database import direct

Schema = Mapping[str, str]
# The PostgreSQL schema in which the migrations run.
EMPTY = "botpenguin_expected"
NAMED_AT_MOST = 10
SQLITE = r"""
SELECT type || ' ' || name || CASE type WHEN 'table' THEN '' ELSE ' on ' || tbl_name END, sql
FROM sqlite_master WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\'
"""
# This project has none of these. A trigger, for example, would run with the next write, even of a migration.
SQLITE_ACTIVE = """
SELECT type || ' ' || name FROM sqlite_master
WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE VIRTUAL%' ORDER BY 1
"""
POSTGRESQL = """
WITH relations AS (
    SELECT * FROM pg_class
    WHERE relnamespace = current_schema::regnamespace AND relkind IN ('r', 'p', 'f', 'S')
)
SELECT 'table ' || relname, concat_ws(' ', relkind, relpersistence, relispartition, relrowsecurity, relhasrules,
    (SELECT string_agg(inhparent::regclass::text, ',') FROM pg_inherits WHERE inhrelid = oid))
FROM relations WHERE relkind <> 'S'
UNION ALL
SELECT 'sequence ' || relname, concat_ws(' ', seqtypid::regtype, seqincrement, seqmin, seqmax, seqcycle,
    (SELECT string_agg(concat_ws(' ', refobjid::regclass, refobjsubid, deptype), ',')
     FROM pg_depend WHERE objid = oid AND deptype IN ('a', 'i')))
FROM relations JOIN pg_sequence ON seqrelid = oid
UNION ALL
SELECT 'column ' || relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity,
    attgenerated, attcollation::regcollation, pg_get_expr(adbin, adrelid))
FROM relations JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE relkind <> 'S'
UNION ALL
SELECT 'constraint ' || conname || ' on ' || relname, concat_ws(' ', pg_get_constraintdef(t.oid), convalidated)
FROM relations JOIN pg_constraint t ON conrelid = relations.oid WHERE contype <> 'n'
UNION ALL
SELECT 'index ' || i.relname || ' on ' || relations.relname, concat_ws(' ',
    replace(pg_get_indexdef(indexrelid), format(' ON %I.', current_schema), ' ON '), indisvalid, indisready)
FROM relations JOIN pg_index ON indrelid = relations.oid JOIN pg_class i ON i.oid = indexrelid
UNION ALL
SELECT 'switched-off trigger of ' || conname || ' on ' || relname, tgenabled::text
FROM relations JOIN pg_trigger ON tgrelid = relations.oid JOIN pg_constraint t ON t.oid = tgconstraint
WHERE tgenabled <> 'O'
"""
POSTGRESQL_ACTIVE = """
WITH ours AS (SELECT * FROM pg_class WHERE relnamespace = current_schema::regnamespace),
found(kind, name, catalogue, id) AS (
    SELECT 'trigger', tgname, 'pg_trigger'::regclass, t.oid FROM pg_trigger t JOIN ours ON tgrelid = ours.oid
        WHERE NOT tgisinternal
    UNION ALL SELECT 'event trigger', evtname, 'pg_event_trigger'::regclass, oid FROM pg_event_trigger
    UNION ALL SELECT 'rule', rulename, 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r JOIN ours ON ev_class = ours.oid
        WHERE relkind NOT IN ('v', 'm')
    UNION ALL SELECT 'policy', polname, 'pg_policy'::regclass, p.oid FROM pg_policy p JOIN ours ON polrelid = ours.oid
    UNION ALL SELECT 'view', relname, 'pg_class'::regclass, oid FROM ours WHERE relkind IN ('v', 'm')
    UNION ALL SELECT 'function', proname, 'pg_proc'::regclass, oid FROM pg_proc
        WHERE pronamespace = current_schema::regnamespace
    UNION ALL SELECT 'operator', oprname, 'pg_operator'::regclass, oid FROM pg_operator
        WHERE oprnamespace = current_schema::regnamespace
    UNION ALL SELECT 'collation', collname, 'pg_collation'::regclass, oid FROM pg_collation
        WHERE collnamespace = current_schema::regnamespace
    UNION ALL SELECT 'type', typname, 'pg_type'::regclass, oid FROM pg_type
        WHERE typnamespace = current_schema::regnamespace AND typtype <> 'c' AND typcategory <> 'A'
    UNION ALL SELECT 'cast', castsource::regtype || ' to ' || casttarget::regtype, 'pg_cast'::regclass, oid FROM pg_cast
        WHERE oid >= 16384
)
SELECT kind || ' ' || name FROM found
WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = catalogue AND objid = id AND deptype = 'e') ORDER BY 1
"""
# PostgreSQL changes the text of a condition such as `IN ('a', 'b')` after a dump and a restore.
ROUND_TRIP = """
DO $$ DECLARE it record; BEGIN
    FOR it IN SELECT conrelid::regclass AS on_table, conname AS name, pg_get_constraintdef(oid) AS definition
        FROM pg_constraint WHERE connamespace = current_schema::regnamespace AND contype = 'c'
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s',
            it.on_table, it.name, it.name, it.definition);
    END LOOP;
    FOR it IN SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = current_schema::regnamespace AND indpred IS NOT NULL
    LOOP
        EXECUTE format('DROP INDEX %s', it.name);
        EXECUTE it.definition;
    END LOOP;
END $$
"""
DESCRIBE = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
ACTIVE = {"sqlite": SQLITE_ACTIVE, "postgresql": POSTGRESQL_ACTIVE}


def active() -> list[str]:
    """Return the names of active objects in the connected database: triggers, views, rules, functions and others."""
    with connection.cursor() as cursor:
        cursor.execute(ACTIVE[connection.vendor])
        return [name for (name,) in cursor.fetchall()]


def differences() -> list[str]:
    """Return the differences between the migrated, connected database and the schema of this version, in words."""
    expected, found = of_this_version(connection.vendor), describe()
    changed = {name for name in expected.keys() & found.keys() if found[name] not in expected[name]}
    return (
        [f"the {name} is missing" for name in _tables_first(expected.keys() - found.keys())]
        + [f"the {name} is none of this version" for name in _tables_first(found.keys() - expected.keys())]
        + [f"the {name} is another" for name in _tables_first(changed)]
    )


def _tables_first(names: Set[str]) -> list[str]:
    return sorted(names, key=lambda name: (not name.startswith("table "), name))


def describe() -> Schema:
    with connection.cursor() as cursor:
        cursor.execute(DESCRIBE[connection.vendor])
        return dict(cursor.fetchall())


@cache
def of_this_version(vendor: str) -> Mapping[str, Set[str]]:
    """Return the objects after all migrations, each with its possible definitions. Takes some seconds."""
    with empty_file() if vendor == "sqlite" else empty_schema():
        migrate()
        made = describe()
        if vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(ROUND_TRIP)
        read_back = describe()
        return {name: {definition, read_back[name]} for name, definition in made.items()}


@contextmanager
def connected_to(database: Path) -> Iterator[None]:
    """Connect Django to another SQLite database, without waiting for the disk."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


@contextmanager
def empty_file() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder, connected_to(Path(folder) / "db.sqlite3"):
        yield


@contextmanager
def empty_schema() -> Iterator[None]:
    """Connect to an empty PostgreSQL schema. Replaces the schema of an interrupted run."""
    with direct.as_default(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {EMPTY} CASCADE; CREATE SCHEMA {EMPTY}; SET search_path TO {EMPTY}")
        try:
            yield
        finally:
            cursor.execute(f"RESET search_path; DROP SCHEMA {EMPTY} CASCADE")


def migrate() -> None:
    call_command("migrate", verbosity=0, interactive=False)


def in_words(found: list[str]) -> str:
    """Join the first `NAMED_AT_MOST`."""
    more = len(found) - NAMED_AT_MOST
    return "; ".join(found[:NAMED_AT_MOST]) + (f"; and {more} more" if more > 0 else "")
