"""The gateway of `deploy/nginx/` before a service, with two real nodes: it accepts and refuses what they do."""

import json
import random
import time
from collections.abc import Iterator

import pytest

from tests.gateway import SERVICE_HOST, TOKEN_CHECK, Answer, Gateway, StandIn
from tests.nginx import HOST
from tests.resilience.behind_nginx import ATTACKER, VISITOR, exchange, start_nodes, visitor
from tests.resilience.conftest import Serve
from tests.resilience.load import Hammer, Life, Program, unknown
from tests.server import Server, poll

pytestmark = [pytest.mark.resilience, pytest.mark.server, pytest.mark.release, pytest.mark.xdist_group("proxy")]

CLIENTS, PAUSE = 8, 0.04
ROTATIONS, LEAST_GOOD, LEAST_REFUSED = 100, 5_000, 500
USE = """
SELECT accounts_user.id, last_used_ip, last_used_client
FROM accounts_user JOIN developers_apitoken ON accounts_user.id = user_id
WHERE email = 'person0@example.com'
"""


@pytest.fixture(scope="module")
def nodes(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> list[Server]:
    return start_nodes(serve, tmp_path_factory.mktemp("nodes"))


@pytest.fixture(scope="module")
def service() -> Iterator[StandIn]:
    with StandIn(body=b"served") as running:
        yield running


@pytest.fixture(scope="module")
def gateway(nodes: list[Server], service: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    ports = [node.port for node in nodes]
    with Gateway(tmp_path_factory.mktemp("gateway"), service.port, *ports) as running:
        yield running


def ask(gateway: Gateway, path: str, token: str | None, host: str = SERVICE_HOST, address: str = VISITOR) -> Answer:
    header = f"Authorization: Bearer {token}\n" if token else ""
    head = f"GET {path} HTTP/1.1\nHost: {host}\n{header}User-Agent: a-program/1.2\nConnection: close"
    status, headers, body = exchange(gateway, head, address, host)
    return Answer(status, headers, body)


def program(gateway: Gateway, number: int) -> Program:
    """A program with an address of its own, because nginx limits each."""
    return Program(gateway.https, f"127.0.0.{20 + number}", gateway.tls_of(SERVICE_HOST), SERVICE_HOST)


def test_the_service_gets_the_owner_of_the_token_and_the_node_the_client(
    gateway: Gateway, nodes: list[Server], service: StandIn
) -> None:
    person = visitor(gateway)
    # Of a token that was used a minute ago or less, the next use is not written at once.
    person.revoke()
    token = person.copy()

    answer = ask(gateway, "/a/path", token)

    [(owner, ip, program_name)] = nodes[0].rows(USE)
    assert (answer.status, answer.body) == (200, b"served")
    assert service.last.named("x-auth-.*") == [
        ("X-Auth-Account", str(owner)),
        ("X-Auth-Email", "person0@example.com"),
        ("X-Auth-Token-Hint", token[-4:]),
    ]
    assert (str(ip), program_name) == (VISITOR, "a-program/1.2")


def test_the_gateway_refuses_with_the_words_of_the_node(gateway: Gateway) -> None:
    person = visitor(gateway)
    revoked = person.copy()
    person.revoke()

    for token in (None, "malformed", unknown(), revoked):
        ours = ask(gateway, "/", token)
        of_node = ask(gateway, TOKEN_CHECK, token, HOST)
        assert (ours.status, json.loads(ours.body)) == (401, json.loads(of_node.body))
        assert ours.headers.get_all("WWW-Authenticate") == of_node.headers.get_all("WWW-Authenticate")


def test_the_gateway_refuses_plain_http_with_the_words_of_the_node(gateway: Gateway, service: StandIn) -> None:
    service.received.clear()

    answer = gateway.send(headers=[("Authorization", f"Bearer {unknown()}")])

    assert answer.status == 403
    assert json.loads(answer.body)["message"].startswith("Use https. If this request carried a token, revoke it:")
    assert service.received == []


def test_a_client_that_tries_tokens_learns_when_to_come_back(gateway: Gateway) -> None:
    """Twenty a minute for each of the two nodes."""
    answers = [ask(gateway, "/", unknown(), address=ATTACKER) for _ in range(2 * 20 + 1)]

    while answers[-1].status == 401:
        answers.append(ask(gateway, "/", unknown(), address=ATTACKER))
    last = json.loads(answers[-1].body)
    assert (answers[0].status, answers[-1].status) == (401, 503)
    assert last["message"].startswith("Too many unknown tokens from this address. Try again in ")
    assert answers[-1].headers["Retry-After"] in last["message"]


def test_while_the_nodes_restart_one_by_one_no_request_fails(gateway: Gateway, nodes: list[Server]) -> None:
    token = visitor(gateway).copy()

    with Hammer([program(gateway, number) for number in range(4)], lambda chance: token, PAUSE).running() as hammer:
        for node in nodes:
            before = hammer.count(200)
            assert node.stop() == 0
            node.start()
            node.wait_until_ready()
            poll(lambda: hammer.count(200) > before + 100)  # noqa: B023

    assert hammer.statuses == {200}


def test_no_request_that_begins_after_a_revoke_reaches_the_service(
    gateway: Gateway, nodes: list[Server], service: StandIn
) -> None:
    person = visitor(gateway)
    service.received.clear()
    lives = [Life(person.copy(), time.monotonic())]

    def choose(chance: random.Random) -> str:
        """Choose the live token or one of the last: nodes forget older ones, and count them as unknown."""
        return chance.choice(lives[-10:-1] or lives).token if chance.random() < 0.15 else lives[-1].token

    with Hammer([program(gateway, number) for number in range(CLIENTS)], choose, PAUSE).running() as hammer:
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
    accepted_late = [
        call for call in hammer.calls if call.status == 200 and call.began_at > by_token[call.token].revoked_at
    ]
    violations = [call for call in hammer.calls if by_token[call.token].is_violated_by(call)]
    assert accepted_late == []
    assert violations == []
    assert hammer.statuses == {200, 401}
    assert len(service.received) == hammer.count(200)
    assert {len(request.named("x-auth-account|authorization")) for request in service.received} == {1}
    # Some calls were under way while their token was revoked.
    assert any(by_token[call.token].overlaps(call) for call in hammer.calls)
