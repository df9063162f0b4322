"""Every page of an account with long texts fits narrow windows, large texts, and both directions of writing."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from accounts.models import User
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from developers.outbound.models import ApiLog, CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe
from tests.browser.conftest import Site
from tests.browser.people import open_page
from tests.browser.soundness import READ_WHOLE
from tests.browser.test_long_names import ENLARGE, TOO_WIDE, UNFOLD
from tests.cast import logged_in
from tests.pages import visit_all

pytestmark = [pytest.mark.browser, pytest.mark.release, pytest.mark.long]

# In px, with the size of texts.
WINDOWS = [(320, "100%"), (390, "200%"), (768, "200%"), (1280, "100%")]
DIRECTIONS = ("ltr", "rtl")
NAME = "A bot for the questions of everybody who has ever written to us, on each of our channels, in summers"
TURN = "direction => { document.documentElement.dir = direction }"
# Fields scroll.
CUT_OFF = """[...document.querySelectorAll("main :not(input), header *, dialog[open] :not(input)")]
  .filter((element) => !element.closest(".visually-hidden") && element.checkVisibility())
  .filter((element) => {
    const { overflowX, clipPath } = getComputedStyle(element);
    const hides = ["hidden", "clip"].includes(overflowX) && clipPath === "none";
    return hides && element.scrollWidth > element.clientWidth + 1;
  })
  .map((element) => `${element.tagName}.${element.className}`)"""


@pytest.fixture
def long_texts(alice: User) -> None:
    bots = Bot.objects.bulk_create(Bot(owner=alice, name=f"{n} {NAME}"[:100], platform="website") for n in range(3))
    contact = Contact.objects.create(
        owner=alice,
        bot=bots[0],
        name="W" * 60,
        email=f"{'w' * 60}@{'subdomain.' * 8}example.com",
        phone="12065550100",
        phone_prefix="1",
        attributes={"k" * 60: "v" * 200},
    )
    ContactTag.objects.bulk_create(ContactTag(contact=contact, name=f"a tag with some words {n}") for n in range(60))
    Segment.objects.bulk_create(Segment(owner=alice, name=f"{n} {NAME}"[:60], tags=["vip"] * 9) for n in range(3))
    CustomAttribute.objects.bulk_create(CustomAttribute(owner=alice, name=f"attribute{n}" * 5) for n in range(3))
    url = f"https://api.example.com/{'path/' * 40}?{'key=value&' * 20}"
    api = OutboundApi.objects.make(alice, NAME, Recipe("GET", url))
    ApiLog.objects.bulk_create(
        ApiLog(owner=alice, api=api, api_name=NAME, method="GET", url=url, status=200) for _ in range(9)
    )


def test_every_page_fits(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, long_texts: None
) -> None:
    """It visits all pages of panels, and all pages about single objects to which they link."""
    page = open_context().new_page()
    responses = visit_all(logged_in(alice))
    paths = [path for path, response in responses.items() if is_page(response)]
    assert len(paths) > 20

    misfits: dict[Any, Any] = {}
    for path in paths:
        open_page(page, site, path)
        misfits |= {(path, *window): found for window, found in find_misfits(page)}

    assert misfits == {}


def is_page(response: Any) -> bool:
    return bool(response.status_code == 200 and response.headers["Content-Type"].startswith("text/html"))


def find_misfits(page: Page) -> Iterator[tuple[tuple[int, str, str], Any]]:
    """Yield the windows in which something is wider than it may be or cut off, with what it is."""
    for (width, size), direction in product(WINDOWS, DIRECTIONS):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(TURN, direction)
        page.evaluate(ENLARGE, size)
        page.evaluate(UNFOLD)
        found = page.evaluate("document.documentElement.scrollWidth"), page.evaluate(TOO_WIDE), page.evaluate(CUT_OFF)
        if found != (width, [], []) or not page.evaluate(READ_WHOLE):
            yield (width, size, direction), found
