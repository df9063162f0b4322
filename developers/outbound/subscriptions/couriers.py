"""Threads that deliver, inside of the mail worker: a slow target must not delay mail."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.conf import settings
from django.db import close_old_connections, connections

from developers.outbound.subscriptions.delivering import SPARE_SECONDS, ReadContact, deliver_one
from developers.outbound.subscriptions.queue import fan_out

logger = logging.getLogger(__name__)

COURIERS = 4
PAUSE = 2.0


@contextmanager
def couriers(read: ReadContact) -> Iterator[None]:
    """Deliver in threads until the block ends. What is under way then is finished."""
    is_over = Event()
    threads = [Thread(target=_deliver, args=(read, is_over), daemon=True) for _ in range(COURIERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join(settings.OUTBOUND_SECONDS + SPARE_SECONDS)


def deliver_for(seconds: float, read: ReadContact) -> None:
    """Deliver what is due, for about so many seconds."""
    ends_at = time.monotonic() + seconds
    while (fan_out() or deliver_one(read)) and time.monotonic() < ends_at:
        continue


def _deliver(read: ReadContact, is_over: Event) -> None:
    def read_and_let_go(owner: int, bot_id: str, contact_id: str) -> str | None:
        text = read(owner, bot_id, contact_id)
        # The target may be slow, and the pool has few connections.
        close_old_connections()
        return text

    while not is_over.is_set():
        close_old_connections()
        try:
            is_idle = not (fan_out() or deliver_one(read_and_let_go))
        except Exception:  # the next round tries again
            logger.exception("Webhooks wait: this round failed.")
            is_idle = True
        if is_idle:
            close_old_connections()
            is_over.wait(PAUSE)
    connections.close_all()
