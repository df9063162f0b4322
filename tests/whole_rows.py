"""Every test checks that neither the product nor a library that it calls writes a whole row as it was read.

Such a write undoes what was changed meanwhile, and brings back a row that was deleted. Tests arrange rows themselves.
"""

import re
from functools import cache
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.db import models

from tests.writers import files_on_the_stack

UPDATE = re.compile(r'\s*UPDATE "(?P<table>\w+)" SET (?P<set>.*) WHERE (?P<where>.*)', re.DOTALL)
INSERT = re.compile(r'\s*INSERT (?:OR \w+ )?INTO "(?P<table>\w+)" \((?P<columns>[^)]*)\)')
ASSIGNED = re.compile(r'"(\w+)" = ')
# A flag that a manager leaves out, as of deleted bots, says nothing of what was read.
BY_KEY_ALONE = r'\(?(NOT "{table}"\."\w+" AND )*"{table}"\."{key}" (= \S+|IN \([^)]*\))\)?\s*(RETURNING .*)?'


class Table(NamedTuple):
    key: str
    others: frozenset[str]
    numbers_itself: bool


def refuse_whole_rows(execute: Any, sql: Any, *rest: Any) -> Any:
    fault = fault_in(str(sql))
    if fault:
        writer = next(files_on_the_stack(), "tests")
        if not writer.startswith("tests"):
            # No exception of the kind that the code under test may catch.
            pytest.fail(f"{writer} {fault}: {str(sql)[:200]}")
    return execute(sql, *rest)


def fault_in(sql: str) -> str:
    """Return what is wrong with a statement that writes a whole row, or an empty text."""
    if update := UPDATE.match(sql):
        table = tables().get(update["table"])
        if table and table.others <= set(ASSIGNED.findall(update["set"])):
            by_key_alone = BY_KEY_ALONE.format(table=update["table"], key=table.key)
            if re.fullmatch(by_key_alone, update["where"].strip(), re.DOTALL):
                return "updates a whole row"
    elif insert := INSERT.match(sql):
        table = tables().get(insert["table"])
        if table and table.numbers_itself and f'"{table.key}"' in insert["columns"]:
            return "inserts a row with an id of before"
    return ""


@cache
def tables() -> dict[str, Table]:
    """The tables of every installed model with more than one column besides its key."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        key = model._meta.pk
        others = frozenset(field.column for field in model._meta.concrete_fields if field is not key)
        if len(others) > 1:
            found[model._meta.db_table] = Table(key.column, others, isinstance(key, models.AutoField))
    return found
