"""Who may report to the address that GitHub reports to, and what everybody else gets to know there."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.models import User
from developers import tokens
from developers.models import ApiToken
from tests.cast import token_text
from tests.developers.outbound.servers import response
from tests.github import NAME, REPORT, GitHub, github, key_server

__all__ = ["github", "key_server"]
pytestmark = pytest.mark.matrix

MIB = 1024 * 1024
NOT_SIGNED = "This report is not signed by GitHub."


def refusal(status: int, key: str, sentence: str) -> tuple[int, dict[str, Any]]:
    return status, {"success": False, "message": sentence, "data": [sentence], "code": status, "error": key}


def answer_of(received: Any) -> tuple[int, Any]:
    return received.status_code, received.json()


def without(name: str) -> Callable[[GitHub, bytes], dict[str, str]]:
    return lambda github, body: {key: value for key, value in github.headers(body).items() if not key.endswith(name)}


def signed_by_another(github: GitHub, body: bytes) -> dict[str, str]:
    signature = ec.generate_private_key(ec.SECP256R1()).sign(body, ec.ECDSA(SHA256()))
    return github.headers(body) | {"Github-Public-Key-Signature": b64encode(signature).decode()}


def signed_without_der(github: GitHub, body: bytes) -> dict[str, str]:
    numbers = decode_dss_signature(github.key.sign(body, ec.ECDSA(SHA256())))
    raw = b"".join(number.to_bytes(32) for number in numbers)
    return github.headers(body) | {"Github-Public-Key-Signature": b64encode(raw).decode()}


UNSIGNED: dict[str, Callable[[GitHub, bytes], dict[str, str]]] = {
    "no header": lambda github, body: {},
    "no name": without("Identifier"),
    "no signature": without("Signature"),
    "another key": signed_by_another,
    "an unknown name": lambda github, body: github.headers(body, "unknown"),
    "other bytes": lambda github, body: github.headers(body + b" "),
    "fewer bytes": lambda github, body: github.headers(body[:-1]),
    "no bytes": lambda github, body: github.headers(b""),
    "two numbers": signed_without_der,
    "no base64": lambda github, body: github.headers(body) | {"Github-Public-Key-Signature": "?" * 96},
    "cut": lambda github, body: github.headers(body) | {"Github-Public-Key-Signature": github.signature(body)[:-8]},
    "mixed pairs": lambda github, body: {
        "Github-Public-Key-Signature": "MEUC" * 24,
        "X-Github-Public-Key-Signature": github.signature(body),
        "Github-Public-Key-Identifier": NAME,
    },
    "a token instead": lambda github, body: {"Authorization": f"Bearer {json.loads(body)[0]['token']}"},
}


@pytest.mark.parametrize("headers", UNSIGNED.values(), ids=UNSIGNED)
def test_what_is_not_signed_learns_nothing(
    github: GitHub, alice: User, headers: Callable[[GitHub, bytes], dict[str, str]]
) -> None:
    github.report("no token")

    def sent(token: str) -> tuple[Any, list[str]]:
        body = json.dumps([{"token": token}]).encode()
        with CaptureQueriesContext(connection) as queries:
            received = github.post(body, headers(github, body))
        return answer_of(received), [re.sub(r"\d+", "0", query["sql"]) for query in queries]

    live, unknown, none = sent(token_text(alice)), sent(tokens.generate().open()), sent("no token")

    assert live[0] == refusal(403, "not_signed", NOT_SIGNED)
    assert live == unknown == none
    assert [query for query in live[1] if "developers_" in query] == []
    assert ApiToken.objects.get().generation == 1


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 200_000, b"null", b"x" * 5000])
def test_a_body_is_not_read_before_its_signature_is_verified(github: GitHub, db: None, body: bytes) -> None:
    github.report("no token")

    assert answer_of(github.post(body, signed_by_another(github, body))) == refusal(403, "not_signed", NOT_SIGNED)


@pytest.mark.parametrize("prefix", ["Github-", "GITHUB-", "github-", "X-GitHub-", "x-github-"])
def test_every_spelling_of_the_headers_is_read(github: GitHub, alice: User, prefix: str) -> None:
    body = json.dumps([{"token": token_text(alice)}]).encode()
    headers = {name.replace("Github-", prefix): value for name, value in github.headers(body).items()}

    assert github.post(body, headers).json()[0]["label"] == "true_positive"


KEYS = {400: "body_unreadable", 413: "body_too_large", 422: "validation_failed"}
WRONG_BODIES = {
    "empty": (b"", 400, "The body is not JSON: see line 1, column 1."),
    "cut": (b'[{"token": "', 400, "The body is not JSON: see line 1, column 12."),
    "no UTF-8": (b"\xff", 400, "The body is not in UTF-8."),
    "nested": (b"[" * 100_000, 400, "The body is nested too deeply."),
    "too many parts": (b"[" * 200_000, 413, "The body has too many lists and objects. Send less at once."),
    "NaN": (b"[NaN]", 400, "The body is not JSON: it has no NaN."),
    "an object": (b'{"token": "x"}', 422, "The body should be a list."),
    "null": (b"null", 422, "The body should be a list."),
    "a text": (b'"bpat_"', 422, "The body should be a list."),
}


@pytest.mark.parametrize(("body", "status", "sentence"), WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_a_signed_body_that_is_no_report_says_why(
    github: GitHub, db: None, body: bytes, status: int, sentence: str
) -> None:
    assert answer_of(github.post(body)) == refusal(status, KEYS[status], sentence)


def test_a_body_of_a_mebibyte_is_taken_and_a_longer_one_is_not(github: GitHub, alice: User) -> None:
    body = json.dumps([{"token": token_text(alice)}]).encode()

    longer, taken = github.post(body.ljust(MIB + 1)), github.post(body.ljust(MIB))

    assert answer_of(longer) == refusal(413, "body_too_large", "The request body is too large. Send less at once.")
    assert (taken.status_code, taken.json()[0]["label"]) == (200, "true_positive")


def test_without_the_address_of_the_keys_there_is_nothing_here(github: GitHub, alice: User, settings: Settings) -> None:
    settings.GITHUB_KEYS_URL = ""
    body = json.dumps([{"token": token_text(alice)}]).encode()

    signed, asked, unknown = github.post(body), Browser().get(REPORT), Browser().get("/api/v7/token/nothing")

    assert answer_of(signed) == answer_of(asked) == answer_of(unknown)
    assert signed.status_code == 404
    assert (ApiToken.objects.get().generation, github.server.connections) == (1, 0)


def test_only_a_post_is_a_report(github: GitHub, db: None) -> None:
    answer = Browser().get(REPORT)

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_while_no_key_is_known_the_report_must_come_again(github: GitHub, alice: User) -> None:
    github.answers(response(status="500 Internal Server Error"))

    answer = github.report(token_text(alice))

    sentence = "The keys of GitHub are not known right now. Send the report again in a few minutes."
    assert answer_of(answer) == refusal(503, "keys_unknown", sentence)
    assert (answer["Retry-After"], ApiToken.objects.get().generation) == ("300", 1)


def test_reports_have_a_limit_of_their_own(github: GitHub, alice: User, settings: Settings) -> None:
    assert settings.ACCOUNT_RATE_LIMITS["report_of_github"] == "60/m/ip"
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"report_of_github": "3/m/ip"}

    unsigned = [github.post(b"[]", {}).status_code for _ in range(4)]

    assert unsigned == [403] * 3 + [429]
    assert github.report(token_text(alice)).status_code == 429
    assert github.report(token_text(alice), ip="198.51.100.9").status_code == 200
    others = Browser().post("/api/v7/token/report-exposed", {"tokens": ["x"]}, "application/json")
    assert others.status_code == 200


class CutOff(BytesIO):
    def read(self, *size: int | None) -> bytes:
        raise OSError("gone")


def test_a_body_that_is_cut_off_says_so(github: GitHub, db: None) -> None:
    sent: dict[str, Any] = {"wsgi.input": CutOff(), "CONTENT_LENGTH": "2"}

    answer = Browser().generic("POST", REPORT, b"", "application/json", headers=github.headers(b"[]"), **sent)

    assert answer_of(answer) == refusal(400, "body_cut_off", "The request body was cut off on its way. Send it again.")


def test_the_clients_document_leaves_it_out(db: None) -> None:
    paths = Browser().get("/api/v7/openapi.json").json()["paths"]

    assert [path for path in paths if "github" in path] == []
