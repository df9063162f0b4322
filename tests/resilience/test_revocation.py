"""Revocation under load: what SECURITY.md guarantees, measured by one clock."""

import json
import random
import time

import pytest

from tests.resilience.conftest import Serve
from tests.resilience.load import PATH, Call, Hammer, Person, Program, make_people, unknown
from tests.server import Server, poll

pytestmark = [pytest.mark.resilience, pytest.mark.long]

CLIENTS, ROTATIONS = 8, 100
LEAST_GOOD, LEAST_REFUSED = 5_000, 500


class Life:
    """When a token was copied, and when its revoke was sent and answered."""

    def __init__(self, token: str, copied_at: float) -> None:
        self.token, self.copied_at = token, copied_at
        self.revoke_sent_at = self.revoked_at = float("inf")

    def is_betrayed_by(self, call: Call) -> bool:
        if call.began_at > self.revoked_at:
            return call.status != 401
        must_be_good = call.began_at > self.copied_at and call.ended_at < self.revoke_sent_at
        return must_be_good and call.status != 200


def processes_that_answered(server: Server) -> set[int]:
    lines = [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
    return {line["process"] for line in lines if (line.get("route"), line.get("status")) in ((PATH, 200), (PATH, 401))}


@pytest.mark.xdist_group("revocation")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_under_load_no_dead_token_is_accepted_and_no_live_one_refused(
    kind: str, serve: Serve, request: pytest.FixtureRequest
) -> None:
    where = {"DATABASE_URL": request.getfixturevalue("database")} if kind == "postgresql" else {}
    server = serve(WORKERS="2", LOG_FORMAT="json", **where)
    make_people(server, 1)
    person = Person(server.url)
    lives = [Life(person.copy(), time.monotonic())]

    def choose(chance: random.Random) -> str:
        draw = chance.random()
        if draw < 0.05:
            return unknown()
        return chance.choice(lives[:-1] or lives).token if draw < 0.2 else lives[-1].token

    with Hammer([Program(server.port) for _ in range(CLIENTS)], choose).running() as hammer:
        for number in range(1, ROTATIONS + 1):
            page = person.page()
            lives[-1].revoke_sent_at = time.monotonic()
            answer = person.revoke(page)
            lives[-1].revoked_at = time.monotonic()
            assert answer.json()["verdict"] == "replaced"
            lives.append(Life(person.copy(page), time.monotonic()))
            share = number / ROTATIONS
            poll(lambda: hammer.count(200) >= LEAST_GOOD * share and hammer.count(401) >= LEAST_REFUSED * share)  # noqa: B023

    by_token = {life.token: life for life in lives}
    betrayals = [call for call in hammer.calls if call.token in by_token and by_token[call.token].is_betrayed_by(call)]
    accepted_unknown = [call for call in hammer.calls if call.token not in by_token and call.status != 401]
    assert len(by_token) == ROTATIONS + 1
    assert betrayals == []
    assert accepted_unknown == []
    assert hammer.statuses == {200, 401}
    assert hammer.count(200) >= LEAST_GOOD
    assert hammer.count(401) >= LEAST_REFUSED
    assert len(processes_that_answered(server)) == 2
    # The clients met every moment of a token's life: some calls were under way while it was revoked.
    assert any(
        call.began_at < life.revoked_at and call.ended_at > life.revoke_sent_at
        for call in hammer.calls
        if (life := by_token.get(call.token))
    )
