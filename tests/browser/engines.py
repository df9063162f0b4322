"""Where Debian keeps the browsers that the tests drive."""

from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
FIREFOX = "/usr/bin/firefox-esr"


def mini_browser() -> str:
    """WebKitGTK's own small browser, in a folder named for the machine and the version."""
    return str(next(Path("/usr/lib").glob("*/webkit2gtk-*/MiniBrowser")))
