"""Samples of long lists of cases: `make test` runs the sample, `make test-all` the rest."""

from collections.abc import Container, Iterable
from typing import Any

import pytest


def sample(cases: Iterable[Any], chosen: Container[Any]) -> list[Any]:
    """Return a parameter for each case. Cases that are not chosen have the marker `release`."""
    found = []
    for case in cases:
        values = case if isinstance(case, tuple) else (case,)
        found.append(pytest.param(*values, marks=[] if case in chosen else pytest.mark.release))
    return found
