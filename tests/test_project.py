"""Guards of the project as a whole."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.orm.object_ids import ID_LENGTH
from tests import prepared, server
from tests.server import ROOT

pytestmark = pytest.mark.no_cover

# Pages that need no log-in. Of the API only its documentation: every other address asks for a token.
OPEN_PAGES = {
    "/account/confirm-email/",
    "/account/confirm-email/<str:key>/",
    "/account/confirm-email/again/",
    "/account/confirm-email/again/done/",
    "/account/inactive/",
    "/account/language/",
    "/account/login/",
    "/account/login/passkey/",
    "/account/login/second-step/",
    "/account/login/start-again/",
    "/account/password/reset/",
    "/account/password/reset/done/",
    "/account/password/reset/key/<base36:uidb36>-<str:key>/",
    "/account/password/reset/key/done/",
    "/account/signup/",
    "/api/v7/docs",
    "/api/v7/openapi.json",
    "/healthz",
    "/readyz",
    "/readyz/writes",
}
# Calls of the API that need no token.
OPEN_OPERATIONS = {"/api/v7/token/report-exposed", "/api/v7/token/report-exposed/github"}
# Tests that start servers on databases of their own choice, SQLite or PostgreSQL, whichever the others run on.
CHOOSING = {
    "test_fair_writes.py",
    "test_frozen_cache.py",
    "test_key_rotation.py",
    "test_mail.py",
    "test_nodes.py",
    "test_outages.py",
    "test_pooler.py",
    "test_restore.py",
    "test_revocation.py",
    "test_unconfirmed_revokes.py",
    "test_unconfirmed_writes.py",
    "test_webhooks.py",
}
MOST_LINES = 400
PACKAGES = {"accounts", "botpenguin", "developers"}


def routes(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    """Every address that a browser may ask for."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


