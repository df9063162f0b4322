"""How many queries the pages of an account with long lists take."""

from collections.abc import Iterable

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.web.pagination import PAGE_LENGTH
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from developers.outbound.models import ApiLog, CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import logged_in
from tests.pages import visit_all

MOST = 6
# These begin and end transactions.
NO_QUERIES = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT")
INBOX, APIS = "/inbox/", "/developers/third-party-apps-api/"
# More than one page of each.
ROWS = PAGE_LENGTH + 1


@pytest.fixture
def browser(alice: User) -> Browser:
    """Alice's, who has a few pages of everything."""
    bots = Bot.objects.bulk_create(Bot(owner=alice, name=f"Bot {n}", platform="website") for n in range(3))
    contacts = Contact.objects.bulk_create(
        Contact(owner=alice, bot=bots[0], name=f"Person {n}", email=f"person{n}@example.com") for n in range(ROWS)
    )
    ContactTag.objects.bulk_create(ContactTag(contact=contact, name="vip") for contact in contacts)
    Segment.objects.bulk_create(Segment(owner=alice, name=f"Segment {n}", tags=["vip"]) for n in range(3))
    CustomAttribute.objects.bulk_create(CustomAttribute(owner=alice, name=f"attribute{n}") for n in range(3))
    api = OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com/"))
    copies = [
        OutboundApi(owner=alice, name=f"API {n}", method="GET", url="https://api.example.com/") for n in range(ROWS)
    ]
    OutboundApi.objects.bulk_create(copies)
    ApiLog.objects.bulk_create(ApiLog(owner=alice, api=api, api_name="Weather", status=200) for _ in range(ROWS))
    return logged_in(alice)


def too_many(browser: Browser, paths: Iterable[str]) -> dict[str, int]:
    """Return the pages that take more queries than they may, with their number."""
    found = {}
    for path in paths:
        with CaptureQueriesContext(connection) as captured:
            browser.get(path)
        queries = [each["sql"] for each in captured if not each["sql"].startswith(NO_QUERIES)]
        if len(queries) > MOST:
            found[path] = len(queries)
    return found


def test_long_lists_take_at_most_six_queries_filtered_or_not(alice: User, browser: Browser) -> None:
    segment = alice.segments.latest("created_at")
    filters = [f"{INBOX}?q=person&segment={segment.pk}&page=2", f"{APIS}?q=api", f"{APIS}logs/?status=2xx"]

    found = too_many(browser, [INBOX, APIS, f"{APIS}logs/", *filters])

    assert found == {}


def test_confirming_a_password_takes_at_most_six_queries(alice: User) -> None:
    found = too_many(logged_in(alice), ["/account/reauthenticate/"])

    assert found == {}


@pytest.mark.release
def test_no_page_takes_more_than_six_queries(browser: Browser) -> None:
    """It visits all pages of panels, and all pages about single objects to which they link."""
    pages = visit_all(browser)

    found = too_many(browser, pages)

    assert found == {}
