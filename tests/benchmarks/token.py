"""This API's `GET /token` beside its peers, on one database, behind one middleware and server.

The check alone, the call in process, and requests a second through Granian; then the token
page beside a bare view. Medians of seven interleaved rounds, printed as tables.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection, transaction
from django.test import RequestFactory, override_settings
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.models import AuthToken
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.views import APIView
from rest_framework_api_key.models import APIKey
from rest_framework_api_key.permissions import HasAPIKey

from accounts.models import User
from accounts.web.clients import Client
from developers import issuance, usage, vault
from developers.bearer import verification
from developers.models import ApiToken
from tests.benchmarks.measure import medians, microseconds, print_table
from tests.cast import logged_in, token_text
from tests.server import ROOT, free_port, poll, responds

ACCOUNTS = 1000
CHECKS, CALLS, PAGES = 1000, 500, 50
SECONDS, CONNECTIONS = 2, 8
TOKEN_PAGE = "/developers/api-access-token/"
# As every request of HTTP/1.1 does, these name their host.
requests = RequestFactory(headers={"Host": "testserver"})


def main() -> None:
    settings.STATE_DIR.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    person, headers = make_accounts()
    print(
        f"{ACCOUNTS:,} accounts, each with a token of every kind; {connection.vendor}; Python {sys.version.split()[0]}"
    )
    bench_check(headers)
    bench_call(person, headers)
    bench_http(headers)


@transaction.atomic
def make_accounts() -> tuple[User, dict[str, str]]:
    """Give every account a token of each kind, and return one account with its headers."""
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
    return person, headers


PATHS = {
    "ours": "/api/v7/token",
    "DRF TokenAuthentication": "/api/peers/drf",
    "django-rest-knox": "/api/peers/knox",
    "djangorestframework-api-key": "/api/peers/api-key",
    "a bare JSON view": "/api/peers/bare",
}


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


def bench_call(person: User, headers: dict[str, str]) -> None:
    application = WSGIHandler()
    with override_settings(MIDDLEWARE=[]):
        without_middleware = WSGIHandler()
    candidates = {name: caller(application, path, Authorization=headers.get(name, "")) for name, path in PATHS.items()}
    candidates["a bare JSON view without middleware"] = caller(without_middleware, PATHS["a bare JSON view"])
    print_table("The call in process", "µs", microseconds(candidates, CALLS), is_time=True)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in logged_in(person).cookies.items())
    pages = {
        "the token page": caller(application, TOKEN_PAGE, Cookie=cookies),
        "a bare page view": caller(application, "/healthz", Cookie=cookies),
    }
    print_table("The token page", "µs", microseconds(pages, PAGES), is_time=True)


def caller(application: WSGIHandler, path: str, **headers: str) -> Callable[[], None]:
    """Return a function that makes one call through the whole application, and fails unless the status is 200."""
    environ = requests.get(path, headers=headers).environ

    def call() -> None:
        response = application(environ.copy(), start_response)
        b"".join(response)
        response.close()
        assert response.status_code == HTTPStatus.OK, path

    return call


def start_response(
    status: str, headers: list[tuple[str, str]], exc_info: object = None, /
) -> Callable[[bytes], object]:
    """Accept status and headers, as a WSGI server does."""
    return lambda data: None


def bench_http(headers: dict[str, str]) -> None:
    with granian("botpenguin.wsgi") as port, granian("tests.benchmarks.bare_wsgi") as bare_port:
        candidates = {
            name: wrk(f"http://127.0.0.1:{port}{path}", headers.get(name, "")) for name, path in PATHS.items()
        }
        candidates["a bare JSON view without middleware"] = wrk(f"http://127.0.0.1:{bare_port}/api/peers/bare", "")
        print_table("Through Granian, one process", "requests/s", medians(candidates), is_time=False)


@contextmanager
def granian(module: str) -> Iterator[int]:
    """Serve with one process on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    command += ["--log-level", "warning", "--blocking-threads", "2", f"{module}:application"]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            poll(lambda: responds(port))
            yield port
        finally:
            server.terminate()


def wrk(url: str, authorization: str) -> Callable[[], float]:
    """Return a function that loads an address for two seconds and returns its good answers a second."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"Authorization: {authorization}", url]

    def measure() -> float:
        report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in report, report
        match = re.search(r"Requests/sec:\s+([\d.]+)", report)
        assert match, report
        return float(match[1])

    return measure
