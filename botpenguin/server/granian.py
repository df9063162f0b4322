"""`python -m botpenguin.server.granian`: Granian with workers that share memory and miss no SIGTERM."""

import ctypes
import gc
import multiprocessing
import os
import signal
from contextlib import suppress
from functools import partial
from importlib import import_module

from django.conf import settings
from granian.cli import entrypoint

# From malloc.h of glibc.
M_MMAP_THRESHOLD = -3


def end_young_workers_at_once() -> None:
    """Let SIGTERM end a worker that does not serve yet.

    A forked worker inherits Granian's signal handler, which does nothing in a worker. Without this, a worker would
    ignore a SIGTERM while it starts, serve, and be killed 25 seconds later with its requests.
    """
    block, unblock = (
        partial(signal.pthread_sigmask, how, {signal.SIGTERM}) for how in (signal.SIG_BLOCK, signal.SIG_UNBLOCK)
    )
    os.register_at_fork(before=block, after_in_child=partial(signal.signal, signal.SIGTERM, signal.SIG_DFL))
    os.register_at_fork(after_in_parent=unblock, after_in_child=unblock)


def give_back_large_blocks() -> None:
    """Make glibc return freed blocks of a megabyte or more to the system.

    Otherwise each thread would keep the 19 MiB of its first password hash (mallopt(3), `M_MMAP_THRESHOLD`).
    """
    with suppress(AttributeError):  # another libc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1024 * 1024)


def load_application() -> None:
    """Load Django before workers are forked, so that they share its memory and a replacement starts at once."""
    if multiprocessing.get_start_method() != "fork":
        return
    # These open no connection and start no thread, neither of which would survive a fork.
    import_module("botpenguin.wsgi")
    import_module(settings.ROOT_URLCONF)
    # Otherwise the first garbage collection of each worker would copy the shared memory.
    gc.freeze()


# A spawned worker, the default from Python 3.14 on, imports this module too.
if __name__ == "__main__":
    give_back_large_blocks()
    load_application()
    end_young_workers_at_once()
    entrypoint()  # type: ignore[no-untyped-call]
