"""Checks of a page that is open: it fits each window, and axe finds no violation."""

import os
import re
from itertools import product
from zlib import crc32

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page, expect

from tests.server import poll

# Beside phones and desks, where the token box is nearly wide enough for one line: alone, and with the aside beside it.
WIDTHS = (320, 390, 640, 1216, 1280)
# axe runs at the narrowest and the widest window; between them only the flow differs.
WIDTHS_FOR_AXE = (320, 1280)
# And at a usual phone, at the pages that matter most.
WITH_PHONE = (320, 390, 1280)
SCHEMES = ("light", "dark")
# Else axe looks at each page at one of the widths and in one scheme: they differ from page to page.
EVERY_SCHEME = "EVERY_SCHEME" in os.environ
HEIGHT = 800
# A read-only text does not scroll: its end would be hidden.
READ_WHOLE = """[...document.querySelectorAll("textarea[readonly]")].every(
  (text) => text.scrollWidth <= text.clientWidth && text.scrollHeight <= text.clientHeight
)"""

# On a busy machine, a transition that began before may still run.
IS_STEADY = "document.getAnimations().every((animation) => !(animation instanceof CSSTransition))"


def expect_sound(
    page: Page, widths: tuple[int, ...] = WIDTHS, widths_for_axe: tuple[int, ...] = WIDTHS_FOR_AXE
) -> None:
    """No part is wider than the window or cut off, there is one title, and axe finds nothing, in light or dark."""
    expect(page).to_have_title(re.compile(".+ · BotPenguin$"))
    page.wait_for_load_state()
    before = page.viewport_size
    looks = looks_for_axe(page.title(), widths_for_axe)
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} wider than {width}"
        assert page.evaluate(READ_WHOLE), f"{page.url} cut off at {width}"
        for scheme in (scheme for at, scheme in looks if at == width):
            # Reduced motion: in the middle of a transition, colours are not those of the page.
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            poll(lambda: page.evaluate(IS_STEADY))
            results = run_axe(page)
            assert results.violations_count == 0, f"{page.url} {width} {scheme}: {results.generate_report()}"
    page.emulate_media(color_scheme="null", reduced_motion="null")
    if before:
        page.set_viewport_size(before)


def looks_for_axe(title: str, widths: tuple[int, ...]) -> list[tuple[int, str]]:
    """The widths and schemes at which axe looks at a page, chosen by the page's title."""
    looks = list(product(widths, SCHEMES))
    return looks if EVERY_SCHEME else [looks[crc32(title.encode()) % len(looks)]]


def run_axe(page: Page) -> AxeResults:
    """Run all rules. Their passes, 200 KB a page, stay in the browser."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = "{resultTypes: ['violations']}"
    return AxeResults(page.evaluate(f"axe.run({options}).then(({{violations}}) => ({{violations}}))"))
