"""The scanner wapiti attacks the pages and the API, logged in, and finds nothing.

It has a virtual environment of its own, `.venv/audit`, since it pins other versions of libraries that the project
uses. These modules are left out: those that call their makers (ssrf, xxe) or name servers (log4shell, takeover), that
download lists (cms, htp, network_device, nikto, wapp, wp_enum), that check the proxy's certificate (ssl), that try
words at random (brute_login_form, buster, timesql: other tests count queries and log-ins), that read a Java server's
errors (spring4shell), and that ask a directory (ldap).

No module has a time limit: an attack that was not tried would look like one that found nothing. The three longest
modules run only on pages that show input again.
"""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.audit.conftest import TOKEN_PAGE, Site
from tests.server import ROOT

pytestmark = [pytest.mark.audit, pytest.mark.server, pytest.mark.release, pytest.mark.xdist_group("audit")]

SCANNER = ROOT / ".venv/audit/bin/wapiti"
LEFT_OUT = [
    *("ssrf", "xxe", "log4shell", "takeover", "cms", "htp", "network_device", "nikto", "wapp", "wp_enum", "ssl"),
    *("brute_login_form", "buster", "timesql", "spring4shell", "ldap"),
]
THOROUGH = ["exec", "file", "permanentxss"]
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
    "/api/v7/inbox/segments",
}
# The scanner's own bodies for these are refused: for a field that may be null it sends an object.
FILLED_IN = {"/api/v7/inbox/users", "/api/v7/inbox/users/import"}
LEAST_REQUESTS = 30


def run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)


def scan(site: Site, folder: Path, url: str, modules: list[str], *more: str) -> dict[str, object]:
    """Run wapiti on all pages under a URL, and return its report."""
    report = folder / "report.json"
    command: list[str | Path] = [
        *(SCANNER.with_name("python"), SCANNER, "--url", url, "--scope", "folder", "--module", ",".join(modules)),
        *("--header", f"Authorization: Bearer {site.token}", "--cookie-value", site.cookie),
        *("--depth", "1", "--max-links-per-page", "30", "--max-files-per-dir", "8", "--tasks", "1"),
        # Without these it looks up names of its makers, and lures the server to them.
        *("--dns-endpoint", "127.0.0.1", "--external-endpoint", f"{site.url}/"),
        *("--timeout", "30", "--no-bugreport"),
        *("--store-session", folder / "session", "--store-config", folder / "config"),
        *("--skip", "csrfmiddlewaretoken"),
        *("--format", "json", "--output", report, "--detailed-report", "1", "--verbose", "0"),
        *more,
    ]
    for path in LEFT_ALONE:
        command += ["--exclude", site.url + path]
    scanned = run(command)
    assert scanned.returncode == 0, scanned.stdout + scanned.stderr
    found: dict[str, object] = json.loads(report.read_text())
    return found


def test_wapiti_finds_nothing(site: Site, tmp_path: Path) -> None:
    modules = ["all", *(f"-{module}" for module in (*LEFT_OUT, *THOROUGH))]
    starts = [word for path in STARTS for word in ("--start", site.url + path)]
    report = scan(site, tmp_path, f"{site.url}/", modules, "--swagger", f"{site.url}/api/v7/openapi.json", *starts)

    assert findings(report, "vulnerabilities") == []
    assert findings(report, "anomalies") == []
    assert seen(report) >= VISITED
    assert {urlsplit(request["url"]).path for request in requests(report) if request["method"] == "POST"} >= FILLED_IN
    assert len(requests(report)) >= LEAST_REQUESTS


def test_wapiti_finds_nothing_where_words_come_in(site: Site, tmp_path: Path) -> None:
    # The module permanentxss looks for what xss has sent, and does nothing without it.
    report = scan(site, tmp_path, f"{site.url}/bots/", [*THOROUGH, "xss"], "--start", f"{site.url}/bots/new/")

    assert findings(report, "vulnerabilities") == []
    assert findings(report, "anomalies") == []
    assert seen(report) >= {"/bots/", "/bots/new/"}
    assert ("POST", f"{site.url}/bots/new/") in {(request["method"], request["url"]) for request in requests(report)}


def requests(report: dict[str, object]) -> list[dict[str, Any]]:
    return [page["request"] for page in report["infos"]["crawled_pages"]]  # type: ignore[index]


def seen(report: dict[str, object]) -> set[str]:
    return {urlsplit(request["url"]).path for request in requests(report) if request["status_code"] == 200}


def findings(report: dict[str, object], kind: str) -> list[tuple[str, str, str, str]]:
    found: dict[str, list[dict[str, str]]] = report[kind]  # type: ignore[assignment]
    return [(name, one["method"], one["path"], one["info"]) for name, all_ in found.items() for one in all_]
