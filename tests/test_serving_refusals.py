"""What `python -m botpenguin.server` refuses before it serves, each in a sentence."""

import signal
import socket
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from botpenguin.server import __main__ as serve
from tests import server
from tests.server import prepare_state, try_to_serve


@pytest.fixture
def was_served(tmp_path: Path) -> Path:
    """A state that an earlier start has left, on SQLite: what is refused before a database is asked needs no other."""
    return prepare_state(tmp_path)


@pytest.mark.parametrize(
    ("name", "another"), [("PORT", "8001"), pytest.param("METRICS_PORT", "9101", marks=pytest.mark.release)]
)
def test_a_taken_port_is_refused_with_a_sentence(was_served: Path, name: str, another: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = try_to_serve(was_served, **{name: str(port)})

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"Cannot listen on 127.0.0.1:{port} ([Errno 98] Address already in use). "
        f"Stop what uses that port, or choose another: {name}={another} make run\n"
    )


def test_the_port_of_the_pages_is_not_taken_for_metrics(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("django.setup", lambda: None)  # once more, it would have the log written to what is captured
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    settings.PORT = settings.METRICS_PORT = server.free_port()

    with pytest.raises(SystemExit, match="1"):
        serve.main()

    assert capsys.readouterr() == ("", "METRICS_PORT is the port of the pages. Choose another, such as 9101.\n")


@pytest.mark.release
def test_one_port_for_pages_and_metrics_is_refused_with_a_sentence(was_served: Path) -> None:
    port = str(server.free_port())

    refused = try_to_serve(was_served, PORT=port, METRICS_PORT=port)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "METRICS_PORT is the port of the pages. Choose another, such as 9101.\n"


@pytest.mark.release
def test_an_address_that_is_not_of_this_machine_is_refused_with_a_sentence(was_served: Path) -> None:
    refused = try_to_serve(was_served, HOST="2001:db8::1")

    assert refused.returncode == 1
    assert refused.stderr.startswith("Cannot listen on 2001:db8::1:")
    assert refused.stderr.count("\n") == 1


def test_a_missing_ring_beside_a_database_is_refused_and_no_key_is_made(was_served: Path) -> None:
    (was_served / ".env").unlink()

    refused = try_to_serve(was_served)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(
        f"There is a database, {was_served}/var/db.sqlite3, but no SECRET_KEY and no TOKEN"
    )
    assert refused.stderr.count("\n") == 1
    assert not (was_served / ".env").exists()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT is no whole number."),
        ("SECRET_KEY", "short", "SECRET_KEY is too short"),
        ("SECRET_KEY", "a" * 50, "SECRET_KEY is too easy to guess"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is neither text nor json."),
        ("TOKEN_KEYS", "short", "TOKEN_KEYS is too short"),
        ("DATABASE_URL", "panel.db", "DATABASE_URL is no address such as sqlite:///"),
        *(
            pytest.param(*refused, marks=pytest.mark.release)
            for refused in (
                ("TRUSTED_PROXIES", "10.0.0.0/8/8", "TRUSTED_PROXIES holds '10.0.0.0/8/8', which is neither"),
                ("TOKEN_KEYS", "!0123456789" * 4, "A key in TOKEN_KEYS is not 32 random bytes in URL-safe base64."),
            )
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_with_a_sentence(
    was_served: Path, name: str, value: str, sentence: str
) -> None:
    refused = try_to_serve(was_served, **{name: value})

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(sentence)
    assert refused.stderr.count("\n") == 1
    assert value not in refused.stderr.replace(sentence, "")


def test_a_database_that_does_not_answer_is_refused_with_a_sentence(was_served: Path) -> None:
    url = f"postgres://botpenguin:hunter2@127.0.0.1:{server.free_port()}/botpenguin"

    refused = try_to_serve(was_served, DATABASE_URL=url)

    assert refused.returncode == 1
    assert "The database cannot be used: couldn't get a connection after 3.00 sec\n" in refused.stderr
    assert "Connection refused" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "hunter2" not in refused.stderr
