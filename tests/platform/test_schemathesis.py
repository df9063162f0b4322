"""Every check of schemathesis, against a running server with a real token.

It makes requests of its own out of the OpenAPI document, good ones and bad ones, and holds each
answer against what the document promises.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform.calls import accounts_on
from tests.server import ROOT, Server

# The first ends the token of all requests, the second counts clients by their addresses.
APART = ["/token/revoke", "/token/report-exposed"]
# One seed: failures can be reproduced, and each run takes the same time.
SEED = 20261124
# No JSON Schema says which numbers a country has: those of others are refused with a documented 400.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "429", "5xx"]

# Too many large rows are refused for their bytes first.
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "413", "415", "422", "429", "5xx"]
"""


@pytest.mark.release
@pytest.mark.server
def test_the_running_api_keeps_what_its_document_promises(tmp_path: Path) -> None:
    settings = {"WORKERS": "1", "MAIL_WORKER": "off", "API_RATE_LIMIT": "0", "TRUSTED_PROXIES": "127.0.0.1,::1"}
    with Server(tmp_path, **settings) as server:
        whole = checked(server, "--exclude-path", max_examples=10)
        apart = checked(server, "--include-path", max_examples=10)

    assert whole > 1000
    assert apart > 50


def checked(server: Server, choice: str, max_examples: int) -> int:
    """Run schemathesis on a part of the API with the token of a new account; return how many calls passed."""
    [token] = accounts_on(server, 1)
    config = server.folder / "schemathesis.toml"
    config.write_text(CONFIG)
    run = subprocess.run(
        [
            *(
                sys.executable,
                str(Path(sys.executable).with_name("schemathesis")),
                "--config-file",
                str(config),
                "run",
                f"{server.url}/api/v7/openapi.json",
            ),
            *("--header", f"Authorization: Bearer {token}", "--checks", "all", "--continue-on-failure"),
            *("--max-examples", str(max_examples), "--seed", str(SEED), "--no-color"),
            *(argument for path in APART for argument in (choice, path)),
        ],
        # Its files are no part of the repository.
        cwd=server.folder,
        env=server.environment | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.platform.other_account"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = re.search(r"Test cases:\s+(\d+) generated, (\d+) passed", run.stdout)
    assert found, run.stdout
    assert found[1] == found[2]
    return int(found[1])
