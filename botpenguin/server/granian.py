"""`python -m botpenguin.server.granian`: Granian with workers that share memory and miss no signal that ends them."""

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

# Of glibc's malloc.h.
M_MMAP_THRESHOLD = -3


def end_young_workers_at_once() -> None:
    """Have SIGTERM end a worker until it serves.

    A forked one inherits what Granian itself does then, which in a worker is nothing. While Django loads, it would
    lose the signal, serve on, and be killed 25 seconds later with all that is under way in it.
    """
    block, unblock = (
        partial(signal.pthread_sigmask, how, {signal.SIGTERM}) for how in (signal.SIG_BLOCK, signal.SIG_UNBLOCK)
    )
    os.register_at_fork(before=block, after_in_child=partial(signal.signal, signal.SIGTERM, signal.SIG_DFL))
    os.register_at_fork(after_in_parent=unblock, after_in_child=unblock)


def give_back_large_blocks() -> None:
    """Have glibc give memory of a megabyte or more back once it is freed.

    Else each thread keeps what a hash took, 19 MiB, after the first one (mallopt(3), `M_MMAP_THRESHOLD`).
    """
    with suppress(AttributeError):  # another libc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1024 * 1024)


def load_application() -> None:
    """Load Django before any worker is forked: all of them share it, and whoever replaces a dead one has it at once."""
    if multiprocessing.get_start_method() != "fork":
        return
    # They open no connection and start no thread: neither outlives a fork.
    import_module("botpenguin.wsgi")
    import_module(settings.ROOT_URLCONF)
    # Else each worker's first collection would copy what it shares.
    gc.freeze()


# A worker that is spawned, as from Python 3.14 on, imports this module too.
if __name__ == "__main__":
    give_back_large_blocks()
    load_application()
    end_young_workers_at_once()
    entrypoint()  # type: ignore[no-untyped-call]
