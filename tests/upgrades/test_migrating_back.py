"""A database of 0.1.0 migrates back to the schema of 0.1.0, and forward again, with all of its rows."""

import pytest

from tests.upgrades import databases
from tests.upgrades.databases import Rows

pytestmark = pytest.mark.xdist_group("upgrades")


# The fixture has migrated the same rows forward, so doing it again is for releases.
@pytest.mark.matrix
@pytest.mark.usefixtures("copy")
@pytest.mark.parametrize("and_forward", [False, pytest.param(True, marks=pytest.mark.release)])
def test_migrating_back_and_forward_again_loses_nothing(before_and_after: tuple[Rows, str], and_forward: bool) -> None:
    before, _ = before_and_after
    upgraded = databases.all_rows()

    databases.migrate_back()
    back = databases.all_rows()

    assert differences(before, back) == {}
    if and_forward:
        databases.migrate()
        assert differences(upgraded, databases.all_rows()) == {}


def differences(before: Rows, after: Rows) -> dict[str, tuple[list[str], list[str]]]:
    """Return by table the rows that were lost and those that are new."""
    return {
        table: (sorted(set(rows) - set(after.get(table, []))), sorted(set(after.get(table, [])) - set(rows)))
        for table, rows in before.items()
        if rows != after.get(table, [])
    }
