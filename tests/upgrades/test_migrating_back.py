"""A database of 0.1.0 goes back to what 0.1.0 reads, and forward again, with all of its rows."""

import pytest

from tests.upgrades import databases
from tests.upgrades.databases import Rows

pytestmark = pytest.mark.xdist_group("upgrades")


@pytest.mark.usefixtures("copy")
def test_migrating_back_and_forward_again_loses_nothing(before_and_after: tuple[Rows, str]) -> None:
    before, _ = before_and_after
    upgraded = databases.all_rows()

    databases.migrate_back()
    back = databases.all_rows()
    databases.migrate()

    assert differences(before, back) == {}
    assert differences(upgraded, databases.all_rows()) == {}


def differences(before: Rows, after: Rows) -> dict[str, tuple[list[str], list[str]]]:
    """Return by table the rows that were lost and those that are new."""
    return {
        table: (sorted(set(rows) - set(after.get(table, []))), sorted(set(after.get(table, [])) - set(rows)))
        for table, rows in before.items()
        if rows != after.get(table, [])
    }
