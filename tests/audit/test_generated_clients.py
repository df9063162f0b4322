"""Clients that generators make of the OpenAPI document keep their types and hold the whole conversation.

The conversations of both languages are written down in `clients/`, and end alike.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from developers.bearer.verification import RefusalReason
from tests.audit.documented import CLIENTS, NODE, PACKAGES, Documented, run
from tests.platform.calls import BASE

pytestmark = [pytest.mark.audit, pytest.mark.server, pytest.mark.release, pytest.mark.xdist_group("document")]

# The generator's own file, the same for every document: its `__exit__` passes on whatever it gets.
TYPES = """[mypy]
strict = true
[mypy-botpenguin_client.client]
disable_error_code = arg-type
"""
GENERATOR = "package_name_override: botpenguin_client\npost_hooks: []\n"
STATUS = "'OPEN', 'INPROGRESS', 'REVIEW', 'ONHOLD', 'DEPENDANCY', 'CLOSED' or 'DELETED'"
REACH = ["asha@example.com", "9876543210", "91", ["vip"]]
BY_EMAIL = [f"Row {number}: profile.userDetails.contact.email should be an email address." for number in (1, 3)]


def error(code: int, key: str, sentence: str) -> list[Any]:
    return [False, code, sentence, [sentence], key]


def conversation(email: str) -> dict[str, Any]:
    return {
        "email": email,
        "bots": ["Front desk", "Front desk", ["Front desk"], ["Front desk"], "The credential works."],
        "import": [[201, 2, 0], [200, 0, 1]],
        "list": [
            ["Ben", "ben@example.com", "", "", ["vip"], "OPEN", {}],
            ["Asha", *REACH, "OPEN", {}],
        ],
        "change": ["Asha", *REACH, "CLOSED", {}],
        "attributes": ["Asha", *REACH, "CLOSED", {"plan": "gold"}],
        "search": ["Asha", *REACH, "CLOSED", {"age": 41, "plan": "gold"}],
        "status": 1,
        "run": [200, {"version": "7"}, []],
        "import error": [
            False,
            400,
            f"{BY_EMAIL[0]} 1 more error is listed in `data`. Nothing was imported.",
            BY_EMAIL,
            "rows_invalid",
        ],
        "change error": error(404, "contact_not_found", "There is no contact with this id in your account."),
        "filter error": error(422, "validation_failed", "page should be greater than or equal to 1."),
        "query error": error(422, "validation_failed", "page should be greater than or equal to 1."),
        "bot error": error(422, "validation_failed", "name should be a name of 1 to 100 characters."),
        "run error": error(404, "api_not_found", "There is no 3rd party API with this id in your account."),
        "token error": error(401, "token_malformed", RefusalReason.MALFORMED),
        "delete": "The bot was deleted. Its contacts were kept.",
        "report": 1,
        "revoke": 204,
        "revoked": 401,
    }


def test_a_generated_python_client_holds_the_conversation(documented: Documented, tmp_path: Path) -> None:
    (tmp_path / "generator.yml").write_text(GENERATOR)
    (tmp_path / "mypy.ini").write_text(TYPES)
    shutil.copy(CLIENTS / "conversation.py", tmp_path)
    python = (sys.executable, "-m")

    made = run(
        *(*python, "openapi_python_client", "generate", "--url", f"{documented.server.url}{BASE}/openapi.json"),
        *("--meta", "none", "--output-path", "botpenguin_client", "--config", "generator.yml", "--fail-on-warning"),
        folder=tmp_path,
    )
    typed = run(*python, "mypy", "--config-file=mypy.ini", "conversation.py", "botpenguin_client", folder=tmp_path)
    said = run(sys.executable, "conversation.py", folder=tmp_path, **documented.account("python@example.com"))

    assert (made.returncode, made.stdout.splitlines()) == (0, ["Generating botpenguin_client"]), made.stderr
    assert typed.returncode == 0, typed.stdout
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == conversation("python@example.com")


def test_a_generated_typescript_client_holds_the_conversation(documented: Documented, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    for name in ("conversation.mts", "tsconfig.json"):
        shutil.copy(CLIENTS / name, tmp_path)
    url = f"{documented.server.url}{BASE}/openapi.json"

    made = run(*(*NODE, PACKAGES / "openapi-typescript/bin/cli.js", url, "--output", "botpenguin.mts"), folder=tmp_path)
    typed = run(*NODE, PACKAGES / "typescript/bin/tsc", "--project", tmp_path, folder=tmp_path)
    said = run(*NODE, "conversation.mts", folder=tmp_path, **documented.account("typescript@example.com"))

    assert made.returncode == 0, made.stderr
    assert "warn" not in (made.stdout + made.stderr).lower()
    assert (typed.returncode, typed.stdout) == (0, "")
    assert said.returncode == 0, said.stderr
    # Python's types do not let a wrong status pass at all.
    refused = error(422, "validation_failed", f"status should be {STATUS}.")
    assert json.loads(said.stdout) == conversation("typescript@example.com") | {"status error": refused}
