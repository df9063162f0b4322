"""Trusted Types in Chromium: every page works under them, and text becomes elements only as the server answered it."""

from collections.abc import Callable, Iterator

import pyotp
import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.urls import URLResolver, get_resolver, reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from tests.browser.conftest import Site
from tests.browser.people import TOKEN_PAGE, call_api, copy_token, open_token_page, token_box

pytestmark = pytest.mark.browser

SINKS = {
    "inner HTML": "document.body.innerHTML = text",
    "outer HTML": "document.body.firstElementChild.outerHTML = text",
    "adjacent HTML": "document.body.insertAdjacentHTML('beforeend', text)",
    "a parser": "new DOMParser().parseFromString(text, 'text/html')",
    "a frame": "document.createElement('iframe').srcdoc = text",
    "a script's address": "document.createElement('script').src = text",
    "a script's text": "document.createElement('script').text = text",
}
ATTEMPT = "text => {{ try {{ {}; return 'taken'; }} catch (error) {{ return error.name; }} }}"
HARM = "<img src=x onerror=alert(1)>"
# Files to download, pages for programs, and pages that need a passkey, a code or a mailed link.
NO_PAGES = ("/api/v7/", "/healthz", "/readyz", "/metrics", "/account/login/", "/account/confirm-email/")
# The admin adds no token, and none of its forms asks for names.
REFUSED_BY_DESIGN = {"/admin/autocomplete/", "/admin/developers/apitoken/add/"}


def pages(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    """Yield every address that shows a page to a logged-in person and needs no object."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from pages(pattern, route)
        elif "<" not in route and not hasattr(pattern.callback, "page"):
            yield route


@pytest.fixture
def unwatched(chromium: Browser) -> Iterator[Page]:
    """A page without the watch over the console, where the browser logs each refusal."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.release
def test_text_that_no_server_answered_becomes_nothing(unwatched: Page, site: Site, alice: User) -> None:
    open_token_page(unwatched, site)
    unwatched.get_by_role("button", name="Show").click()
    expect(unwatched.get_by_role("button", name="Hide")).to_be_visible()

    refused = {name: unwatched.evaluate(ATTEMPT.format(sink), HARM) for name, sink in SINKS.items()}
    assert refused == dict.fromkeys(SINKS, "TypeError")


def test_no_script_makes_a_policy_of_its_own(unwatched: Page, site: Site) -> None:
    unwatched.goto(site.url("/account/login/"))

    attempt = ATTEMPT.format("trustedTypes.createPolicy(text, {createHTML: (html) => html})")
    assert [unwatched.evaluate(attempt, name) for name in ("other", "default")] == ["TypeError", "TypeError"]


@pytest.mark.release
def test_every_page_opens_without_a_message_in_the_console(
    open_context: Callable[..., BrowserContext], site: Site, alice: User
) -> None:
    """The watch over the console fails the test for each refusal of a policy."""
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    bot = Bot.objects.create(owner=alice, name="Reception", platform="website")
    contact = Contact.objects.create(owner=alice, name="Asha")
    # Responses that are no HTML name no icon, so the browser asks for the usual one and gets 404.
    page = open_context(expected_status=404).new_page()
    open_token_page(page, site)
    TOTP.activate(alice, pyotp.random_base32())
    RecoveryCodes.activate(alice)
    addresses = {address for address in pages() if not address.startswith(NO_PAGES) and "download" not in address}
    addresses |= {reverse("platform:bot", args=[bot.pk]), reverse("platform:contact", args=[contact.pk])}
    addresses |= {"/api/v7/docs"}

    opened = {}
    for address in sorted(addresses - REFUSED_BY_DESIGN):
        answer = page.goto(site.url(address), wait_until="load")
        opened[address] = answer.status if answer else 0

    assert {TOKEN_PAGE, "/bots/", "/inbox/", "/account/security/authenticator/", "/admin/"} <= opened.keys()
    assert {address: status for address, status in opened.items() if status != 200} == {}


def test_what_htmx_swaps_in_is_swapped_in(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    token = copy_token(page)

    page.get_by_role("button", name="Show").click()
    expect(token_box(page)).to_have_value(token)
    page.get_by_role("button", name="Try it now").click()
    expect(page.locator("#token-facts")).to_contain_text("Just now")
    call_api(site, token)
    page.get_by_role("button", name="Revoke API Token").click()
    page.get_by_role("button", name="Revoke and replace").click()

    expect(page.get_by_text("A new token is in place")).to_be_visible()
