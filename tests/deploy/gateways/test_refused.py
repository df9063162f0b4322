"""What the gateway of `deploy/nginx/` answers itself: refusals, outages and floods."""

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest

from botpenguin.platform.api.errors import OF_REFUSALS
from developers.bearer.verification import RefusalReason
from tests.gateway import BEARER, CHALLENGE, CHECK, GUARD, OWNER, Answer, Gateway, StandIn, exchange
from tests.server import free_port

MISSING = "Send your API access token in the header Authorization: Bearer <token>."
UNKNOWN = "This API access token does not exist."
UNKNOWN_TOKENS = "Too many unknown tokens from this address."
NOT_CHECKED = "The API access token cannot be checked at the moment."
JSON = "application/json"


def envelope(status: int, key: str, sentence: str) -> dict[str, object]:
    return {"success": False, "message": sentence, "data": [sentence], "code": status, "error": key}


def shown(answer: Answer) -> tuple[int, dict[str, object]]:
    """Return the status, and the envelope in the body."""
    assert answer.headers.get_all("Content-Type") == [JSON]
    return answer.status, json.loads(answer.body)


def test_a_body_that_is_too_large_is_refused_without_a_check(gateway: Gateway, node: StandIn, service: StandIn) -> None:
    answer = gateway.send("POST", "/", [BEARER, ("Content-Length", str(10 * 1024 * 1024 + 1))])

    assert shown(answer) == (413, envelope(413, "body_too_large", "The request body is too large. Send less at once."))
    assert (node.received, service.received) == ([], [])


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    ("sentence", "key"),
    [
        ("", "token_missing"),
        ("This API access token was revoked at 2026-11-24T14:02:09.123Z.", "token_revoked"),
        *((reason.value, OF_REFUSALS[reason].key) for reason in RefusalReason if reason is not RefusalReason.MISSING),
    ],
)
def test_a_401_has_the_challenge_of_the_node_its_sentence_and_its_key(  # noqa: PLR0913, PLR0917 - as below
    gateway: Gateway, node: StandIn, service: StandIn, method: str, sentence: str, key: str
) -> None:
    described = f'{CHALLENGE}, error="invalid_token", error_description="{sentence}"' if sentence else CHALLENGE
    node.answers(401, [("WWW-Authenticate", described), *OWNER], b"with a body of its own")

    answer = gateway.send(method, headers=[BEARER], body=b"for the service" if method == "POST" else b"")

    assert answer.headers.get_all("WWW-Authenticate") == [described]
    assert answer.headers.get_all("Cache-Control") == ["no-store"]
    assert {name for name in answer.headers if name.lower().startswith("x-auth")} == set()
    assert service.received == []
    if method == "HEAD":
        assert (answer.status, answer.body) == (401, b"")
    else:
        assert shown(answer) == (401, envelope(401, key, sentence or MISSING))


def test_a_403_says_that_the_token_crossed_the_network_in_clear(
    gateway: Gateway, node: StandIn, service: StandIn
) -> None:
    node.answers(403, body=b"with a body of its own")

    answer = gateway.send(headers=[BEARER])

    sentence = "Use https. If this request carried a token, revoke it: it crossed the network in clear."
    assert shown(answer) == (403, envelope(403, "https_required", sentence))
    assert service.received == []


@pytest.mark.parametrize("status", [302, 304, 400, 404, 405, 413, 429, 500, 502, 503, 504])
def test_any_other_answer_to_the_check_is_a_503(gateway: Gateway, node: StandIn, service: StandIn, status: int) -> None:
    node.answers(status, body=b"" if status == 304 else b"with a body of its own")

    answer = gateway.send(headers=[BEARER])

    sentence = UNKNOWN_TOKENS if status == 429 else NOT_CHECKED
    key = "too_many_unknown_tokens" if status == 429 else "unavailable"
    assert shown(answer) == (503, envelope(503, key, f"{sentence} Try again in 5 seconds."))
    assert answer.headers.get_all("Retry-After") == ["5"]
    assert len(answer.headers.get_all("X-Request-ID") or []) == 1
    assert service.received == []


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("sent", "seconds", "wait"), [("37", "37", "37 seconds"), ("1", "1", "1 second"), ('"', "5", "5 seconds")]
)
def test_a_503_says_when_to_come_back_as_the_node_does(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    gateway: Gateway, node: StandIn, status: int, sent: str, seconds: str, wait: str
) -> None:
    node.answers(status, [("Retry-After", sent)])

    answer = gateway.send(headers=[BEARER])

    assert shown(answer)[1]["message"] == f"{UNKNOWN_TOKENS if status == 429 else NOT_CHECKED} Try again in {wait}."
    assert answer.headers.get_all("Retry-After") == [seconds]


