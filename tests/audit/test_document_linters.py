"""Validators, importers and bridges of others read the OpenAPI document of a running server.

Those from npm are the packages that `package-lock.json` pins.
"""

import json
import sys
from pathlib import Path

import pytest

from tests.audit.documented import CLIENTS, NODE, PACKAGES, Documented, run

pytestmark = [pytest.mark.audit, pytest.mark.server, pytest.mark.release, pytest.mark.xdist_group("document")]

REVOKE = "Revoke this token"


def test_the_document_keeps_the_standard(documented: Documented, tmp_path: Path) -> None:
    checked = run(sys.executable, "-m", "openapi_spec_validator", documented.document, folder=tmp_path)

    assert (checked.returncode, checked.stdout) == (0, f"{documented.document}: OK\n"), checked.stderr


def test_redocly_finds_nothing(documented: Documented, tmp_path: Path) -> None:
    program = PACKAGES / "@redocly/cli/bin/cli.js"

    checked = run(
        *NODE, program, "lint", "--extends=recommended", "--format=json", documented.document, folder=tmp_path
    )

    report = json.loads(checked.stdout)
    assert report["problems"] == []
    assert report["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


def test_spectral_finds_nothing(documented: Documented, tmp_path: Path) -> None:
    program = PACKAGES / "@stoplight/spectral-cli/dist/index.js"
    rules = tmp_path / "rules.yaml"
    rules.write_text('extends: ["spectral:oas"]\n')

    checked = run(
        *(*NODE, program, "lint", "--ruleset", rules, "--fail-severity=hint", documented.document),
        folder=tmp_path,
    )

    nothing = "No results with a severity of 'hint' or higher found!\n"
    assert (checked.returncode, checked.stdout) == (0, nothing), checked.stderr


@pytest.mark.parametrize("folders", ["Paths", "Tags"])
def test_a_run_of_postman_ends_with_the_revoke_which_needs_a_secret_of_its_own(
    documented: Documented, tmp_path: Path, folders: str
) -> None:
    made = run(
        *(*NODE, CLIENTS / "collection.cjs", documented.document, folders), folder=tmp_path, NODE_PATH=str(PACKAGES)
    )

    requests = json.loads(made.stdout)
    names = [name for _, name, _ in requests]
    secrets = {name: variables for _, name, variables in requests}
    assert len(names) == len(set(names)) > 15
    assert names[-1] == REVOKE
    assert [name for folder, name, _ in requests if folder == "revoke"] == ([REVOKE] if folders == "Tags" else [])
    # Whoever runs the collection fills in the first.
    assert (secrets.pop("Who am I?"), secrets.pop(REVOKE)) == (["{{bearerToken}}"], ["{{apiKey}}"])
    assert ["{{apiKey}}"] not in secrets.values()


def test_a_bridge_to_agents_does_not_offer_the_revoke(documented: Documented, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    program = tmp_path / "tools.mjs"
    program.write_bytes((CLIENTS / "tools.mjs").read_bytes())

    made = run(*NODE, program, documented.document, folder=tmp_path)

    tools = json.loads(made.stdout.splitlines()[-1])
    assert "read_token" in tools
    assert "revoke_token" not in tools
