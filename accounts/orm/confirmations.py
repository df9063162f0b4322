"""When the database has last confirmed a write of this process: a commit that is on its disk and on its standbys.

Such a commit also confirms all that was committed before it began.
"""

from datetime import datetime
from threading import Lock


class Confirmations:
    """The last confirmed write of this process. Threads may share it."""

    def __init__(self) -> None:
        # When the write began, by this node's clock.
        self.confirmed_at: datetime | None = None
        self._lock = Lock()

    def note(self, began_at: datetime) -> None:
        """Note that a synchronous commit that began at this time has succeeded. An earlier one changes nothing."""
        with self._lock:
            if self.confirmed_at is None or began_at > self.confirmed_at:
                self.confirmed_at = began_at


confirmations = Confirmations()
