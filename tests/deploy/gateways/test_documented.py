"""The samples of docs/gateways.md for Traefik, Envoy and Caddy, run by these."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from accounts.web.clients import Proxies
from tests.gateway import BEARER, CHALLENGE, OWNER, TOKEN_CHECK, Answer, Headers, StandIn, send
from tests.nginx import HOST
from tests.server import ROOT, free_port, poll

pytestmark = pytest.mark.deployment

PROGRAMS = ROOT / ".venv" / "deployment" / "bin"
CLIENT = "127.0.0.3"
# Two of them may run at the same time.
ALONE = {"Caddy": "{\n\tadmin off\n\tpersist_config off\n}\n"}
FORGED = [
    *(("X-Auth-Account", "1"), ("x-auth-account", "1"), ("X_Auth_Account", "1"), ("X-Auth_Account", "1")),
    *(("X-AUTH-EMAIL", "a@b.example"), ("X_AUTH_EMAIL", "a@b.example"), ("X_Auth-Token-Hint", "abcd")),
    *(("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https")),
]


class Documented:
    """One of the programs, with what docs/gateways.md says to put into its files."""

    def __init__(self, name: str, folder: Path, node: int, service: int) -> None:
        self.name, self.folder, self.port, self.checks = name, folder, free_port(), free_port()
        section = (ROOT / "docs" / "gateways.md").read_text().split(f"\n## {name}\n")[1].split("\n## ")[0]
        for number, block in enumerate(re.findall(r"```\w*\n(.*?)```", section, re.DOTALL)):
            (folder / f"{number}.yaml").write_text(ALONE.get(name, "") + self.adapted(block, node, service))

    def adapted(self, block: str, node: int, service: int) -> str:
        for old, new in (
            ("0.0.0.0:80", f"127.0.0.1:{self.port}"),
            ("address: 0.0.0.0, port_value: 80", f"address: 127.0.0.1, port_value: {self.port}"),
            ("service.example.com {", f"http://:{self.port} {{"),
            ("/etc/traefik/gateway.yml", f"{self.folder}/1.yaml"),
            ("127.0.0.1:8081", f"127.0.0.1:{self.checks}"),
            ("127.0.0.1:9000", f"127.0.0.1:{service}"),
            ("port_value: 9000", f"port_value: {service}"),
            *((f"127.0.0.1:{port}", f"127.0.0.1:{node}") for port in (8000, 8001)),
            *((f"port_value: {port}", f"port_value: {node}") for port in (8000, 8001)),
        ):
            block = block.replace(old, new)
        return block

    @property
    def command(self) -> list[str]:
        path = str(self.folder / "0.yaml")
        return {
            "Traefik": [str(PROGRAMS / "traefik"), f"--configFile={path}"],
            "Envoy": [str(PROGRAMS / "envoy"), "-c", path],
            "Caddy": [str(PROGRAMS / "caddy"), "run", "--adapter", "caddyfile", "--config", path],
        }[self.name]

    @contextmanager
    def running(self) -> Iterator[None]:
        environment = os.environ | {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder, env=environment)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)

    def send(self, method: str = "GET", headers: Headers | None = None, body: bytes = b"") -> Answer:
        return send(self.port, method, "/path?query", [BEARER, *(headers or [])], body, CLIENT)

    def passes_on(self) -> bool:
        try:
            return self.send().status == 200
        except OSError:
            return False


@pytest.fixture(scope="module", params=["Traefik", "Envoy", "Caddy"])
def documented(
    request: pytest.FixtureRequest,
    running_node: StandIn,
    running_service: StandIn,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Documented]:
    name = request.param
    found = Documented(name, tmp_path_factory.mktemp(name), running_node.port, running_service.port)
    running_node.answers(204, OWNER)
    with found.running():
        poll(found.passes_on)
        yield found


def test_the_service_gets_the_owner_and_the_node_what_the_check_needs(
    documented: Documented, node: StandIn, service: StandIn, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]

    answer = documented.send("POST", [("authtype", "Key"), ("User-Agent", "my-program/1.2"), *FORGED], b"of the client")

    [check] = [request for request in node.received if request.path != "/readyz"]
    hops = ",".join(check.headers.get_all("X-Forwarded-For") or [])
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": hops}
    Proxies().apply_to(environ)
    assert (answer.status, answer.body) == (200, b"served")
    assert (service.last.method, service.last.path, service.last.body) == ("POST", "/path?query", b"of the client")
    assert [(name.title(), value) for name, value in service.last.named("x.auth.*|authorization")] == OWNER
    assert (check.method, check.path, check.body) == ("GET", TOKEN_CHECK, b"")
    assert sorted((name.title(), value) for name, value in check.named("host|auth.*|user-agent|x-forwarded-proto")) == [
        *(("Authorization", BEARER[1]), ("Authtype", "Key"), ("Host", HOST)),
        *(("User-Agent", "my-program/1.2"), ("X-Forwarded-Proto", "http")),
    ]
    assert environ["REMOTE_ADDR"] == CLIENT


@pytest.mark.parametrize("owner", [OWNER, []], ids=["owner", "nothing"])
def test_what_clients_send_as_the_owner_never_passes(
    documented: Documented, node: StandIn, service: StandIn, owner: Headers
) -> None:
    node.answers(204, owner)

    documented.send(headers=[*FORGED, ("Connection", "close, X-Auth-Account, X-Auth-Email")])

    assert [(name.title(), value) for name, value in service.last.named("x.auth.*")] == owner


@pytest.mark.parametrize(
    ("status", "headers"), [(401, [("WWW-Authenticate", CHALLENGE)]), (403, []), (429, [("Retry-After", "37")])]
)
def test_refusals_pass_as_the_node_answers_them(
    documented: Documented, node: StandIn, service: StandIn, status: int, headers: Headers
) -> None:
    node.answers(status, [*headers, ("Content-Type", "application/json")], b"the envelope")

    answer = documented.send()

    assert (answer.status, answer.body) == (status, b"the envelope")
    assert answer.headers["Content-Type"] == "application/json"
    assert [answer.headers[name] for name, _ in headers] == [value for _, value in headers]
    assert service.received == []


def test_an_outage_is_a_503_that_says_when_to_come_back(
    documented: Documented, node: StandIn, service: StandIn
) -> None:
    node.answers(503, [("Retry-After", "5")], b"the envelope")

    answer = documented.send()

    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert service.received == []


# Traefik gives 503 only after a health check.
@pytest.mark.parametrize(("name", "expected"), [("Traefik", {502, 503}), ("Envoy", {503}), ("Caddy", {503})])
def test_without_a_node_nothing_reaches_the_service(
    name: str, expected: set[int], service: StandIn, tmp_path: Path
) -> None:
    found = Documented(name, tmp_path, free_port(), service.port)

    def answer() -> Answer | None:
        try:
            # Traefik answers 404 until it has read its routes.
            return given if (given := found.send()).status != 404 else None
        except OSError:
            return None

    with found.running():
        given = poll(answer)

    assert given.status in expected
    assert service.received == []
