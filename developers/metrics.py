"""Counters for Prometheus, which by default count nothing.

Each process counts in files of its own, in the folder that `PROMETHEUS_MULTIPROC_DIR` names. `botpenguin.server` sets
it where `METRICS_PORT` asks for metrics, and `botpenguin.observability.prometheus` adds up the files of all processes.
Without it nothing is counted, and prometheus_client, which chooses its files as it is imported, is not imported.
docs/operations.md lists what there is.
"""

import logging
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Bytes, of a process: what all labels that our code knows come to, whatever clients send. The files are mapped
# into memory, and to write where the disk has no room ends the process (SIGBUS): so it is taken beforehand.
ROOM = {"counter": 1 << 20, "histogram": 2 << 20}


@cache
def is_on() -> bool:
    """Tell whether this process counts: where that is asked for, and there is room."""
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
    """Make a file of this size, or raise `OSError` and leave none. One is there where a dead process had the number."""
    if path.exists():
        return
    # Under its name once it is whole: a scrape cannot read one without its head.
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
