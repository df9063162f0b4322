"""Measures the memory that a call takes."""

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

MIB = 1024 * 1024


def peak_of(act: Callable[[], Any]) -> tuple[Any, int]:
    """Call a function. Return its result, and by how many bytes Python's memory grew at its peak."""
    gc.collect()
    tracemalloc.start()
    try:
        return act(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
