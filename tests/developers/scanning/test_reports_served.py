"""A report of GitHub to a real server, whose processes share the keys."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.developers.outbound.servers import LocalServer
from tests.github import KEYS_PATH, REPORT, URL, GitHub
from tests.server import Server
from tests.test_nodes import token_of_first_account

pytestmark = [pytest.mark.server, pytest.mark.release]


def in_chunks(body: bytes) -> Iterator[bytes]:
    yield body[:40]
    yield body[40:]


def test_a_served_report_revokes_the_token_of_the_first_account(tmp_path: Path, key_server: LocalServer) -> None:
    github = GitHub(key_server)
    keys = {"GITHUB_KEYS_URL": key_server.url + KEYS_PATH, "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.1"}
    with Server(tmp_path, WORKERS="2", MAIL_WORKER="off", **keys) as server, server.client() as client:
        token = token_of_first_account(server)
        body = json.dumps([{"token": token, "type": "t", "url": URL, "source": "commit"}]).encode()

        def sent(headers: dict[str, str], *, whole: bool = True) -> httpx.Response:
            headers = {"Content-Type": "application/json", **headers}
            return client.post(REPORT, content=body if whole else in_chunks(body), headers=headers)

        refused = [sent({}), sent(github.headers(body[1:])), sent(github.headers(body, "unknown"))]
        alive = client.get("/api/v7/token", headers={"Authorization": f"Bearer {token}"})
        taken = [sent(github.headers(body), whole=whole) for whole in (False, True, False, True, True, True)]
        dead = client.get("/api/v7/token", headers={"Authorization": f"Bearer {token}"})
        rows = server.rows("SELECT place FROM accounts_securityevent WHERE kind = 'token-revoked'")

    assert [answer.status_code for answer in [*refused, alive, *taken, dead]] == [403] * 3 + [200] * 7 + [401]
    assert {answer.json()[0]["label"] for answer in taken} == {"true_positive"}
    assert [row[0] for row in rows] == [f"GitHub, commit: {URL}"]
    assert key_server.connections == 1
