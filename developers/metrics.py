"""How anything is counted for Prometheus, and that by default nothing is.

Each process counts in files of its own, in the folder that `PROMETHEUS_MULTIPROC_DIR` names. botpenguin.serve
sets it where `METRICS_PORT` asks for metrics, and botpenguin.scrape adds up what the files of all say. Without it
nothing is counted, and prometheus_client, which decides as it is imported where it counts, is not imported.
docs/operations.md lists what there is.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def is_on() -> bool:
    return FOLDER in os.environ


def ignore(*values: object) -> None:
    """Count nothing."""


def counter(name: str, documentation: str, label: str, values: Iterable[str] = ()) -> Callable[[str], None]:
    """Return a function that counts one more under a value of the label.

    The values that are known beforehand start from 0, so that the first of them shows as a rise.
    """
    if not is_on():
        return ignore
    from prometheus_client import Counter  # noqa: PLC0415 - see above

    counts = cache(Counter(name, documentation, [label]).labels)
    for value in values:
        counts(value)
    return lambda value: counts(value).inc()
