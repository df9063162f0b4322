"""The pages of people who are logged in, from the URL configuration: tests of all pages find a new one there."""

import re
from typing import Any

from django.test import Client as Browser

from tests.test_project import OPEN_PAGES, routes

# Also what only redirects, or only takes POST, but nothing about a single object.
PRIVATE_PAGES = sorted(
    route for route in {*routes()} - OPEN_PAGES if "<" not in route and not route.startswith(("/api/", "/admin/"))
)


def visit_all(browser: Browser) -> dict[str, Any]:
    """Return the responses of these pages, and of those about single objects to which they link, by path."""
    pages: dict[str, Any] = {page: browser.get(page) for page in PRIVATE_PAGES}
    linked = {link for page in pages.values() for link in re.findall(r'href="(/[^"?#]*/)', page.content.decode())}
    return pages | {page: browser.get(page) for page in linked - set(pages)}
