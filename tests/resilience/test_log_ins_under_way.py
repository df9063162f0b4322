"""Six threads log in on a real server while the owner of the account ends its sessions: none of them gets in."""

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import SECOND_STEP, options_on
from tests.cast import PASSWORD
from tests.resilience.stolen_sessions import (
    LOG_IN_PAGE,
    NEW_PASSWORD,
    SECURITY,
    THREADS,
    add_passkey,
    by_six_threads,
    errors,
    logged_in,
    make_people,
    post,
    send,
)
from tests.server import Server, poll

pytestmark = [pytest.mark.server, pytest.mark.resilience, pytest.mark.release]
NAMES = ["waiting", "elsewhere", "signing-in"]
# A dry run first, so that the removal itself takes little time after the pipe is closed.
REMOVE_FACTORS = """
from django.core.management import call_command
call_command("remove_factors", "--dry-run", "--user", "waiting@example.com")
open("{}").read()
call_command("remove_factors", "--user", "waiting@example.com")
"""
# Log-ins per address are limited.
addresses = (f"198.18.{number // 250}.{number % 250}" for number in itertools.count())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("log-ins")
    with Server(folder, MAIL_WORKER="off", TRUSTED_PROXIES="127.0.0.1") as server:
        make_people(server, NAMES)
        yield server


def unless_busy(answer: httpx.Response) -> httpx.Response | None:
    is_busy = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and "Retry-After" in answer.headers
    return None if is_busy else answer


class LogIn:
    """A log-in from an address of its own, with the old password and then with a passkey."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.client = server.client()
        self.client.headers.update({"X-Forwarded-For": next(addresses), "Connection": "close"})
        self.statuses: list[int] = []

    def give_password(self) -> None:
        """Send the password until it is checked: few of unknown browsers are hashed at once, and others are refused."""
        form = {"login": f"{self.name}@example.com", "password": PASSWORD}
        answer = poll(lambda: unless_busy(post(self.client, LOG_IN_PAGE, **form)))
        self.statuses.append(answer.status_code)

    def prepare(self, key: SecurityKey) -> None:
        """Send the password, and have the passkey sign."""
        self.give_password()
        self.page = self.client.get(SECOND_STEP)
        self.credential = key.get(options_on(self.page))

    def finish(self) -> None:
        answer = send(self.client, self.page, SECOND_STEP, credential=self.credential)
        self.statuses.append(answer.status_code)

    def later(self) -> tuple[int, str]:
        """Return status and location of a later request."""
        answer = self.client.get(SECURITY)
        return answer.status_code, answer.headers.get("Location", "").partition("?")[0]


def seen(log_ins: list[LogIn]) -> tuple[set[tuple[int, str]], list[int]]:
    """Return what later requests get, and the statuses of errors."""
    return {log_in.later() for log_in in log_ins}, errors(status for log_in in log_ins for status in log_in.statuses)


def test_no_log_in_under_way_outlives_the_removal_of_factors(server: Server, tmp_path: Path) -> None:
    with logged_in(server, "waiting") as owner:
        key = add_passkey(server, owner)
    log_ins = [LogIn(server, "waiting") for _ in range(6 * THREADS)]
    os.mkfifo(pipe := tmp_path / "pipe")
    removing = server.manage_in_background("shell", "--no-imports", "-c", REMOVE_FACTORS.format(pipe))

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda log_in: log_in.prepare(key), log_ins))
        # The pipe opens once the command opens its other end, and the command continues once it is closed.
        with pipe.open("w"):
            finishing = [threads.submit(log_in.finish) for log_in in log_ins]
            poll(lambda: sum(finished.done() for finished in finishing) >= THREADS)
        output, _ = removing.communicate()
        for finished in finishing:
            finished.result()

    assert "\nRemoved: " in output
    assert seen(log_ins) == ({(302, LOG_IN_PAGE)}, [])


def test_no_log_in_at_its_second_step_outlives_logging_out_everywhere_else(server: Server) -> None:
    with logged_in(server, "elsewhere") as owner:
        key = add_passkey(server, owner)
        log_ins = [LogIn(server, "elsewhere") for _ in range(4 * THREADS)]
        page = owner.get(SECURITY)

        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda log_in: log_in.prepare(key), log_ins))
            finishing = [threads.submit(log_in.finish) for log_in in log_ins]
            poll(lambda: sum(finished.done() for finished in finishing) >= THREADS)
            ended = send(owner, page, "/account/sessions/end-others/")
            for finished in finishing:
                finished.result()
        stays = owner.get(SECURITY).status_code

    assert (ended.status_code, stays) == (302, 200)
    assert seen(log_ins) == ({(302, LOG_IN_PAGE)}, [])


def test_no_log_in_under_way_outlives_a_new_password(server: Server) -> None:
    log_ins: list[LogIn] = []
    passwords = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    def log_in() -> list[int]:
        log_ins.append(one := LogIn(server, "signing-in"))
        one.give_password()
        return one.statuses

    with logged_in(server, "signing-in") as owner:
        with by_six_threads(log_in):
            changed = post(owner, "/account/password/change/", **passwords)
        stays = owner.get(SECURITY).status_code

    assert (changed.status_code, stays) == (302, 200)
    assert seen(log_ins) == ({(302, LOG_IN_PAGE)}, [])
