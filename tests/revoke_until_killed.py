"""Processes that do not survive their revokes.

`python -m tests.revoke_until_killed many USER` revokes the person's token over and over,
and prints each new generation once its revoke has been answered.

`python -m tests.revoke_until_killed step USER ...` revokes the token of each person in a
process of its own, which kills itself right after the first statement for the first
person, after the second for the second and so on, and prints how each process ended.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the set-up above

from accounts.models import User  # noqa: E402
from accounts.web.clients import Client  # noqa: E402
from developers import issuance  # noqa: E402
from developers.models import ApiToken  # noqa: E402


def revoke(pk: str) -> int:
    owner = User.objects.get(pk=pk)
    generation = ApiToken.objects.get(user=owner).generation
    outcome = issuance.revoke(owner, generation, Client(None, "doomed"), even_if_used=True)
    return outcome.token.generation


def killer(last: int) -> Callable[..., Any]:
    """Make a wrapper that lets so many statements happen, and nothing after them."""
    numbers = itertools.count(1)

    def execute(run: Callable[..., Any], *args: Any) -> Any:
        result = run(*args)
        if next(numbers) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return execute


def revoke_in_a_process_of_its_own(pk: str, statements: int) -> int:
    # No connection is open yet, so the two processes share none.
    process = os.fork()
    if process == 0:
        with connection.execute_wrapper(killer(statements)):
            revoke(pk)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main(mode: str, *pks: str) -> None:
    if mode == "many":
        while True:
            print(revoke(pks[0]), flush=True)
    for statements, pk in enumerate(pks, start=1):
        print(revoke_in_a_process_of_its_own(pk, statements), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
