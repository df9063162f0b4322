"""`python -m botpenguin.server`, the real thing: what `make run` runs.

What is about files, or refused before a database is asked, is no different on PostgreSQL, and runs on SQLite only.
"""

import gc
import multiprocessing
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from botpenguin.server import __main__ as serve
from botpenguin.server import granian
from tests import postgresql, processes, server
from tests.server import SQLITE, FirstServer, Server

READY = "BotPenguin is at {url} - log in there with the email and password of an account.\nPress Ctrl-C to stop.\n"

# One server for those that want a state which an earlier start has left.
pytestmark = [pytest.mark.matrix, pytest.mark.xdist_group("serve")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Server]:
    """A server after its first start, which the tests of this module share."""
    with FirstServer(folder, WORKERS="1") as running:
        yield running
        assert_others_end_with(running, "botpenguin.server.granian")


def assert_others_end_with(running: Server, module: str) -> None:
    """Kill one of the processes: all others must end."""
    family = processes.descendants(running.process.pid)
    part = next(pid for pid in family if f"\0{module}\0".encode() in Path(f"/proc/{pid}/cmdline").read_bytes())
    processes.kill(part)
    assert running.process.wait(timeout=90) == 1
    assert running.output.endswith("\nOne of the processes ended by itself, so the others are stopped too.\n")
    assert server.poll(lambda: not [pid for pid in family if processes.is_alive(pid)])


@pytest.fixture
def was_served(served: Server, tmp_path: Path) -> Path:
    """A state that an earlier start has left."""
    (tmp_path / "var").mkdir()
    (tmp_path / ".env").write_text(served.env_file.read_text())
    copy_database(served, tmp_path)
    return tmp_path


def copy_database(served: Server, folder: Path) -> None:
    url = served.database_url
    if url.startswith(SQLITE):
        with served.database() as source, closing(sqlite3.connect(folder / "var" / "db.sqlite3")) as copy:
            source.backup(copy)
    else:
        copied = postgresql.copied(url)
        (folder / ".env").write_text(served.env_file.read_text().replace(url, copied))


def log_in(client: httpx.Client, email: str, password: str) -> httpx.Response:
    client.get("/account/login/")
    form = {"login": email, "password": password, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
    return client.post("/account/login/", data=form)


@pytest.mark.server
def test_the_first_start_prints_the_address_and_how_to_log_in(served: Server) -> None:
    email, password = served.first_account

    # Other tests ask the same server for pages.
    sentences = [line for line in served.output.splitlines() if " INFO botpenguin.requests: " not in line]
    # On PostgreSQL a command of its own has written them.
    wrote = f"Wrote fresh secrets to {served.folder}/.env. Keep it as safe as the database.\n"
    assert (
        "\n".join([*sentences, ""])
        == (
            (wrote if served.database_url.startswith(SQLITE) else "")
            + f"{re.search(r'Updating the database: [0-9]+ migrations.', served.output)[0]}\n"  # type: ignore[index]
            f"The first account: {email} with the password {password}\n"
            "The password is shown only now. Write it down, or change it under My Account.\n"
            + READY.format(url=f"http://localhost:{served.port}")
        )
    )


@pytest.mark.server
def test_the_first_account_logs_in_and_reaches_the_panel(served: Server) -> None:
    with served.client() as client:
        answer = log_in(client, *served.first_account)
        home = client.get("/")
        page = client.get("/developers/", follow_redirects=True)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert (home.status_code, home.headers["Location"]) == (302, "/bots/")
    assert page.url.path == "/developers/third-party-apps-api/"
    assert page.status_code == 200


@pytest.mark.server
def test_it_reports_its_health(served: Server) -> None:
    with served.client() as client:
        answers = [client.get("/healthz"), client.get("/readyz")]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "ok\n"), (200, "ok\n")]


def test_static_files_are_served_under_names_that_never_go_stale(served: Server) -> None:
    with served.client() as client:
        page = client.get("/account/login/").text
        stylesheet = re.search(r'href="(/static/css/base\.[0-9a-f]{12}\.css)"', page)
        assert stylesheet
        answer = client.get(stylesheet[1], headers={"Accept-Encoding": "br"})

    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert answer.headers["Content-Encoding"] == "br"


def test_what_lies_beside_static_files_is_not_served(served: Server) -> None:
    names = [".collected", "staticfiles.json"]

    with served.client() as client:
        statuses = [client.get(f"/static/{name}").status_code for name in names]

    assert [(served.folder / "var/static" / name).is_file() for name in names] == [True, True]
    assert statuses == [404, 404]


def test_nobody_else_on_the_machine_can_read_its_state(served: Server) -> None:
    state = served.folder / "var"
    # Static files hold no data.
    files = [path for path in state.rglob("*") if path.is_file() and not path.is_relative_to(state / "static")]

    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (*files, served.folder / ".env")}

    assert modes == dict.fromkeys(modes, "0o600")
    assert f"logging-{served.port}.json" in modes
    assert {path.stat().st_mode & 0o777 for path in (state, *state.iterdir()) if path.is_dir()} == {0o700}


