"""Every test checks that neither the product nor a library that it calls writes a whole row as it was read.

Such a write undoes what was changed meanwhile, and brings back a row that was deleted. Tests arrange rows themselves.

Most tables number their rows, and an INSERT that names a number brings a row back. Others have random ids, which the
program makes: there an INSERT of an id that was inserted in the same test does.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.db import models

from tests.writers import files_on_the_stack

UPDATE = re.compile(r'\s*UPDATE "?(?P<table>\w+)"? SET (?P<set>.*) WHERE (?P<where>.*)', re.DOTALL)
INSERT = re.compile(r'\s*INSERT (?:OR \w+ )?INTO "?(?P<table>\w+)"? \((?P<columns>[^)]*)\)(?P<rest>.*)', re.DOTALL)
# What an INSERT does where a row has the same key.
CONFLICT = re.compile(r'ON CONFLICT ?\("?(?P<key>\w+)"?\) DO UPDATE SET (?P<set>.*)', re.DOTALL)
COLUMN = re.compile(r"\w+")
ASSIGNED = re.compile(r'"?(\w+)"? = ')
# A flag that a manager leaves out, as of deleted bots, says nothing of what was read.
BY_KEY_ALONE = r'\(?(NOT "{table}"\."\w+" AND )*("?{table}"?\.)?"?{key}"? (= \S+|IN \([^)]*\))\)?\s*(RETURNING .*)?'


# It computes its ids from a seed, and adds again what is missing.
COMPUTES_IDS = "botpenguin/platform/management/commands/seed_demo.py"
# The random ids that were inserted in this test, by table.
inserted: dict[str, set[Any]] = {}


class Table(NamedTuple):
    key: str
    others: frozenset[str]
    numbers_itself: bool
    has_random_ids: bool


def refuse_whole_rows(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    ids = ids_in(str(sql), params, many)
    fault = fault_in(str(sql), ids)
    if fault:
        writer = next(files_on_the_stack(), "tests")
        if not writer.startswith(("tests", COMPUTES_IDS)):
            # No exception of the kind that the code under test may catch.
            pytest.fail(f"{writer} {fault}: {str(sql)[:200]}")
    result = execute(sql, params, many, context)
    for table, id_ in ids:
        inserted.setdefault(table, set()).add(id_)
    return result


def fault_in(sql: str, ids: Iterable[tuple[str, Any]] = ()) -> str:
    """Return what is wrong with a statement that writes a whole row, or an empty text."""
    if update := UPDATE.match(sql):
        table = tables().get(update["table"])
        if table and table.others <= set(ASSIGNED.findall(update["set"])):
            by_key_alone = BY_KEY_ALONE.format(table=update["table"], key=table.key)
            if re.fullmatch(by_key_alone, update["where"].strip(), re.DOTALL):
                return "updates a whole row"
    elif insert := INSERT.match(sql):
        table = tables().get(insert["table"])
        conflict = CONFLICT.search(insert["rest"])
        # Elsewhere the key is a name, such as that of a cached value, whose row is written and not read.
        if table and conflict and conflict["key"] == table.key and (table.numbers_itself or table.has_random_ids):
            is_whole = table.others <= set(ASSIGNED.findall(conflict["set"]))
            return "updates a whole row" if is_whole else ""
        if table and table.numbers_itself and table.key in COLUMN.findall(insert["columns"]):
            return "inserts a row with an id of before"
        if any(id_ in inserted.get(table, ()) for table, id_ in ids):
            return "inserts a row with an id of before"
    return ""


def ids_in(sql: str, params: Any, many: bool) -> list[tuple[str, Any]]:
    """Return the random ids that a statement inserts, each with its table."""
    insert = INSERT.match(sql)
    table = tables().get(insert["table"]) if insert else None
    if not (insert and table and table.has_random_ids):
        return []
    columns, rows = COLUMN.findall(insert["columns"]), params if many else [params]
    at = columns.index(table.key)
    if "UNNEST" in insert["rest"]:
        # PostgreSQL gets a list for each column.
        return [(insert["table"], id_) for row in rows for id_ in row[at]]
    return [(insert["table"], id_) for row in rows for id_ in row[at :: len(columns)]]


@cache
def tables() -> dict[str, Table]:
    """The tables of every installed model with more than one column besides its key."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        key = model._meta.pk
        others = frozenset(field.column for field in model._meta.concrete_fields if field is not key)
        if len(others) > 1:
            numbers_itself = isinstance(key, models.AutoField)
            found[model._meta.db_table] = Table(key.column, others, numbers_itself, key.has_default())
    return found
