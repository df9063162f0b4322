"""The time within which a call must end, and waiting for a socket until then, or until the call is cancelled."""

import select
import ssl
import time
from collections.abc import Callable
from socket import socket
from typing import TypeVar

import httpcore  # httpx is built on it

from developers.outbound.transport import cancelling
from developers.outbound.transport.cancelling import Cancellation

READING, WRITING = select.POLLIN, select.POLLOUT
Result = TypeVar("Result")


class Deadline:
    """The time by which a call must have ended, and its cancellation if it has one."""

    def __init__(self, seconds: float, cancellation: Cancellation | None = None) -> None:
        self.cancellation = cancellation
        self._began_at = time.monotonic()
        self._ends_at = self._began_at + seconds

    @property
    def passed(self) -> float:
        return time.monotonic() - self._began_at

    @property
    def left(self) -> float:
        """Seconds until the deadline. Raises `httpcore.ReadTimeout` once it has passed."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left

    def perform(
        self, operation: Callable[[], Result], connection: socket, event: int, seconds: float | None = None
    ) -> Result:
        """Repeat an operation of a socket that does not block, until it is done, for at most `seconds`.

        `event` is what it waits for: `READING` or `WRITING`. Raises `TimeoutError` and `Cancelled`.
        """
        ends_at = self._ends_at if seconds is None else min(time.monotonic() + seconds, self._ends_at)
        while True:
            # Before each part too: a server that always sends would leave nothing to wait for.
            self._until(ends_at)
            try:
                return operation()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as reason:
                # TLS may have to read before it can write, and the other way round.
                reads, writes = isinstance(reason, ssl.SSLWantReadError), isinstance(reason, ssl.SSLWantWriteError)
            self._wait(connection, READING if reads else WRITING if writes else event, ends_at)

    def _wait(self, connection: socket, event: int, ends_at: float) -> None:
        poll = select.poll()
        poll.register(connection, event)
        if self.cancellation:
            poll.register(self.cancellation, READING)
        number = connection.fileno()
        while all(ready != number for ready, _event in poll.poll(self._until(ends_at) * 1000)):
            continue

    def _until(self, ends_at: float) -> float:
        """Return for how many seconds to wait at once."""
        left = ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self.cancellation is None:
            return left
        self.cancellation.check()
        return min(left, cancelling.SECONDS_BETWEEN_LOOKS)
