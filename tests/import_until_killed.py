"""Processes that are killed during an import.

`python -m tests.import_until_killed step NUMBER:USER ...` imports for each person in a process of its own, which kills
itself right after so many statements.

`python -m tests.import_until_killed random USER ...` imports for the first person, and kills the imports of the others
at random moments within the time that this took.

Both print how each process ended.
"""

import os
import random
import signal
import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the set-up above

from botpenguin.platform import imports  # noqa: E402
from botpenguin.platform.contacts import Details  # noqa: E402
from tests.revoke_until_killed import killer  # noqa: E402

# Twice as many as one transaction of tags takes, and fewer contacts than a page of the API.
CONTACTS, TAGS = 40, [f"tag {number}" for number in range(49)]


def import_for(pk: str) -> None:
    rows = {number: Details(email=f"{number}@example.com", tags=TAGS) for number in range(CONTACTS)}
    imports.import_all(int(pk), rows, None, {})


def start(pk: str, statements: int = 0) -> int:
    """Start a process that imports, and return its id."""
    # No connection is open yet, so the two processes share none.
    process = os.fork()
    if process == 0:
        with connection.execute_wrapper(killer(statements)):
            import_for(pk)
        os._exit(0)
    return process


def end(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main(mode: str, *people: str) -> None:
    longest = 0.0
    for person in people:
        statements, _, pk = person.rpartition(":")
        began_at = time.monotonic()
        process = start(pk, int(statements or 0))
        if longest:
            time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
            os.kill(process, signal.SIGKILL)
        print(end(process), flush=True)
        if mode == "random" and not longest:
            longest = time.monotonic() - began_at


if __name__ == "__main__":
    main(*sys.argv[1:])
