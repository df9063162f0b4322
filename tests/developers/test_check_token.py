"""`manage.py check_token`."""

import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import User
from developers import issuance, tokens
from developers.models import ApiToken
from tests.cast import LAPTOP, token_text
from tests.server import COVERAGE, ROOT

pytestmark = pytest.mark.matrix


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Check":
    return Check(monkeypatch, capsys)


class Check:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, token: str) -> tuple[int, str]:
        """Run the command with a token on its standard input; return its exit status and output."""
        self.monkeypatch.setattr(sys, "stdin", StringIO(f"{token}\n"))
        output = StringIO()
        try:
            call_command("check_token", stdout=output)
        except SystemExit as end:
            return int(str(end.code)), output.getvalue()
        return 0, output.getvalue()


def test_a_live_token_is_reported_with_its_owner_and_without_itself(alice: User, check: Check) -> None:
    token = token_text(alice)

    status, output = check(token)

    assert status == 0
    assert output.startswith(f"The token …{token[-4:]} is active. It belongs to alice@example.com, issued ")
    assert token[:-4] not in output


def test_a_revoked_token_is_reported_with_when_and_why(alice: User, check: Check) -> None:
    token = token_text(alice)
    revoked = issuance.revoke(alice, 1, LAPTOP, even_if_used=True).revoked
    assert revoked

    assert check(token) == (
        4,
        f"The token …{token[-4:]} was revoked {revoked.revoked_at:%F %T} UTC. It belonged to alice@example.com. "
        "Revoked by its owner.\n",
    )


def test_a_token_whose_row_was_changed_is_reported_as_refused(alice: User, check: Check) -> None:
    token = token_text(alice)
    ApiToken.objects.update(generation=2)

    assert check(token) == (
        3,
        f"The token …{token[-4:]} is refused: the row that holds it, of alice@example.com, was changed by something "
        "else than this program. See who can write to the database, and revoke the token.\n",
    )


def test_a_token_of_a_disabled_account_is_reported_as_such(alice: User, check: Check) -> None:
    token = token_text(alice)
    alice.is_active = False
    alice.save()

    assert check(token) == (
        5,
        f"The token …{token[-4:]} belongs to alice@example.com, whose account is disabled: it is refused.\n",
    )


@pytest.mark.django_db
def test_a_token_that_nobody_has_is_reported_as_such(check: Check) -> None:
    token = tokens.generate().open()

    assert check(token) == (
        3,
        f"The token …{token[-4:]} is well-formed, and nobody has it: it is of another server, or long forgotten.\n",
    )


def test_the_reason_why_a_text_is_no_token_is_reported(check: Check) -> None:
    token = tokens.generate().open()
    mistyped = token[:-1] + ("a" if token[-1] != "a" else "b")

    assert check("hunter2") == (2, "This is not a token: it has not the form of one.\n")
    assert check(mistyped) == (2, "This is not a token: its checksum does not fit, so a character is wrong.\n")


def test_at_a_terminal_it_asks_and_echoes_nothing() -> None:
    environment = {name: value for name, value in os.environ.items() if name != COVERAGE}
    controller, terminal = os.openpty()
    with os.fdopen(controller, "rb+", buffering=0) as keyboard:
        asked = subprocess.Popen(
            [sys.executable, "manage.py", "check_token"], cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal,
            env=environment | {"DJANGO_SETTINGS_MODULE": "tests.settings"}, start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        screen = b""
        while b"Token: " not in screen:
            screen += keyboard.read(1024)
        keyboard.write(b"bpat_mistyped\n")
        while b"form of one" not in screen:
            screen += keyboard.read(1024)
        status = asked.wait(timeout=60)

    assert status == 2
    assert b"bpat_mistyped" not in screen
