"""How long this process waits for an answer of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

# In seconds. A person waits for a page, and nobody for a command or a worker. PostgreSQL itself ends a statement after
# 30 seconds, but not a commit, and not if it is frozen.
OF_A_REQUEST, OF_A_COMMAND = 10.0, 300.0


class AnswerDeadline(local):
    """The class has the deadline of the process, and a thread may have one of its own. None is no bound."""

    seconds: float | None = OF_A_COMMAND

    @contextmanager
    def of_this_thread(self, seconds: float | None) -> Iterator[None]:
        self.seconds = seconds
        try:
            yield
        finally:
            del self.seconds


deadline = AnswerDeadline()
