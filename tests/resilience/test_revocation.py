"""Revocation under load and in many sessions at once: the guarantees of SECURITY.md, measured by one clock."""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier

import httpx
import pytest

from tests.resilience.conftest import Serve
from tests.resilience.load import PATH, TOKEN_PAGE, Hammer, Life, Person, Program, csrf_token, make_people, unknown
from tests.server import Server, ask, poll

pytestmark = [pytest.mark.resilience, pytest.mark.long, pytest.mark.xdist_group("node")]

CLIENTS, PROCESSES = 8, 2
# Seconds between two calls of a client. Without a pause, calls would be far more than the load that is asked for.
PAUSE = 0.04
# How often the token is replaced, and the least numbers of good and of refused calls.
LOADS = [
    ("sqlite", 30, 600, 60),
    *(pytest.param(kind, 100, 5_000, 500, marks=pytest.mark.release) for kind in ("sqlite", "postgresql")),
]
VISITS, REVOKES = 20, 50
# Makes sessions without a log-in: Argon2 would take long.
LOG_IN = """
from accounts.models import User
from developers import issuance
from tests.cast import LAPTOP, logged_in

newcomer, holder = (User.objects.create_user(f"{{name}}@example.com") for name in ("newcomer", "holder"))
issuance.issue(holder, LAPTOP)
for user, times in ((newcomer, {visits}), (holder, {revokes})):
    print(*(logged_in(user).cookies["sessionid"].value for _ in range(times)))
"""
LOOK = """
from accounts.models import User
from post_office.models import Email

for name in ("newcomer", "holder"):
    user = User.objects.get(email=f"{name}@example.com")
    kinds = sorted(user.security_events.filter(generation__isnull=False).values_list("kind", flat=True))
    print(user.api_token.generation, user.revoked_tokens.count(), kinds, Email.objects.filter(to=user.email).count())
"""


def processes_that_answered(server: Server, since: int) -> set[int]:
    """Return the ids of the processes that have answered calls, by the log from that character on."""
    lines = [json.loads(line) for line in server.output[since:].splitlines() if line.startswith("{")]
    return {line["process"] for line in lines if (line.get("route"), line.get("status")) in ((PATH, 200), (PATH, 401))}


@pytest.fixture(scope="module")
def server_on(serve: Serve, request: pytest.FixtureRequest) -> Callable[[str], Server]:
    @cache
    def start(kind: str) -> Server:
        if kind == "sqlite":
            found: Server = request.getfixturevalue("node")
            return found
        server = serve(WORKERS=str(PROCESSES), LOG_FORMAT="json", DATABASE_URL=request.getfixturevalue("database"))
        make_people(server, 1)
        return server

    return start


def shell(server: Server, command: str) -> list[str]:
    done = server.manage("shell", "--no-imports", "--command", command)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def at_once(action: Callable[[str], httpx.Response], sessions: list[str]) -> list[httpx.Response]:
    """Do one action in each session, all at the same time."""
    barrier = Barrier(len(sessions))

    def run(session: str) -> httpx.Response:
        barrier.wait()
        return action(session)

    with ThreadPoolExecutor(len(sessions)) as threads:
        return list(threads.map(run, sessions))


@pytest.mark.release
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_many_sessions_at_once_make_one_first_token_and_replace_one(
    kind: str, server_on: Callable[[str], Server]
) -> None:
    server = server_on(kind)
    page = f"http://127.0.0.1:{server.port}{TOKEN_PAGE}"
    newcomers, holders = (line.split() for line in shell(server, LOG_IN.format(visits=VISITS, revokes=REVOKES)))

    def visit(session: str) -> httpx.Response:
        return ask(page, headers={"Cookie": f"sessionid={session}"}, timeout=60)

    visits = at_once(visit, newcomers)
    drawn = visit(holders[0])
    form = {"generation": "1", "csrfmiddlewaretoken": csrf_token(drawn)}
    cookie = f"csrftoken={drawn.cookies['csrftoken']}"

    def revoke(session: str) -> httpx.Response:
        headers = {"Cookie": f"{cookie}; sessionid={session}", "HX-Request": "true"}
        return ask(f"{page}revoke/", "POST", data=form, headers=headers, timeout=60)

    revokes = at_once(revoke, holders)

    assert {answer.status_code for answer in [*visits, *revokes]} == {200}
    assert len({re.findall(r"bpat_•+\w{4}", answer.text)[0] for answer in visits}) == 1
    shown = Counter(
        re.findall("A new token is in place|Nothing was revoked just now", answer.text)[0] for answer in revokes
    )
    assert shown == {"A new token is in place": 1, "Nothing was revoked just now": REVOKES - 1}
    assert shell(server, LOOK) == [
        "1 0 ['token-issued'] 0",
        "2 1 ['token-issued', 'token-issued', 'token-revoked'] 1",
    ]


@pytest.mark.parametrize(("kind", "rotations", "least_good", "least_refused"), LOADS)
def test_under_load_no_dead_token_is_accepted_and_no_live_one_refused(
    kind: str, rotations: int, least_good: int, least_refused: int, server_on: Callable[[str], Server]
) -> None:
    server = server_on(kind)
    person, since = Person(server.url), len(server.output)
    # The process that starts last would otherwise get no connection.
    poll(lambda: ask(f"{server.url}{PATH}").status_code and len(processes_that_answered(server, since)) == PROCESSES)
    lives = [Life(person.copy(), time.monotonic())]

    def choose(chance: random.Random) -> str:
        draw = chance.random()
        if draw < 0.05:
            return unknown()
        return chance.choice(lives[:-1] or lives).token if draw < 0.2 else lives[-1].token

    with Hammer([Program(server.port) for _ in range(CLIENTS)], choose, PAUSE).running() as hammer:
        for number in range(1, rotations + 1):
            page = person.page()
            lives[-1].revoke_sent_at = time.monotonic()
            answer = person.revoke(page)
            lives[-1].revoked_at = time.monotonic()
            assert answer.json()["verdict"] == "replaced"
            lives.append(Life(person.copy(page), time.monotonic()))
            share = number / rotations
            poll(lambda: hammer.count(200) >= least_good * share and hammer.count(401) >= least_refused * share)  # noqa: B023

    by_token = {life.token: life for life in lives}
    violations = [call for call in hammer.calls if call.token in by_token and by_token[call.token].is_violated_by(call)]
    accepted_unknown = [call for call in hammer.calls if call.token not in by_token and call.status != 401]
    assert len(by_token) == rotations + 1
    assert violations == []
    assert accepted_unknown == []
    assert hammer.statuses == {200, 401}
    assert hammer.count(200) >= least_good
    assert hammer.count(401) >= least_refused
    assert len(processes_that_answered(server, since)) == PROCESSES
    # Some calls were under way while their token was revoked.
    assert any(by_token[call.token].overlaps(call) for call in hammer.calls if call.token in by_token)