def files(*suffixes: str) -> list[Path]:
    """The files that are, or are about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def test_tests_that_start_a_server_run_on_postgresql_too() -> None:
    sources = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    starting = {path for path, source in sources.items() if re.search(r"\b(Covered|First)?Server\(|: Serve\b", source)}
    chosen = {path for path, source in sources.items() if re.search(r"mark\.(server|django_db)\b", source)}

    assert {path.name for path in starting - chosen} == CHOOSING


@pytest.mark.django_db
def test_migrations_match_the_models() -> None:
    output = StringIO()

    call_command("makemigrations", "--check", "--dry-run", stdout=output)

    assert output.getvalue() == "No changes detected\n"


# `make checks` runs the same with fewer settings.
@pytest.mark.release
@pytest.mark.parametrize(
    "mail",
    [{}, {"EMAIL_URL": "smtp+tls://user:secret@mail.example.com:587"}],
    ids=["without mail", "with mail"],
)
def test_a_deployment_behind_a_proxy_passes_every_check(tmp_path: Path, mail: dict[str, str]) -> None:
    (tmp_path / "var").mkdir()
    environment = server.environment(
        tmp_path,
        HTTPS="true",
        PUBLIC_URL="https://app.example.com",
        TRUSTED_PROXIES="127.0.0.1",
        **mail,
        **prepared.SECRETS,
    )

    checked = server.run(
        *(sys.executable, "manage.py", "check", "--deploy", "--database", "default", "--fail-level", "WARNING"),
        env=environment,
    )

    assert (checked.returncode, checked.stdout) == (0, "System check identified no issues (0 silenced).\n"), (
        checked.stderr
    )


@pytest.mark.release
def test_a_first_command_brings_secrets_as_a_first_start_does(tmp_path: Path) -> None:
    check = (sys.executable, "manage.py", "check")

    first, second = (server.run(*check, env=server.environment(tmp_path)) for _ in range(2))

    done = (0, "System check identified no issues (0 silenced).\n")
    assert [(command.returncode, command.stdout) for command in (first, second)] == [done] * 2
    assert first.stderr == f"Wrote fresh secrets to {tmp_path}/.env. Keep it as safe as the database.\n"
    assert second.stderr == ""
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_a_command_makes_no_secrets_beside_a_database(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "db.sqlite3").write_bytes(b"somebody's")

    refused = server.run(sys.executable, "manage.py", "check", env=server.environment(tmp_path))

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"There is a database, {tmp_path}/var/db.sqlite3, but no SECRET_KEY and no TOKEN_KEYS. Put back the .env that "
        f"it was used with, at {tmp_path}/.env: fresh secrets would end every session and make every token in it "
        "unreadable.\n"
    )
    assert not (tmp_path / ".env").exists()


def test_settings_without_secrets_say_how_to_make_them(tmp_path: Path) -> None:
    environment = server.environment(tmp_path, DJANGO_SETTINGS_MODULE="botpenguin.settings")

    refused = server.run(sys.executable, "-c", "import botpenguin.settings", env=environment)

    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "SECRET_KEY is missing: it needs at least 50 random characters. Run `python -m botpenguin.bootstrap` once to "
        "write a .env with fresh secrets, or make one with `python -c 'import secrets; "
        "print(secrets.token_urlsafe(48))'`.\n"
    )


def test_imports_point_one_way() -> None:
    linted = subprocess.run(
        [sys.executable, Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert linted.returncode == 0, linted.stdout
    assert re.search(r"Contracts: \d+ kept, 0 broken\.", linted.stdout)


@pytest.mark.django_db
@pytest.mark.matrix
@pytest.mark.parametrize("route", sorted(set(routes())))
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_page_asks_for_log_in_unless_it_is_listed_here(client: Client, route: str, method: str) -> None:
    address = re.sub(r"<object_id:[^>]+>", "0" * ID_LENGTH, re.sub(r"<int:[^>]+>", "1", route))
    address = re.sub(r"<[^>]+>", "x", address)

    answer = getattr(client, method)(address)

    asks_for_log_in = answer.status_code == 302 and answer.headers["Location"].startswith("/account/login/?next=")
    asks_for_token = answer.status_code == 401 and answer.headers["WWW-Authenticate"] == 'Bearer realm="BotPenguin"'
    if route.startswith("/api/") and route not in OPEN_PAGES:
        assert route in OPEN_OPERATIONS or asks_for_token or answer.status_code in (404, 405)
    else:
        assert asks_for_log_in == (route not in OPEN_PAGES)


def test_every_open_page_exists() -> None:
    assert set(routes()) >= OPEN_PAGES


def test_no_file_is_too_long_to_read_at_once() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files(".py", ".html", ".css", ".js", ".md")
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }

    assert long == {}


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-audit.txt", "requirements-deployment.txt"]
)
def test_lock_files_hold_hashes_and_no_address(name: str) -> None:
    lock = (ROOT / name).read_text()

    pinned = re.findall(r"^[\w.-]+(?:\[[\w, -]+\])?==\S+", lock, re.MULTILINE)
    assert pinned
    assert lock.count(" \\\n    --hash=sha256:") >= len(pinned)
    assert "://" not in lock
    assert "index" not in lock.replace("importlib", "")


def test_the_lock_of_npm_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "tests/audit/package-lock.json").read_text()
    packages = json.loads(lock)["packages"]

    assert "://" not in lock
    wanting = [
        name for name, package in packages.items() if name and not package.get("integrity", "").startswith("sha512-")
    ]
    assert wanting == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)
    needed = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["dependency-groups"]["audit"],
    ]

    without = [name for name in needed if not re.search(rf'^ *"{re.escape(name)}", +# \S', text, re.MULTILINE)]

    assert without == []


def test_every_package_of_ours_is_linted_typed_covered_and_shipped() -> None:
    """Otherwise a new app would pass `make test` and be missing in the image."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    packages = {name.split(".")[0] for name in settings.INSTALLED_APPS if (ROOT / name.split(".")[0]).is_dir()}

    listed = [
        tool["coverage"]["run"]["source"],
        tool["importlinter"]["root_packages"],
        set(tool["mypy"]["files"]) - {"manage.py", "tests"},
        set(tool["ruff"]["lint"]["isort"]["known-first-party"]) - {"tests"},
        re.findall(r"^COPY (\w+) \1$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE),
        re.findall(r"^!(\w+)$", (ROOT / "deploy/Dockerfile.dockerignore").read_text(), re.MULTILINE),
    ]

    assert [set(names) - {"locale", "static", "templates"} for names in listed] == [packages] * len(listed)
