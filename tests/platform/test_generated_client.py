"""One validator and one generated client of the OpenAPI document. `tests/audit` runs the others, and checks types."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.audit.documented import CLIENTS, Documented, run
from tests.audit.test_generated_clients import GENERATOR, conversation
from tests.server import Server

pytestmark = [pytest.mark.matrix, pytest.mark.server, pytest.mark.no_cover, pytest.mark.xdist_group("node")]

EMAIL = "generated@example.com"


@pytest.fixture
def documented(node: Server) -> Documented:
    return Documented.of(node)


def test_the_document_keeps_the_standard(documented: Documented, tmp_path: Path) -> None:
    checked = run(sys.executable, "-m", "openapi_spec_validator", documented.document, folder=tmp_path)

    assert (checked.returncode, checked.stdout) == (0, f"{documented.document}: OK\n"), checked.stderr


def test_a_generated_python_client_holds_the_conversation(documented: Documented, tmp_path: Path) -> None:
    (tmp_path / "generator.yml").write_text(GENERATOR)
    shutil.copy(CLIENTS / "conversation.py", tmp_path)

    made = run(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--path", documented.document),
        *("--meta", "none", "--output-path", "botpenguin_client", "--config", "generator.yml", "--fail-on-warning"),
        folder=tmp_path,
    )
    said = run(sys.executable, "conversation.py", folder=tmp_path, **documented.account(EMAIL))

    assert (made.returncode, made.stdout.splitlines()) == (0, ["Generating botpenguin_client"]), made.stderr
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == conversation(EMAIL)