@pytest.mark.server
def test_its_mail_worker_sends_what_is_queued(served: Server) -> None:
    with served.client() as client:
        client.get("/account/password/reset/")
        client.post(
            "/account/password/reset/",
            data={"email": served.first_account[0], "csrfmiddlewaretoken": client.cookies["csrftoken"]},
        )

    def resets() -> list[str]:
        # Other tests have the same server send other mail, and a file holds what was sent at one go.
        return [mail for mail in served.sent_mail if "/account/password/reset/key/" in mail.replace("=\n", "")]

    [mail] = server.poll(resets)
    assert f"\nTo: {served.first_account[0]}\n" in mail


@pytest.mark.release
@pytest.mark.server
def test_a_superuser_made_by_command_logs_in_at_once(served: Server) -> None:
    password = secrets.token_urlsafe(12)

    made = served.manage(
        *("createsuperuser", "--noinput"),
        DJANGO_SUPERUSER_EMAIL="root@example.com",
        DJANGO_SUPERUSER_PASSWORD=password,
    )
    with served.client() as client:
        answer = log_in(client, "root@example.com", password)

    assert made.returncode == 0, made.stderr
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.mark.release
@pytest.mark.server
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_start_says_only_where_it_is_and_a_signal_ends_all_of_it(was_served: Path, number: int) -> None:
    second = Server(was_served, WORKERS="1")
    second.start()
    second.wait_until_ready()
    family = processes.descendants(second.process.pid)

    status = second.stop(number)

    assert status == 0
    assert second.output == READY.format(url=second.url)
    # The web server, its worker, and the mail worker.
    assert len(family) >= 3
    assert [pid for pid in family if processes.is_alive(pid)] == []


@pytest.mark.release
@pytest.mark.server
@pytest.mark.parametrize("module", ["botpenguin.server.granian", "mail_worker"])
def test_when_one_part_ends_the_other_is_stopped_too(was_served: Path, module: str) -> None:
    running = Server(was_served, WORKERS="1")
    running.start()
    running.wait_until_ready()

    assert_others_end_with(running, module)

    assert running.output.startswith(READY.format(url=running.url))


def test_a_signal_while_it_prepares_ends_it_without_a_traceback(tmp_path: Path) -> None:
    starting = FirstServer(tmp_path)
    starting.start()
    server.poll(lambda: "Wrote fresh secrets" in starting.output)

    status = starting.stop(signal.SIGINT)

    assert status == -signal.SIGINT
    assert "Traceback" not in starting.output


@pytest.mark.release
@pytest.mark.server
def test_a_worker_that_is_stopped_while_it_starts_ends_at_once(was_served: Path) -> None:
    starting = Server(was_served, WORKERS="1", MAIL_WORKER="off")
    starting.start()
    # The web server and its worker, which does not serve yet.
    server.poll(lambda: len(processes.descendants(starting.process.pid)) >= 2)
    told_at = time.monotonic()

    status = starting.stop()

    assert status == 0
    # It was not killed for not having heard.
    assert time.monotonic() - told_at < serve.SECONDS_FOR_REQUESTS


def test_nothing_is_loaded_for_workers_that_are_spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda: "spawn")
    frozen = gc.get_freeze_count()

    granian.load_application()

    assert gc.get_freeze_count() == frozen


@pytest.mark.release
def test_a_server_of_the_tests_that_is_not_ready_in_time_is_not_left_running(
    was_served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Server(was_served, WORKERS="1", MAIL_WORKER="off")
    monkeypatch.setattr(server, "SECONDS_TO_START", 0)

    with pytest.raises(AssertionError, match="what was waited for did not come"), late:
        pass

    assert late.process.poll() is not None


def test_a_part_that_does_not_heed_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "SECONDS_TO_STOP", 1)
    heedless = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    child = subprocess.Popen([sys.executable, "-c", heedless], stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout
    with child.stdout as output:
        assert output.readline() == b"deaf\n"

    serve.stop([child])

    assert child.returncode == -signal.SIGKILL


@pytest.mark.release
@pytest.mark.server
def test_a_wrong_ring_is_refused_with_a_sentence_that_names_no_key(served: Server, was_served: Path) -> None:
    with served.client() as client:
        log_in(client, *served.first_account)
        client.get("/developers/api-access-token/")
    copy_database(served, was_served)
    wrong = secrets.token_urlsafe(32)

    refused = server.try_to_serve(was_served, TOKEN_KEYS=wrong)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert re.fullmatch(
        r"1 tokens in the database default are under a key that TOKEN_KEYS does not hold: .*\n", refused.stderr
    )
    assert wrong not in refused.stderr
