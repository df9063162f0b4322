"""Counters and gauges for Prometheus. By default they count nothing.

Each process counts in its own files in the folder `PROMETHEUS_MULTIPROC_DIR`. `botpenguin.server` sets this
variable if `METRICS_PORT` is set, and `botpenguin.observability.prometheus` adds up the files of all processes.
Without it, prometheus_client, which chooses its files on import, is not imported. docs/operations.md lists the
metrics.
"""

import logging
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Bytes per process: enough for all labels in the code, whatever clients send. The files are mapped into memory, and
# writing to one on a full disk kills the process (SIGBUS), so their space is allocated beforehand.
ROOM = {"counter": 1 << 20, "histogram": 2 << 20}
# Of all processes of a node, the value that was set last counts: one that a dead process has left is soon replaced.
GAUGES: Literal["mostrecent"] = "mostrecent"
ROOM_OF_GAUGES = 1 << 16


@cache
def is_on() -> bool:
    """Return whether this process counts: metrics are on, and the disk has room."""
    if FOLDER not in os.environ:
        return False
    try:
        for kind, size in ROOM.items():
            take_room(Path(os.environ[FOLDER]) / f"{kind}_{os.getpid()}.db", size)
    except OSError as error:
        logger.warning("Process %s counts nothing for Prometheus: %s", os.getpid(), error)
        return False
    return True


def take_room(path: Path, size: int) -> None:
    """Make a file of this size, unless a dead process with this id left one. Leaves none if it raises `OSError`."""
    if path.exists():
        return
    # Renamed once it is complete: a reader fails on a file without its head.
    new = path.with_suffix(".new")
    try:
        with new.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        new.rename(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def ignore(*values: object) -> None:
    """Count nothing."""


def counter(name: str, documentation: str, label: str, values: Iterable[str] = ()) -> Callable[[str], None]:
    """Return a function that adds one to the counter for a value of the label.

    `values` start at 0, so that the first event shows as an increase.
    """
    if not is_on():
        return ignore
    from prometheus_client import Counter  # noqa: PLC0415 - see the module's docstring

    counts = cache(Counter(name, documentation, [label]).labels)
    for value in values:
        counts(value)
    return lambda value: counts(value).inc()


def gauge(name: str, documentation: str) -> Callable[[float], None]:
    """Return a function that sets a gauge. Call this in the process that sets it, not before the fork."""
    if not is_on():
        return ignore
    try:
        take_room(Path(os.environ[FOLDER]) / f"gauge_{GAUGES}_{os.getpid()}.db", ROOM_OF_GAUGES)
    except OSError as error:
        logger.warning("Process %s does not set %s: %s", os.getpid(), name, error)
        return ignore
    from prometheus_client import Gauge  # noqa: PLC0415 - see the module's docstring

    return Gauge(name, documentation, multiprocess_mode=GAUGES).set
