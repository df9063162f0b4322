"""`make audit` prints the reports of Lighthouse and html-validate on the pages that people use most.

Lighthouse measures a phone with a slow network and a slow processor, `RUNS` times; each figure is
the median. Its scores for performance depend on the machine and its load.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.audit.conftest import FIELD, TOKEN_PAGE
from tests.browser.engines import CHROMIUM
from tests.server import ROOT, Server

RUNS = 5
CATEGORIES = {
    "performance": "performance",
    "accessibility": "accessibility",
    "best-practices": "best practices",
    "seo": "SEO",
}
LOG_IN, REFERENCE = "/account/login/", "/api/v7/docs"
PAGES = (TOKEN_PAGE, "/developers/third-party-apps-api/new/", "/inbox/", REFERENCE)
PACKAGES = ROOT / ".venv/npm/node_modules"
NODE = (sys.executable, Path(sys.executable).with_name("node"))
LIGHTHOUSE = PACKAGES / "lighthouse/cli/index.js"
HTML_VALIDATE = PACKAGES / "html-validate/bin/html-validate.mjs"
# A button in a form submits it; and a table that a phone shows as blocks keeps its roles only where they are written.
MEANT = {"no-implicit-button-type": "off", "no-redundant-role": "off"}


def main() -> None:
    with tempfile.TemporaryDirectory() as name, Server(Path(name)) as server, server.client() as browser:
        folder = Path(name)
        inspect(server.url + LOG_IN, browser.get(LOG_IN).text, {}, folder)
        cookie = log_in(browser, *server.first_account)
        server.manage("seed_demo", "--user", server.first_account[0])
        for path in PAGES:
            inspect(server.url + path, browser.get(path).text, {"Cookie": cookie}, folder)


def inspect(url: str, html: str, headers: dict[str, str], folder: Path) -> None:
    print(f"\n{url}", flush=True)
    measure(url, headers, folder)
    validate(html, folder / "page.html")


def log_in(browser: httpx.Client, email: str, password: str) -> str:
    """Log in, and return the header with the cookies."""
    field = FIELD.findall(browser.get(LOG_IN).text)[0]
    fields = {"login": email, "password": password, "csrfmiddlewaretoken": field}
    assert browser.post(LOG_IN, data=fields).status_code == httpx.codes.FOUND
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def measure(url: str, headers: dict[str, str], folder: Path) -> None:
    """Run Lighthouse, and print the medians and the audits that lower a score."""
    reports = [lighthouse(url, headers, folder) for _ in range(RUNS)]
    for category, title in CATEGORIES.items():
        scores = sorted(round(100 * report["categories"][category]["score"]) for report in reports)
        print(f"  {title:14} {statistics.median(scores):3.0f}   of {', '.join(map(str, scores))}")
    for name in ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "speed-index"):
        middle = statistics.median(report["audits"][name]["numericValue"] for report in reports)
        print(f"  {name:26} {middle:6.0f} ms")
    for category in CATEGORIES:
        for reference in reports[0]["categories"][category]["auditRefs"]:
            audit = reports[0]["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 1:
                print(f"  {audit['score']:.2f}  {audit['title']} {audit.get('displayValue', '')}")
    print(flush=True, end="")


def lighthouse(url: str, headers: dict[str, str], folder: Path) -> dict[str, Any]:
    sent, report = folder / "headers.json", folder / "lighthouse.json"
    sent.write_text(json.dumps(headers))
    sandbox = "--no-sandbox" if os.geteuid() == 0 else ""
    command: list[str | Path] = [
        *(*NODE, LIGHTHOUSE, url, "--quiet", "--output=json", f"--output-path={report}", f"--extra-headers={sent}"),
        *(f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags=--headless=new {sandbox}".strip()),
        "--no-enable-error-reporting",
    ]
    subprocess.run(command, env=os.environ | {"CHROME_PATH": CHROMIUM}, check=True, timeout=180)
    read: dict[str, Any] = json.loads(report.read_text())
    return read


def validate(html: str, page: Path) -> None:
    """Print the problems that html-validate finds in a page, by its rules for standards and accessibility."""
    page.write_text(html)
    rules = {"root": True, "extends": ["html-validate:standard", "html-validate:a11y"], "rules": MEANT}
    page.with_name(".htmlvalidate.json").write_text(json.dumps(rules))
    checked = subprocess.run([*NODE, HTML_VALIDATE, page], capture_output=True, text=True, timeout=60, check=False)
    print("  html-validate: nothing" if checked.returncode == 0 else f"  html-validate:\n{checked.stdout}", flush=True)


if __name__ == "__main__":
    main()