def test_the_answers_of_the_service_pass_as_they_are(gateway: Gateway, node: StandIn, service: StandIn) -> None:
    answers = []
    for status in (302, 401, 403, 404, 413, 429, 500, 502, 503, 504):
        service.answers(status, [("WWW-Authenticate", "Basic"), ("Retry-After", "99")], b"of the service")
        answers.append(gateway.send(headers=[BEARER]))

    assert [answer.status for answer in answers] == [302, 401, 403, 404, 413, 429, 500, 502, 503, 504]
    assert {(answer.headers["WWW-Authenticate"], answer.headers["Retry-After"]) for answer in answers} == {
        ("Basic", "99")
    }
    assert {answer.body for answer in answers} == {b"of the service"}


def test_a_connection_goes_on_after_a_refused_body(gateway: Gateway, node: StandIn, service: StandIn) -> None:
    with closing(gateway.connect()) as connection:
        node.answers(401, [("WWW-Authenticate", CHALLENGE)])
        refused = exchange(connection, "POST", "/", [BEARER], b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        node.answers(204, OWNER)
        served = exchange(connection, "GET", "/", [BEARER])

    assert (refused.status, served.status) == (401, 200)
    assert [request.path for request in service.received] == ["/"]


def test_a_request_with_two_tokens_is_refused_without_a_check(
    gateway: Gateway, node: StandIn, service: StandIn
) -> None:
    answer = gateway.send(headers=[BEARER, ("Authorization", "Bearer of-another")])

    assert answer.status == 400
    assert (node.received, service.received) == ([], [])


def test_clients_cannot_ask_for_the_check_by_its_own_path(gateway: Gateway, node: StandIn, service: StandIn) -> None:
    answer = gateway.send("GET", "/.botpenguin/token-check", [BEARER])

    assert answer.status == 404
    assert (node.received, service.received) == ([], [])


def test_no_answer_of_a_node_is_kept(gateway: Gateway, node: StandIn, service: StandIn) -> None:
    node.answers(204, [*OWNER, ("Cache-Control", "public, max-age=3600"), ("ETag", '"1"')])
    accepted = gateway.send(headers=[BEARER])
    node.answers(401, [("WWW-Authenticate", CHALLENGE)])
    refused = gateway.send(headers=[BEARER])

    assert (accepted.status, refused.status) == (200, 401)
    assert len(node.received) == 2


def test_without_a_node_and_without_the_service_the_answers_say_when_to_come_back(
    node: StandIn, service: StandIn, tmp_path: Path
) -> None:
    (tmp_path / "no-node").mkdir()
    with Gateway(tmp_path / "no-node", service.port, free_port(), free_port()) as gateway:
        without_node = gateway.send(headers=[BEARER])
    with Gateway(tmp_path / "no-service", free_port(), node.port) as gateway:
        without_service = gateway.send(headers=[BEARER])

    assert service.received == []
    assert shown(without_node) == (503, envelope(503, "unavailable", f"{NOT_CHECKED} Try again in 5 seconds."))
    assert without_node.headers["Retry-After"] == "5"
    assert shown(without_service)[0] == 503
    assert without_service.headers["Retry-After"] == "5"


def test_a_node_that_is_silent_holds_a_request_up_for_a_bounded_time(service: StandIn, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        gateway = Gateway(tmp_path, service.port, silent.getsockname()[1])
        gateway.change(CHECK, "proxy_read_timeout 5s;", "proxy_read_timeout 50ms;")
        with gateway:
            answer = gateway.send(headers=[BEARER])

    assert shown(answer) == (503, envelope(503, "unavailable", f"{NOT_CHECKED} Try again in 5 seconds."))
    assert service.received == []


def test_the_other_node_answers_for_one_that_is_silent_or_gone(node: StandIn, service: StandIn, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        gateway = Gateway(tmp_path, service.port, silent.getsockname()[1], free_port(), node.port)
        gateway.change(CHECK, "proxy_next_upstream_tries 2;", "proxy_next_upstream_tries 3;")
        gateway.change(CHECK, "proxy_read_timeout 5s;", "proxy_read_timeout 50ms;")
        with gateway:
            accepted = gateway.send(headers=[BEARER])
            node.answers(429, [("Retry-After", "37")])
            refused = gateway.send(headers=[BEARER])

    assert accepted.status == 200
    assert refused.headers["Retry-After"] == "37"


def test_a_flood_from_one_client_stops_before_the_nodes(node: StandIn, service: StandIn, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, service.port, node.port)
    gateway.change("conf.d/botpenguin.conf", "rate=100r/s", "rate=1r/m")
    gateway.change(GUARD, "burst=200 nodelay", "burst=2 nodelay")
    node.answers(401, [("WWW-Authenticate", CHALLENGE)])

    with gateway:
        answers = [gateway.send(headers=[BEARER]) for _ in range(6)]

    assert [answer.status for answer in answers] == [401, 401, 401, 429, 429, 429]
    assert shown(answers[-1])[1]["code"] == 429
    assert len(node.received) == 3
