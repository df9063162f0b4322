"""How much memory something takes."""

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

MIB = 1024 * 1024


def peak_of(act: Callable[[], Any]) -> tuple[Any, int]:
    """Return what something returns, and the most bytes that Python held for it at one time, beyond those of before."""
    gc.collect()
    tracemalloc.start()
    try:
        return act(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
