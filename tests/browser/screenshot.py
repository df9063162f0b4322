"""Take the README's picture of the token page, and one in each language: `… screenshot FILE FOLDER`.

A real server shows an account whose token was revoked. A forgotten program still tries the old token, and another
uses the new one.
"""

import sys
import tempfile
from pathlib import Path

from django.utils.translation import to_language
from playwright.sync_api import Page, sync_playwright

from tests.browser.engines import HEADLESS_CHROMIUM
from tests.server import ROOT, Server

LANGUAGES = ["en", *(to_language(folder.name) for folder in sorted((ROOT / "locale").iterdir()))]
EMAIL, PASSWORD = "alice@example.com", "correct horse battery staple"
AFTERNOON = f"""
from datetime import timedelta
from django.utils import timezone
from accounts.events import SecurityEvent
from accounts.models import User
from accounts.security_log import TOKEN_KINDS, Kind
from accounts.web.clients import Client
from developers import issuance, usage
from developers.models import ApiToken, RevokedToken, TokenUse

now = timezone.now()
firefox = Client("192.0.2.18", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0")
alice = User.objects.create_user("{EMAIL}", "{PASSWORD}")
issuance.issue(alice, firefox)
issuance.reveal(alice, Kind.TOKEN_SHOWN, firefox)
issuance.revoke(alice, 1, firefox, even_if_used=True)
issuance.reveal(alice, Kind.TOKEN_COPIED, firefox)
usage.record_use(alice.pk, 2, Client("203.0.113.9", "python-requests/2.32.3"))
old = RevokedToken.objects.get()
usage.record_refusals(old.pk, 12, Client("198.51.100.24", "n8n"))
events = SecurityEvent.objects.filter(kind__in=TOKEN_KINDS).order_by("pk")
for event, minutes in zip(events, [7200, 7198, 39, 39, 37, 10]):
    SecurityEvent._base_manager.filter(pk=event.pk).update(at=now - timedelta(minutes=minutes))
RevokedToken.objects.update(revoked_at=now - timedelta(minutes=39), last_refused_at=now - timedelta(minutes=10))
ApiToken.objects.update(issued_at=now - timedelta(minutes=39), last_used_at=now - timedelta(minutes=3))


def used(program, address, days, count, generation=1, is_refused=False, minutes=45):
    at = now - timedelta(days=days, minutes=minutes)
    TokenUse.objects.create(
        user=alice, day=at.date(), program=program, address=address, generation=generation, is_refused=is_refused,
        count=count, first_at=at, last_at=at,
    )


for days in range(1, 6):
    used("python-requests", "203.0.113.9", days, 40 + 17 * days % 60)
    used("n8n", "198.51.100.24", days, 12 + 5 * days % 9)
used("python-requests", "203.0.113.9", 0, 9, generation=2, minutes=3)
used("n8n", "198.51.100.24", 0, 12, is_refused=True, minutes=10)
"""
SPEAK = """
from accounts.models import User
User.objects.update(language="{code}")
"""


def log_in(page: Page, server: Server) -> None:
    """Open the token page of the account."""
    page.goto(f"{server.url}/developers/api-access-token/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Recent activity").wait_for()
    page.wait_for_load_state()


def main(picture: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as state, Server(Path(state), PUBLIC_URL="https://app.example.com") as server:
        server.manage("shell", "-v0", "-c", AFTERNOON)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=HEADLESS_CHROMIUM)
            page = browser.new_page(viewport={"width": 1280, "height": 1080}, device_scale_factor=2)
            log_in(page, server)
            page.screenshot(path=picture)
            folder.mkdir(exist_ok=True)
            for code in LANGUAGES:
                server.manage("shell", "-v0", "-c", SPEAK.format(code=code))
                page.reload()
                page.screenshot(path=folder / f"{code}.png", scale="css")
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
