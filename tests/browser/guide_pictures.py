"""Take the pictures of the guide: `python -m tests.browser.guide_pictures FOLDER`.

Each shows one step on a real server, in the account of the README's picture.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.browser.engines import HEADLESS_CHROMIUM
from tests.browser.screenshot import AFTERNOON, log_in
from tests.server import Server

WINDOW = ViewportSize(width=1024, height=720)


def take(page: Page, folder: Path) -> None:
    """Take one picture for each of the steps that a picture makes clearer."""
    page.screenshot(path=folder / "navigation.png", clip={"x": 0, "y": 0, "width": 640, "height": 352})
    page.locator(".panel__main > .section").first.screenshot(path=folder / "token.png")
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied to the clipboard.").wait_for()
    page.locator(".token-area").screenshot(path=folder / "copied.png")
    page.get_by_role("button", name="Revoke API Token").click()
    page.get_by_role("dialog").screenshot(path=folder / "revoke.png")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state, Server(Path(state), PUBLIC_URL="https://app.example.com") as server:
        server.manage("shell", "-v0", "-c", AFTERNOON)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=HEADLESS_CHROMIUM)
            context = browser.new_context(viewport=WINDOW, permissions=["clipboard-read", "clipboard-write"])
            page = context.new_page()
            log_in(page, server)
            take(page, folder)
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
