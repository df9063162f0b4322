"""What the gateway of `deploy/nginx/` passes on to the node and to the service."""

import hashlib
from pathlib import Path

import httpx
import pytest

from tests.gateway import BEARER, CHALLENGE, GUARD, OWNER, SERVICE_HOST, TOKEN_CHECK, Gateway, Headers, StandIn
from tests.nginx import HOST


def test_nginx_accepts_the_gateway_beside_the_panel(tmp_path: Path) -> None:
    checked = Gateway(tmp_path, 9000, 8000, 8001).check()

    assert checked.returncode == 0, checked.stderr
    expected = 'the "listen ... http2" directive is deprecated'
    assert [line for line in checked.stderr.splitlines() if "[warn]" in line and expected not in line] == []


def test_the_service_gets_whose_token_it_is_and_not_the_token(
    gateway: Gateway, node: StandIn, service: StandIn
) -> None:
    answer = gateway.send("GET", "/any/path?of=it", [BEARER, ("Cookie", "its=own")])

    [received] = service.received
    assert (answer.status, answer.body) == (200, b"served")
    assert (received.method, received.path) == ("GET", "/any/path?of=it")
    assert received.named("x.auth.*|authorization") == OWNER
    assert received.named("cookie|x-forwarded-.*|host") == [
        ("Host", SERVICE_HOST),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", "http"),
        ("Cookie", "its=own"),
    ]


@pytest.mark.parametrize("owner", [OWNER, OWNER[:1], []], ids=["owner", "account alone", "nothing"])
def test_what_clients_send_as_the_owner_never_reaches_the_service(
    gateway: Gateway, node: StandIn, service: StandIn, owner: Headers
) -> None:
    node.answers(204, owner)
    forged = [
        *(("X-Auth-Account", "1"), ("x-auth-account", "1"), ("X_Auth_Account", "1"), ("X-AUTH_ACCOUNT", "1")),
        *(("X-AUTH-EMAIL", "a@b.example"), ("X_AUTH_EMAIL", "a@b.example"), ("x-auth-email", "a@b.example")),
        *(("X-Auth-Token_Hint", "abcd"), ("X-auth-token-hint", ""), ("X-Auth-Token-Hint", "abcd")),
    ]

    gateway.send(headers=[BEARER, *forged, ("Connection", "close, X-Auth-Account, X-Auth-Email")])

    assert service.last.named("x.auth.*") == owner
    assert node.last.named("x.auth.*") == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_whatever_the_request_is_the_check_is_one_head_without_a_body(
    gateway: Gateway, node: StandIn, service: StandIn, method: str
) -> None:
    body = b"" if method in ("GET", "HEAD") else b"for the service"
    about = [BEARER, ("authtype", "Key"), ("User-Agent", "my-program/1.2")]
    others = [("Cookie", "its=own"), ("If-None-Match", "*"), ("X-Forwarded-For", "192.0.2.1"), ("Forwarded", "for=me")]

    answer = gateway.send(method, "/path?query", [*about, *others, ("X-Forwarded-Proto", "https")], body)

    [received] = node.received
    request_id = answer.headers["X-Request-ID"]
    assert (received.method, received.path, received.body) == ("HEAD", TOKEN_CHECK, b"")
    assert sorted(received.headers.items()) == sorted(
        [
            *about,
            ("Host", HOST),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Proto", "http"),
            ("X-Request-ID", request_id),
        ]
    )
    assert [(request.method, request.body) for request in service.received] == [(method, body)]
    assert answer.body == (b"" if method == "HEAD" else b"served")


def test_a_request_has_one_id_at_the_node_at_the_service_and_in_the_answer(
    gateway: Gateway, node: StandIn, service: StandIn
) -> None:
    service.answers(200, [("X-Request-ID", "of-the-service")])
    sent = [BEARER, ("X-Request-ID", "of-the-client")]

    served = gateway.send(headers=sent)
    node.answers(401, [("WWW-Authenticate", CHALLENGE), ("X-Request-ID", "of-the-node")])
    refused = gateway.send(headers=sent)

    ids = [answer.headers.get_all("X-Request-ID") or [] for answer in (served, refused)]
    assert [len(found) for found in ids] == [1, 1]
    assert [request.headers["X-Request-ID"] for request in node.received] == [ids[0][0], ids[1][0]]
    assert service.last.headers["X-Request-ID"] == ids[0][0]


@pytest.mark.parametrize("size", [1, 70_000, 5_000_000])
def test_bodies_reach_the_service_whole(gateway: Gateway, node: StandIn, service: StandIn, size: int) -> None:
    body = b"x" * size
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (size, body)

    gateway.send("POST", "/", [BEARER], body)
    gateway.send("POST", "/", [BEARER, ("Transfer-Encoding", "chunked")], chunked)

    expected = hashlib.sha256(body).digest()
    assert [hashlib.sha256(request.body).digest() for request in service.received] == [expected, expected]
    assert [request.body for request in node.received] == [b"", b""]


def test_connections_to_the_node_and_the_service_are_kept(gateway: Gateway, node: StandIn, service: StandIn) -> None:
    for _ in range(5):
        gateway.send(headers=[BEARER])
        node.answers(401, [("WWW-Authenticate", CHALLENGE)], b"with a body of its own")
        gateway.send(headers=[BEARER])
        node.answers(204, OWNER)

    assert (len(node.received), len({request.port for request in node.received})) == (10, 1)
    assert (len(service.received), len({request.port for request in service.received})) == (5, 1)


def test_over_tls_the_node_learns_that_the_request_came_by_https(
    gateway: Gateway, node: StandIn, service: StandIn
) -> None:
    tls = gateway.tls_of(SERVICE_HOST)
    with httpx.Client(trust_env=False, verify=tls) as client:
        answer = client.get(
            f"https://127.0.0.1:{gateway.https}/",
            headers={"Host": SERVICE_HOST, "Authorization": "Bearer x"},
            extensions={"sni_hostname": SERVICE_HOST},
        )

    assert answer.status_code == 200
    assert node.last.headers.get_all("X-Forwarded-Proto") == ["https"]
    assert service.last.headers.get_all("X-Forwarded-Proto") == ["https"]


def test_a_service_that_needs_the_token_gets_the_one_that_was_checked(
    node: StandIn, service: StandIn, tmp_path: Path
) -> None:
    gateway = Gateway(tmp_path, service.port, node.port)
    gateway.change(GUARD, 'proxy_set_header Authorization "";', "proxy_set_header Authorization $http_authorization;")

    with gateway:
        gateway.send(headers=[BEARER])

    assert service.last.named("authorization") == node.last.named("authorization") == [BEARER]
