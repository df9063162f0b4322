"""GitHub's side of its secret scanning: a server that lists keys, and signed reports."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db.models import F
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.throttling.models import Counter
from developers.scanning import public_keys
from tests.developers.outbound.servers import LocalServer, responding, response

KEYS_PATH = "/meta/public_keys/secret_scanning"
REPORT = "/api/v7/token/report-exposed/github"
NAME = "f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d"
JSON = "Content-Type: application/json; charset=utf-8"
URL = "https://github.com/octocat/Hello-World/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo/bar.txt"


def public_pem(key: Any) -> str:
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def listing(*rows: Any) -> bytes:
    """A response with these rows of keys."""
    return response(json.dumps({"public_keys": rows}).encode(), JSON)


def row(name: str, pem: Any, *, is_current: bool = True) -> dict[str, Any]:
    return {"key_identifier": name, "key": pem, "is_current": is_current}


class GitHub:
    """Signs reports with a key that its server lists under `NAME`."""

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.answers(listing(row("an-older-one", self.pem, is_current=False), row(NAME, self.pem)))

    @property
    def pem(self) -> str:
        return public_pem(self.key)

    def answers(self, *responses: bytes) -> None:
        self.server.behaviour = responding(*responses)

    def signature(self, body: bytes) -> str:
        return b64encode(self.key.sign(body, ec.ECDSA(SHA256()))).decode()

    def headers(self, body: bytes, name: str = NAME) -> dict[str, str]:
        return {"Github-Public-Key-Identifier": name, "Github-Public-Key-Signature": self.signature(body)}

    def report(self, *tokens: str, ip: str = "198.51.100.4", **more: Any) -> Any:
        """Report tokens in a signed report of one row each."""
        row = {"type": "botpenguin_api_token", "url": URL, "source": "content"} | more
        return self.post(json.dumps([{"token": token} | row for token in tokens]).encode(), ip=ip)

    def post(self, body: bytes, headers: dict[str, str] | None = None, ip: str = "198.51.100.4") -> Any:
        sent = self.headers(body) if headers is None else headers
        return Browser().post(REPORT, body, "application/json", headers=sent, REMOTE_ADDR=ip)


@pytest.fixture(scope="module")
def key_server() -> Iterator[LocalServer]:
    with LocalServer(responding(b"")) as server:
        yield server


@pytest.fixture
def github(key_server: LocalServer, settings: Settings) -> GitHub:
    settings.GITHUB_KEYS_URL = key_server.url + KEYS_PATH
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1"]
    key_server.connections = 0
    key_server.requests.clear()
    return GitHub(key_server)


def wait_five_minutes() -> None:
    Counter.objects.filter(name=public_keys.FETCH.name).update(ends_at=F("ends_at") - 300_000)
