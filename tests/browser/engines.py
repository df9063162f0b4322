"""Where Debian keeps the browsers that the tests drive."""

from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
# The same engine without a window to draw: a page costs it a third of the time.
HEADLESS_CHROMIUM = "/usr/bin/chromium-headless-shell"
FIREFOX = "/usr/bin/firefox-esr"


def mini_browser() -> str:
    """WebKitGTK's own small browser, in a folder named for the machine and the version."""
    return str(next(Path("/usr/lib").glob("*/webkit2gtk-*/MiniBrowser")))
