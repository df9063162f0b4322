"""What all pages of a person who is logged in have in common."""

import re

import pytest

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import logged_in
from tests.pages import visit_all

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
