"""`python -m botpenguin.granian`: Granian, none of whose workers misses that it is told to stop."""

import os
import signal
from functools import partial

from granian.cli import entrypoint


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


# A worker that is spawned, as from Python 3.14 on, imports this module too.
if __name__ == "__main__":
    end_young_workers_at_once()
    entrypoint()  # type: ignore[no-untyped-call]
