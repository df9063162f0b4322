"""Take the pictures of the guide: `python -m tests.browser.guide_pictures FOLDER`.

Each shows one step on a real server, in the account of the README's picture. It is taken for wide and for narrow
windows, light and dark.
"""

import base64
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, sync_playwright

from tests.browser.engines import HEADLESS_CHROMIUM
from tests.browser.screenshot import AFTERNOON, log_in
from tests.server import Server

WINDOWS = {"wide": ViewportSize(width=1024, height=720), "narrow": ViewportSize(width=340, height=720)}
# As sharp as 16 pictures of 180 KB together can be.
SCALE, QUALITY = 1.5, 0.4
# Around a picture, in pixels of CSS.
MARGIN = 16
NAVIGATION = {"wide": (640, 352), "narrow": (340, 620)}
# The corners of the question would show the page behind it.
SQUARE = "dialog { border-radius: 0 !important }"
AS_WEBP = """async ([png, quality]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height});
  canvas.getContext("2d", {alpha: false}).drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""


def pictures(page: Page, window: str) -> dict[str, bytes]:
    """Return one PNG for each of the steps that a picture makes clearer."""
    width, height = NAVIGATION[window]
    if window == "narrow":
        page.get_by_role("button", name="Menu").click()
    found = {"navigation": page.screenshot(clip={"x": 0, "y": 0, "width": width, "height": height})}
    page.reload()
    box = page.locator(".panel__main > .section").first.bounding_box()
    assert box
    clip = FloatRect(
        x=box["x"] - MARGIN,
        y=box["y"] - MARGIN,
        width=box["width"] + 2 * MARGIN,
        height=box["height"] + 2 * MARGIN,
    )
    found["token"] = page.screenshot(clip=clip, full_page=True)
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied to the clipboard.").wait_for()
    found["copied"] = page.locator(".token-area").screenshot()
    page.get_by_role("button", name="Revoke API Token").click()
    found["revoke"] = page.get_by_role("dialog").screenshot(style=SQUARE)
    return found


def take(browser: Browser, server: Server, folder: Path) -> None:
    encoder = browser.new_page()
    for window, size in WINDOWS.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport=size,
                color_scheme=scheme,
                device_scale_factor=SCALE,
                bypass_csp=True,
                permissions=["clipboard-read", "clipboard-write"],
            )
            page = context.new_page()
            log_in(page, server)
            for name, png in pictures(page, window).items():
                webp = encoder.evaluate(AS_WEBP, [base64.b64encode(png).decode(), QUALITY])
                (folder / f"{name}-{window}-{scheme}.webp").write_bytes(base64.b64decode(webp))
            context.close()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state, Server(Path(state), PUBLIC_URL="https://app.example.com") as server:
        server.manage("shell", "-v0", "-c", AFTERNOON)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=HEADLESS_CHROMIUM)
            take(browser, server, folder)
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
