"""MDN's HTTP Observatory grades the headers, cookies and redirects of the site.

It runs from the packages that `package-lock.json` pins, and calls only the site.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.conftest import TOKEN_PAGE, Site
from tests.server import ROOT

pytestmark = [pytest.mark.audit, pytest.mark.server, pytest.mark.release, pytest.mark.xdist_group("audit")]

SCANNER = ROOT / ".venv/npm/node_modules/@mdn/mdn-http-observatory/src/scan.js"
NODE = (sys.executable, Path(sys.executable).with_name("node"))
LEAST_SCORE = 125


@pytest.mark.parametrize(("path", "is_logged_in"), [("/", False), (TOKEN_PAGE, True)], ids=["log-in", "token"])
def test_the_observatory_gives_its_best_grade(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str, is_logged_in: bool
) -> None:
    monkeypatch.setattr(site.front, "cookie", site.cookie if is_logged_in else "")

    scanned = subprocess.run(
        [*NODE, SCANNER, f"{site.host}{path}"],
        env=os.environ | {"NODE_EXTRA_CA_CERTS": str(site.front.certificate)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    report = json.loads(scanned.stdout)
    tests = report["tests"].items()
    assert {name: test["result"] for name, test in tests if not test["pass"]} == {}
    assert report["scan"]["statusCode"] == 200
    assert (report["scan"]["grade"], report["scan"]["score"] >= LEAST_SCORE) == ("A+", True), report["scan"]
    # Plain http leads to https first, and a logged-in person sees the page itself, not the log-in page.
    route = report["tests"]["redirection"]["route"]
    assert route[:2] == [f"http://{site.host}{path}", f"https://{site.host}{path}"]
    assert len(route) == (2 if is_logged_in else 3)
