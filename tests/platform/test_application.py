"""The API as a WSGI application: what it does itself, since Django's handler does not see its requests."""

from typing import Any

import pytest
from django import db
from django.core.signals import request_finished, request_started
from django.db import connection
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.http.drain import drain
from botpenguin.platform.api import application, direct
from botpenguin.platform.api.application import ApiApplication
from botpenguin.wsgi import application as served
from developers.bearer.verification import RefusalReason
from tests.cast import token_text
from tests.platform.calls import Caller
from tests.wsgi_client import serve

TOKEN, CHECK = direct.TOKEN, direct.CHECK
EXCHANGED = ("X-Request-ID", "RateLimit")


def environ_of(path: str, method: str = "GET", body: str = "", **headers: str) -> dict[str, Any]:
    return RequestFactory().generic(method, path, body, "application/json", headers=headers).environ


def bearing(user: User) -> str:
    return f"Bearer {token_text(user)}"


def without_its_own(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Return the headers that any two responses to one request share."""
    return {name: value for name, value in headers if name not in EXCHANGED}


@pytest.mark.parametrize("path", [TOKEN, CHECK])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("authorization", ["{}", "{}x", "Basic a", ""])
def test_the_direct_way_and_the_usual_way_answer_alike(alice: User, path: str, method: str, authorization: str) -> None:
    headers = {"Authorization": authorization.format(bearing(alice))} if authorization else {}
    serve(served, environ_of(path, **headers))

    status, sent, body = serve(served, environ_of(path, method, **headers))
    usual_status, usual_sent, usual_body = serve(served, environ_of(path, method, "{}", **headers))

    assert (status, without_its_own(sent), body) == (usual_status, without_its_own(usual_sent), usual_body)


def test_a_check_says_whose_the_token_is_without_a_body(as_alice: Caller, alice: User) -> None:
    response = as_alice.send("GET", "/token/check")

    assert (response.status_code, response.content) == (204, b"")
    assert {name: value for name, value in response.headers.items() if name.startswith("X-Auth-")} == {
        "X-Auth-Account": str(alice.pk),
        "X-Auth-Email": "alice@example.com",
        "X-Auth-Token-Hint": token_text(alice)[-4:],
    }
    assert response.headers["Cache-Control"] == "no-store"
    assert {"Content-Type", "Content-Length", "RateLimit"}.isdisjoint(response.headers)


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("x@müller.example", "x@xn--mller-kva.example"),
        ("x@xn--mller-kva.example", "x@xn--mller-kva.example"),
        ("ß@example.com", None),
        ('"x\x0by"@example.com', None),
        ('"a,b@c.example,"@example.com', None),
    ],
)
def test_an_address_in_a_header_is_ascii_or_left_out(alice: User, stored: str, sent: str | None) -> None:
    User.objects.filter(pk=alice.pk).update(email=stored)

    response = Caller(token_text(alice)).send("GET", "/token/check")

    assert (response.status_code, response.headers.get("X-Auth-Email")) == (204, sent)


def test_a_revoked_token_fails_the_next_check_with_the_envelope(as_alice: Caller) -> None:
    accepted = as_alice.send("GET", "/token/check")
    as_alice.send("POST", "/token/revoke")

    status, [sentence] = as_alice.refusal("GET", "/token/check")

    assert accepted.status_code == 204
    assert (status, sentence[:35]) == (401, "This API access token was revoked a")


@pytest.mark.parametrize("path", [TOKEN, CHECK, "/api/v7/bots", "/api/v7/nothing", "/api/v7/openapi.json"])
@pytest.mark.parametrize("is_good", [True, False])
def test_head_has_the_headers_of_get_and_no_body(alice: User, path: str, is_good: bool) -> None:
    headers = {"Authorization": bearing(alice)} if is_good else {}
    # The last use is in the answers to all later calls.
    serve(served, environ_of(path, **headers))

    status, sent, body = serve(served, environ_of(path, **headers))
    of_head = serve(served, environ_of(path, "HEAD", **headers))

    assert (of_head[0], without_its_own(of_head[1]), of_head[2]) == (status, without_its_own(sent), b"")
    assert dict(sent).get("Content-Length") in (str(len(body)), None)


def test_a_check_does_not_count_towards_the_limit(as_alice: Caller, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 1

    checks = [as_alice.send("GET", "/token/check").status_code for _ in range(3)]
    calls = [as_alice.send("GET", "/token").status_code for _ in range(2)]

    assert (checks, calls) == ([204] * 3, [200, 429])


@pytest.fixture
def first_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count accepted checks from 0."""
    monkeypatch.setattr(direct, "accepted_checks", iter(range(100)))


@pytest.mark.parametrize(("every", "logged"), [(1, 4), (2, 2), (3, 2), (0, 0)])
@pytest.mark.usefixtures("first_checks")
def test_one_in_so_many_accepted_checks_is_logged_and_each_refusal(
    as_alice: Caller, settings: Settings, caplog: pytest.LogCaptureFixture, every: int, logged: int
) -> None:
    settings.LOG_CHECKS_EVERY = every

    for _ in range(4):
        as_alice.send("GET", "/token/check")
    for _ in range(3):
        Caller("wrong").send("GET", "/token/check")

    lines = [message for message in caplog.messages if message.startswith("GET /api/v7/token/check ")]
    statuses = [line.split()[2] for line in lines]
    assert (statuses.count("204"), statuses.count("401")) == (logged, 3)


def test_no_signal_of_a_request_is_sent_for_a_call(as_alice: Caller) -> None:
    seen: list[object] = []

    def note(sender: object, **details: object) -> None:
        seen.append(sender)

    for signal in (request_started, request_finished):
        signal.connect(note)
    try:
        for path in ("/token", "/token/check", "/bots", "/nothing"):
            as_alice.send("GET", path)
    finally:
        for signal in (request_started, request_finished):
            signal.disconnect(note)

    assert seen == []


@pytest.mark.parametrize("path", [TOKEN, CHECK, "/api/v7/bots", "/api/nothing"])
@pytest.mark.django_db(transaction=True)
def test_a_connection_is_given_back_after_the_response(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`CONN_MAX_AGE` of 0, as with a pool: the connection's time is over after the request."""
    monkeypatch.setattr(application, "close_old_connections", db.close_old_connections)
    connection.ensure_connection()
    connection.close_at = 0.0
    answer = served(environ_of(path), lambda *start: bytes.__len__)
    b"".join(answer)
    was_open = connection.connection is not None

    answer.close()

    assert (was_open, connection.connection) == (True, None)


@pytest.mark.parametrize("path", [TOKEN, CHECK, "/api/v7/bots"])
def test_the_line_is_written_after_the_response_is_sent(
    alice: User, path: str, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.LOG_CHECKS_EVERY = 1
    headers = {"Authorization": bearing(alice), "X-Request-ID": "call-1"}

    answer = served(environ_of(path, **headers), lambda *start: bytes.__len__)
    b"".join(answer)
    before = list(caplog.messages)
    answer.close()

    [line] = caplog.messages
    assert before == []
    assert line.startswith(f"GET {path} 20")
    assert line.endswith(f"to 127.0.0.1, user {alice.pk}")


@pytest.mark.parametrize("path", [TOKEN, CHECK, "/api/v7/bots", "/api/nothing"])
def test_a_node_that_is_stopping_ends_the_connection(
    as_alice: Caller, path: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DRAIN_SECONDS = 10
    monkeypatch.setattr(drain, "is_announced", lambda: True)

    response = as_alice.send("GET", path.removeprefix("/api/v7"))

    assert response.headers["Connection"] == "close"


@pytest.mark.parametrize("path", [TOKEN, CHECK, "/api/v7/bots", "/api/nothing"])
@pytest.mark.parametrize("proxy_says", ["https", "https, http", "http", None])
def test_https_is_required_and_remembered_on_either_way(
    alice: User, path: str, proxy_says: str | None, settings: Settings
) -> None:
    settings.HTTPS, settings.SECURE_HSTS_SECONDS = True, 3600
    settings.TRUSTED_PROXIES, settings.SECURE_PROXY_SSL_HEADER = ["127.0.0.1"], ("HTTP_X_FORWARDED_PROTO", "https")
    headers = {"Authorization": bearing(alice)} | ({"X-Forwarded-Proto": proxy_says} if proxy_says else {})

    status, sent, _ = serve(ApiApplication(served.api), environ_of(path, **headers))

    is_secure = proxy_says is not None and proxy_says.startswith("https")
    remembered = dict(sent).get("Strict-Transport-Security")
    assert (status[:3] == "403", remembered) == (not is_secure, "max-age=3600" if is_secure else None)


@pytest.mark.parametrize("reason", [RefusalReason.MISSING, RefusalReason.MALFORMED])
def test_a_refusal_on_the_direct_way_names_its_reason(reason: RefusalReason) -> None:
    headers = {} if reason is RefusalReason.MISSING else {"Authorization": "Bearer x"}

    status, sent, body = serve(served, environ_of(CHECK, **headers))

    assert status == "401 Unauthorized"
    assert reason in body.decode()
    assert dict(sent)["WWW-Authenticate"].startswith("Bearer realm=")


def test_pages_are_answered_by_djangos_handler(db: None) -> None:
    status, sent, body = serve(served, environ_of("/healthz"))

    assert (status, body) == ("200 OK", b"ok\n")
    assert dict(sent)["Permissions-Policy"].startswith("camera=()")
