"""What the scanner wapiti finds when it attacks the pages and the API, signed in.

It has a virtual environment of its own, `.venv/audit`: it pins other versions of libraries that we use. Left out
are the modules that call home (ssrf, xxe), that ask name servers (log4shell, takeover), that fetch lists first
(cms, htp, network_device, nikto, wapp, wp_enum), that look at the proxy's certificate (ssl), that only guess
(brute_login_form, buster, timesql: tests of ours count queries and log-ins) and that take a Java server's errors
for a weakness (spring4shell).
"""

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.audit.conftest import TOKEN_PAGE, Site
from tests.server import ROOT

pytestmark = [pytest.mark.audit, pytest.mark.long, pytest.mark.xdist_group("audit")]

SCANNER = ROOT / ".venv/audit/bin/wapiti"
LEFT_OUT = [
    *("ssrf", "xxe", "log4shell", "takeover", "cms", "htp", "network_device", "nikto", "wapp", "wp_enum", "ssl"),
    *("brute_login_form", "buster", "timesql", "spring4shell"),
]
# What would saw off the branch that the scanner sits on, and what only takes back what it has made.
LEFT_ALONE = [
    "/account/logout/",
    "/account/delete/",
    "/account/sessions/*",
    "/account/security/*",
    "/account/login/*",
    "/account/password/*",
    "/account/email/",
    f"{TOKEN_PAGE}revoke/",
    "/api/v7/token/revoke",
    "/bots/*/delete/",
    "/inbox/segments/*/remove/",
    "/static/*",
    # It calls what one types.
    "/developers/third-party-apps-api/*/test/",
]
# Beside what links and the API's document lead to.
STARTS = [TOKEN_PAGE, "/account/", "/bots/", "/bots/new/", "/inbox/", "/api/v7/docs"]
VISITED = {
    *STARTS,
    "/api/v7/bots",
    "/api/v7/token",
    "/api/v7/inbox/users",
}
LEAST_REQUESTS = 30


def run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def scan(site: Site, folder: Path) -> dict[str, object]:
    """Run wapiti over the site, and return its report."""
    report = folder / "report.json"
    command: list[str | Path] = [
        *(SCANNER, "--url", f"{site.url}/", "--scope", "folder", "--module", ",-".join(["all", *LEFT_OUT])),
        *("--swagger", f"{site.url}/api/v7/openapi.json"),
        *("--header", f"Authorization: Bearer {site.token}", "--cookie-value", site.cookie),
        *("--depth", "1", "--max-links-per-page", "30", "--max-files-per-dir", "8", "--tasks", "1"),
        # Without these it looks up names of its makers, and lures the server to them.
        *("--dns-endpoint", "127.0.0.1", "--external-endpoint", f"{site.url}/"),
        *("--max-scan-time", "10", "--max-attack-time", "3", "--timeout", "10", "--no-bugreport"),
        *("--store-session", folder / "session", "--store-config", folder / "config"),
        *("--skip", "csrfmiddlewaretoken"),
        *("--format", "json", "--output", report, "--detailed-report", "1", "--verbose", "0"),
    ]
    for path in STARTS:
        command += ["--start", site.url + path]
    for path in LEFT_ALONE:
        command += ["--exclude", site.url + path]
    scanned = run(command)
    if scanned.returncode and "database is locked" in scanned.stderr:
        # Its own one, of what it has asked: on a busy machine it trips over itself.
        scanned = run([*command, "--flush-session"])
    assert scanned.returncode == 0, scanned.stdout + scanned.stderr
    found: dict[str, object] = json.loads(report.read_text())
    return found


def test_wapiti_finds_nothing(site: Site, tmp_path: Path) -> None:
    report = scan(site, tmp_path)

    assert findings(report, "vulnerabilities") == []
    assert findings(report, "anomalies") == []
    requests = [page["request"] for page in report["infos"]["crawled_pages"]]  # type: ignore[index]
    seen = {urlsplit(request["url"]).path for request in requests if request["status_code"] == 200}
    assert seen >= VISITED
    assert len(requests) >= LEAST_REQUESTS


def findings(report: dict[str, object], kind: str) -> list[tuple[str, str, str, str]]:
    found: dict[str, list[dict[str, str]]] = report[kind]  # type: ignore[assignment]
    return [(name, one["method"], one["path"], one["info"]) for name, all_ in found.items() for one in all_]
