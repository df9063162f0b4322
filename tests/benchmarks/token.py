"""This API beside its peers, on one database and server, each in its own handler.

The check alone, the call in process, and requests a second through Granian. Medians of seven interleaved rounds,
printed as tables. The peers run in Django's handler, behind the middleware that does what our API does itself. Django
REST framework also runs behind all middleware, as our API did in 0.1.0: the aims were set by that.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import RequestFactory
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.models import AuthToken
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.views import APIView
from rest_framework_api_key.models import APIKey
from rest_framework_api_key.permissions import HasAPIKey

from accounts.models import User
from accounts.web.clients import Client
from botpenguin.platform.models import Bot
from botpenguin.wsgi import application
from developers import issuance, usage, vault
from developers.bearer import verification
from developers.models import ApiToken
from tests.benchmarks import peers_wsgi
from tests.benchmarks.measure import medians, microseconds, print_aims, print_table
from tests.cast import token_text
from tests.server import ROOT, free_port, poll, responds

ACCOUNTS = 1000
CHECKS, CALLS = 1000, 500
SECONDS, CONNECTIONS = 2, 8
# As every request of HTTP/1.1 does, these name their host.
requests = RequestFactory(headers={"Host": "testserver"})


def main() -> None:
    call_command("migrate", verbosity=0)
    headers = make_accounts()
    print(
        f"{ACCOUNTS:,} accounts, each with a token of every kind; {connection.vendor}; Python {sys.version.split()[0]}"
    )
    bench_check(headers)
    bench_call(headers)
    for threads in (1, settings.THREADS):
        bench_http(headers, threads)


@transaction.atomic
def make_accounts() -> dict[str, str]:
    """Give every account a token of each kind and three bots, and return the headers of one."""
    client = Client("127.0.0.1", "benchmark")
    headers: dict[str, str] = {}
    for number in range(ACCOUNTS):
        person = User.objects.create_user(f"person{number}@example.com")
        issuance.issue(person, client)
        usage.record_use(person.pk, 1, client)
        headers = {
            "ours": f"Bearer {token_text(person)}",
            "DRF TokenAuthentication": f"Token {Token.objects.create(user=person).key}",
            "django-rest-knox": f"Token {AuthToken.objects.create(user=person)[1]}",
            "djangorestframework-api-key": f"Api-Key {APIKey.objects.create_key(name=str(number))[1]}",
        }
        Bot.objects.bulk_create(Bot(owner=person, name=f"Bot {at}", platform="whatsapp") for at in range(3))
    return headers


PEERS = {
    "DRF TokenAuthentication": "/peers/drf",
    "django-rest-knox": "/peers/knox",
    "djangorestframework-api-key": "/peers/api-key",
    "a bare JSON view": "/peers/bare",
}
OURS = {
    "ours": ("/api/v7/token", HTTPStatus.OK),
    "ours, `GET /token/check`": ("/api/v7/token/check", HTTPStatus.NO_CONTENT),
    "ours, `GET /bots` of 3 bots": ("/api/v7/bots", HTTPStatus.OK),
}
CALL, CHECK, BOTS = OURS
DRF = "DRF TokenAuthentication"
WHOLE = "DRF TokenAuthentication, behind all middleware"
BARE = "a bare JSON view without middleware"
PLAIN = "an application that answers ok, without Django"
APPLICATIONS = ("peers_wsgi:peers", "peers_wsgi:whole", "peers_wsgi:bare", "plain_wsgi:application")


def bench_check(headers: dict[str, str]) -> None:
    asked = {name: requests.get("/", headers={"Authorization": value}) for name, value in headers.items()}
    wrapped = {name: APIView().initialize_request(request) for name, request in asked.items()}
    candidates: dict[str, Callable[[], object]] = {
        "ours": lambda: verification.check(asked["ours"]),
        "DRF TokenAuthentication": lambda: TokenAuthentication().authenticate(wrapped["DRF TokenAuthentication"]),
        "django-rest-knox": lambda: KnoxTokenAuthentication().authenticate(wrapped["django-rest-knox"]),
        "djangorestframework-api-key": lambda: HasAPIKey().has_permission(asked["djangorestframework-api-key"], None),
    }
    print_table("The check alone", "µs", microseconds(candidates, CHECKS), is_time=True)
    token = ApiToken.objects.latest("pk")
    row = (token.pk, token.generation, bytes(token.digest), token.key_id, token.binding)
    assert vault.is_bound(*row)
    counts, meta = verification.use_counts, asked["ours"].META | {"HTTP_USER_AGENT": "python-requests/2.32.3"}
    parts: dict[str, Callable[[], object]] = {
        "ours": candidates["ours"],
        "to verify the binding of the row": lambda: vault.is_bound(*row),
        "to count the use by program and address": lambda: counts.add(
            token.pk, token.generation, meta, is_refused=False
        ),
    }
    whole, *times = microseconds(parts, CHECKS).items()
    print()
    for name, took in times:
        print(f"Of ours, {name} takes {took:.2f} µs, {took / whole[1]:.1%}.")


def bench_call(headers: dict[str, str]) -> None:
    ours = {
        name: caller(application, path, status, Authorization=headers["ours"]) for name, (path, status) in OURS.items()
    }
    peers = {name: caller(peers_wsgi.peers, path, Authorization=headers.get(name, "")) for name, path in PEERS.items()}
    others = {
        WHOLE: caller(peers_wsgi.whole, PEERS[DRF], Authorization=headers[DRF]),
        BARE: caller(peers_wsgi.bare, "/peers/bare"),
    }
    found = microseconds(ours | peers | others, CALLS)
    print_table("The call in process", "µs of CPU", found, is_time=True)
    print_aims(
        "In process",
        {
            "call, times DRF's rate": (found[DRF] / found[CALL], 8),
            "call, times DRF's rate behind all middleware": (found[WHOLE] / found[CALL], 8),
            "`GET /token` against a bare Django view without middleware": (found[BARE] / found[CALL], 0.75),
            "`GET /bots` of 3 bots, likewise": (found[BARE] / found[BOTS], 0.5),
            "`GET /token/check`, times DRF's rate": (found[DRF] / found[CHECK], 15),
            "`GET /token/check`, times DRF's rate behind all middleware": (found[WHOLE] / found[CHECK], 15),
        },
    )


def caller(
    application: Callable[..., Any], path: str, status: HTTPStatus = HTTPStatus.OK, **headers: str
) -> Callable[[], None]:
    """Return a function that makes one call through a whole application, and fails unless it has this status."""
    environ = requests.get(path, headers=headers).environ
    expected = f"{status.value} "

    def start(line: str, headers: list[tuple[str, str]], error: object = None, /) -> Callable[[bytes], object]:
        assert line.startswith(expected), (path, line)
        return bytes.__len__

    def call() -> None:
        response = application(environ.copy(), start)
        b"".join(response)
        response.close()

    return call


def bench_http(headers: dict[str, str], threads: int) -> None:
    applications = ("botpenguin.wsgi:application", *(f"tests.benchmarks.{name}" for name in APPLICATIONS))
    with ExitStack() as servers:
        ports = [servers.enter_context(granian(application, threads)) for application in applications]
        our, peers, whole, bare, plain = (f"http://127.0.0.1:{port}" for port in ports)
        candidates = {name: wrk(our + path, headers["ours"]) for name, (path, _) in OURS.items()}
        candidates |= {name: wrk(peers + path, headers.get(name, "")) for name, path in PEERS.items()}
        candidates |= {WHOLE: wrk(whole + PEERS[DRF], headers[DRF]), BARE: wrk(f"{bare}/peers/bare"), PLAIN: wrk(plain)}
        found = medians(candidates)
    title = f"Through Granian, one process, threads: {threads}"
    print_table(title, "requests/s", found, is_time=False)
    print_aims(
        title,
        {
            "call, times DRF's rate": (found[CALL] / found[DRF], 7),
            "call, times DRF's rate behind all middleware": (found[CALL] / found[WHOLE], 7),
            "`GET /token/check`, times DRF's rate": (found[CHECK] / found[DRF], 15),
            "`GET /token/check`, times DRF's rate behind all middleware": (found[CHECK] / found[WHOLE], 15),
            "`GET /token/check` against an application that answers ok": (found[CHECK] / found[PLAIN], 0.2),
        },
    )


@contextmanager
def granian(application: str, threads: int) -> Iterator[int]:
    """Serve with one process on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    command += ["--log-level", "warning", "--blocking-threads", str(threads), application]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            poll(lambda: responds(port))
            yield port
        finally:
            server.terminate()


def wrk(url: str, authorization: str = "") -> Callable[[], float]:
    """Return a function that loads an address for two seconds and returns its good answers a second."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"Authorization: {authorization}", url]

    def measure() -> float:
        report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in report, report
        match = re.search(r"Requests/sec:\s+([\d.]+)", report)
        assert match, report
        return float(match[1])

    return measure
