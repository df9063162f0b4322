"""Errors under `/api/` are JSON in one envelope, with the real status, and never a redirect."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.database import outages
from botpenguin.platform.api import application
from botpenguin.platform.api.errors import OF_REFUSALS
from developers import tokens
from developers.bearer.verification import RefusalReason
from tests.cast import token_text

pytestmark = pytest.mark.matrix

ADDRESS = "/api/v7/token"
# The same in every process, as parallel test runs want it.
WELL_FORMED = "bpat_" + "Ab3" * 13 + "x" + tokens.checksum("bpat_" + "Ab3" * 13 + "x")
INVALID = 'Bearer realm="BotPenguin", error="invalid_token", error_description="{}"'
VISITOR = Browser()
UNAVAILABLE = "The server cannot do this right now, and nothing was changed. Try again in a few seconds."
BROKEN = "Something broke on our side. It has been logged; try again in a moment."


def envelope_of(status: int, key: str, message: str) -> dict[str, Any]:
    return {"success": False, "message": message, "data": [message], "code": status, "error": key}


def assert_error(response: Any, status: int, key: str, message: str) -> None:
    assert response.status_code == status
    assert response.json() == envelope_of(status, key, message)
    headers = {name.lower(): value for name, value in response.headers.items()}
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert (headers["vary"], headers["content-language"]) == ("Accept-Language", "en")
    assert not response.cookies


@pytest.fixture(params=[False, True], ids=["debug off", "debug on"])
def debug(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.DEBUG = request.param


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v7",
        "/api/v7/",
        "/api/v7/token/",
        "/api/v7/Token",
        "/api/v8/token",
        "/api/v7//token",
        "/api/../api/v7/nothing",
        "/api/v7/token%00",
        "/api/v7/token%0d%0aSet-Cookie:a=b",
        "/api/%ff%fe",
        f"/api/v7/{'x' * 5000}",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.usefixtures("debug")
def test_an_unknown_path_is_404(path: str, method: str) -> None:
    response = getattr(Browser(), method)(path)

    assert_error(response, 404, "not_found", "There is nothing at this path. Paths have no trailing slash.")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.usefixtures("debug")
def test_a_wrong_method_is_405_and_names_the_right_ones(method: str) -> None:
    response = Browser().generic(method, ADDRESS)

    assert response["Allow"] == "GET, HEAD"
    assert_error(response, 405, "method_not_allowed", f"This path takes GET, HEAD, not {method}.")


@pytest.mark.parametrize("host", ["evil.example.net", "", "a b", "localhost:port", "xn--\x7f", "testserver@evil"])
@pytest.mark.usefixtures("debug")
@pytest.mark.parametrize("path", [ADDRESS, "/api/v7/docs", "/api/v7/openapi.json"])
def test_a_wrong_host_is_400(host: str, path: str) -> None:
    response = Browser().get(path, HTTP_HOST=host)

    assert_error(response, 400, "host_unknown", "This host name is not served here. Check the base URL.")


@pytest.mark.parametrize("most", [0, 1, 100])
def test_a_wrong_host_is_400_whatever_hosts_were_right_before(
    most: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "MOST_HOSTS", most)
    settings.ALLOWED_HOSTS = [".example.com"]
    browser = Browser()
    hosts = ["a.example.com", "b.example.com:8000", "b.example.com", "example.net", "a.example.com.example.net"]

    statuses = [browser.get("/api/v7/openapi.json", HTTP_HOST=host).status_code for host in hosts * 2]

    assert statuses == [200, 200, 200, 400, 400] * 2


@pytest.mark.parametrize(
    ("headers", "refusal", "challenge"),
    [
        ({}, RefusalReason.MISSING, 'Bearer realm="BotPenguin"'),
        ({"Authorization": "Basic YTpi"}, RefusalReason.MISSING, 'Bearer realm="BotPenguin"'),
        ({"Authorization": "Bearer abc"}, RefusalReason.MALFORMED, INVALID),
        ({"Authorization": f"Bearer {WELL_FORMED}", "authtype": "Token"}, RefusalReason.WRONG_AUTHTYPE, INVALID),
    ],
)
@pytest.mark.usefixtures("debug")
def test_no_token_or_no_such_form_is_401_with_a_challenge(
    headers: dict[str, str], refusal: RefusalReason, challenge: str
) -> None:
    response = Browser().get(ADDRESS, headers=headers)

    assert_error(response, 401, OF_REFUSALS[refusal].key, refusal)
    assert response["WWW-Authenticate"] == challenge.format(refusal)


def test_an_unknown_token_is_401(db: None) -> None:
    response = Browser().get(ADDRESS, headers={"Authorization": f"Bearer {WELL_FORMED}"})

    assert_error(response, 401, "token_unknown", "This API access token does not exist.")
    assert response["WWW-Authenticate"] == INVALID.format("This API access token does not exist.")


def test_the_token_of_a_disabled_account_is_401(alice: User) -> None:
    User.objects.update(is_active=False)

    response = Browser().get(ADDRESS, headers={"Authorization": f"Bearer {token_text(alice)}"})

    assert_error(response, 401, "account_disabled", "The account of this API access token is disabled.")
    assert response["WWW-Authenticate"] == INVALID.format("The account of this API access token is disabled.")


# The first request of a process imports all URLs, which takes long.
@given(st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")), st.sampled_from(["", "Bearer ", "Bearer bpat_"]))
def test_any_bytes_in_the_header_are_401_without_a_query(header: str, start: str) -> None:
    """A query would raise here, and be a 500."""
    response = VISITOR.get(ADDRESS, headers={"Authorization": start + header})

    assert response.status_code == 401


@pytest.mark.parametrize("path", [ADDRESS, "/api/v7/token/", "/api/nothing"])
@pytest.mark.usefixtures("debug")
def test_plain_http_is_403_before_any_query_where_https_is_on(path: str, settings: Settings) -> None:
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = True

    response = Browser().get(path, headers={"Authorization": f"Bearer {WELL_FORMED}"})

    assert_error(
        response,
        403,
        "https_required",
        "Use https. If this request carried a token, revoke it: it crossed the network in clear.",
    )


@pytest.mark.usefixtures("debug")
def test_a_database_that_does_not_answer_is_503_and_logged_without_the_token(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    token = token_text(alice)

    def does_not_answer(run: Callable[..., Any], *args: Any) -> Any:
        raise OperationalError("the database has gone away")

    with connection.execute_wrapper(does_not_answer):
        response = Browser().get(f"{ADDRESS}?apiKey={token}", headers={"Authorization": f"Bearer {token}"})

    assert_error(response, 503, "unavailable", UNAVAILABLE)
    assert caplog.messages[0] == (
        "GET '/api/v7/token' was answered 503, since the database cannot serve: the database has gone away"
    )
    assert token[5:17] not in caplog.text


def test_a_line_end_in_a_path_starts_no_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def does_not_answer(run: Callable[..., Any], *args: Any) -> Any:
        raise OperationalError("the database has gone away")

    with connection.execute_wrapper(does_not_answer):
        Browser().get("/api/v7/bots/x%0AERROR%20forged", headers={"Authorization": f"Bearer {WELL_FORMED}"})

    assert caplog.messages[0] == r"GET '/api/v7/bots/x\nERROR forged' failed."


@pytest.mark.parametrize("path", ["/api/failing/broken", "/api/broken-outside"])
@pytest.mark.usefixtures("debug")
def test_a_failing_operation_is_500(path: str, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.ROOT_URLCONF = "tests.platform.urls"

    response = Browser().get(path)

    assert_error(response, 500, "server_error", BROKEN)
    assert caplog.messages[0] == f"GET {path!r} failed."
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.usefixtures("debug", "db")
def test_the_reference_page_that_fails_is_500_as_everything_else(settings: Settings) -> None:
    del settings.PUBLIC_URL

    response = Browser(raise_request_exception=False).get("/api/v7/docs")

    assert_error(response, 500, "server_error", BROKEN)


def test_the_reference_page_in_an_outage_is_503_as_everything_else() -> None:
    outages.breaker.trip()

    response = Browser(raise_request_exception=False).get("/api/v7/docs")

    assert_error(response, 503, "unavailable", UNAVAILABLE)
    assert response["Retry-After"] == "5"


@pytest.mark.usefixtures("debug")
class TestBodies:
    """Errors of operations with a body. `test_body_limits.py` tests how bodies are read."""

    @pytest.fixture(autouse=True)
    def failing_addresses(self, settings: Settings) -> None:
        settings.ROOT_URLCONF = "tests.platform.urls"

    def test_an_error_of_an_operation_keeps_its_status_and_sentence(self) -> None:
        assert_error(Browser().get("/api/failing/conflict"), 409, "conflict", "That bot has this name already.")

    def test_a_thing_that_is_not_there_is_404(self) -> None:
        response = Browser().get("/api/failing/gone")

        assert_error(response, 404, "not_found", "There is nothing at this path. Paths have no trailing slash.")

    def test_a_wrong_field_is_422_and_named(self) -> None:
        response = Browser().post("/api/failing/named", {"name": 7}, "application/json")

        assert_error(response, 422, "validation_failed", "name should be a valid string.")

    def test_a_body_that_is_too_large_is_413(self, settings: Settings) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

        response = Browser().post("/api/failing/named", {"name": "x" * 20}, "application/json")

        assert_error(response, 413, "body_too_large", "The request body is too large. Send less at once.")

    def test_a_body_that_is_cut_off_is_400(self) -> None:
        class CutOff:
            def read(self, *args: Any) -> bytes:
                raise OSError("connection reset by peer")

            readline = read

        response = Browser().post(
            "/api/failing/named",
            {"name": "x"},
            "application/json",
            **{"wsgi.input": CutOff()},  # type: ignore[arg-type]
        )

        assert_error(response, 400, "body_cut_off", "The request body was cut off on its way. Send it again.")
