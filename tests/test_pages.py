"""What all pages of a person who is logged in have in common."""

import re
from urllib.parse import urljoin

import pytest

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import logged_in
from tests.pages import PRIVATE_PAGES, visit_all

pytestmark = pytest.mark.no_cover


@pytest.mark.matrix
def test_every_page_marks_its_row_of_the_sidebar_and_is_kept_by_no_browser(alice: User) -> None:
    """It lists pages of panels without a row, and rows under More that are folded on their own pages."""
    bot = Bot.objects.create(owner=alice, name="Night desk", platform="website")
    contact = Contact.objects.create(owner=alice, bot=bot, name="Cleo")
    api = OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com/"))
    log = ApiLog.objects.create(owner=alice, api=api, api_name="Weather")

    pages = visit_all(logged_in(alice))

    marked, expected = {}, {}
    for path, page in pages.items():
        navigation = page.content.decode().partition('id="navigation"')[2].partition("</nav>")[0]
        if navigation:
            rows = re.findall(r'class="navigation__row"\s+href="([^"]+)"(?: aria-current="(\w+)")?', navigation)
            marked[path] = [row for row in rows if row[1]], 'aria-expanded="true"' in navigation
            panel = f"/{path.split('/')[1]}/"
            is_in_more = f'href="{panel}"' in navigation.partition('id="more"')[2]
            expected[path] = [(panel, "page" if path == panel else "true")], is_in_more
    assert marked == expected
    assert [any(path.endswith(f"/{row.pk}/") for path in marked) for row in (bot, contact, api, log)] == [True] * 4
    assert [path for path, page in pages.items() if "no-store" not in page["Cache-Control"]] == []


NOT_LINKED = {
    # A form leads to it.
    "/account/logout/",
    # Whatever asks for the password leads to it.
    "/account/reauthenticate/",
    # Linked where more programs use the token than the page of the token lists.
    "/developers/api-access-token/programs/",
    # For scripts.
    "/developers/third-party-apps-api/drafts/request-token/",
}
OPEN = ("/api/v7/docs", "/api/v7/openapi.json")
LINK = re.compile(r"<a\b[^>]*\bhref=\"([^\"]+)")


@pytest.mark.matrix
def test_links_lead_to_every_page(alice: User) -> None:
    """A person finds every page by links from the first one, whatever their account has."""
    browser = logged_in(alice)
    Bot.objects.create(owner=alice, name="Night desk", platform="website")
    found, left = {"/"}, ["/"]

    for page in left:
        answer = browser.get(page, follow=True)
        if answer["Content-Type"].startswith("text/html"):
            links = {
                urljoin(page, link).partition("?")[0].partition("#")[0]
                for link in LINK.findall(answer.content.decode())
            }
            left += sorted(link for link in links - found if link.startswith("/") and not link.startswith("/static/"))
            found |= links

    shown = {page for page in [*PRIVATE_PAGES, *OPEN] if (answer := browser.get(page)).status_code == 200}
    assert shown - found == NOT_LINKED
