"""Secretlint finds leaked tokens with the rules of docs/secret-scanning.

It runs from the packages that `package-lock.json` pins.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.leaked_texts import RULES, TEXTS
from tests.server import ROOT

pytestmark = pytest.mark.release

PACKAGES = ROOT / ".venv/npm"
SCANNER = PACKAGES / "node_modules/secretlint/bin/secretlint.js"
NODE = (sys.executable, Path(sys.executable).with_name("node"))


def test_secretlint_finds_the_tokens_of_each_text(tmp_path: Path) -> None:
    for name, leaked in TEXTS.items():
        (tmp_path / f"{name}.txt").write_bytes(leaked.written().encode())

    scanned = subprocess.run(
        [*NODE, SCANNER, "--secretlintrc", RULES / "secretlintrc.json", "--format", "json", str(tmp_path / "*.txt")],
        cwd=PACKAGES,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    found = Counter(
        {Path(file["filePath"]).stem: len(file["messages"]) for file in json.loads(scanned.stdout) if file["messages"]}
    )
    assert found == {name: max(leaked.text.count("{token}"), 1) for name, leaked in TEXTS.items() if leaked.is_found}, (
        scanned.stderr
    )
