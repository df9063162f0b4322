"""Every check of schemathesis, against a running server with a real token.

It makes requests of its own out of the OpenAPI document, good ones and bad ones, and holds each
answer against what the document promises.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform.calls import account_on
from tests.server import ROOT, Server

# The one ends the token that all requests bear, the other takes ten requests a minute from an address.
LEFT_OUT = ["/token/revoke", "/token/report-exposed"]
EXAMPLES = 10
# One seed: a failure can be seen again, and a run takes as long as the one before.
SEED = 20261124


@pytest.mark.long
def test_the_running_api_keeps_what_its_document_promises(tmp_path: Path) -> None:
    with Server(tmp_path, API_RATE_LIMIT="0").without_coverage() as server:
        token = account_on(server)
        checked = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/api/v7/openapi.json"),
                *("--header", f"Authorization: Bearer {token}", "--checks", "all", "--continue-on-failure"),
                *("--max-examples", str(EXAMPLES), "--seed", str(SEED), "--no-color"),
                *(argument for path in LEFT_OUT for argument in ("--exclude-path", path)),
            ],
            # Whatever it writes down is no part of the repository.
            cwd=tmp_path,
            env=server.environment | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    assert checked.returncode == 0, checked.stdout + checked.stderr
    found = re.search(r"Test cases:\s+(\d+) generated, (\d+) passed", checked.stdout)
    assert found, checked.stdout
    assert found[1] == found[2]
    assert int(found[1]) > 1000
