"""The pages that people use most, and mails, fit in every language, and stay light."""

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, Response, expect
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.settings import LANGUAGES as OFFERED
from developers import issuance
from tests.browser.conftest import TOKEN, Site
from tests.browser.people import TOKEN_PAGE, open_page
from tests.browser.test_every_size import CUT_OFF
from tests.browser.test_long_names import TOO_WIDE
from tests.cast import LAPTOP

pytestmark = pytest.mark.browser

LOG_IN, EDITOR = "/account/login/", "/developers/third-party-apps-api/new/"
WIDTHS = (1280, 390, 320)
# Each way of writing is tried each time.
USUAL = {"es", "ar"}
LANGUAGES = [
    pytest.param(code, marks=[] if code in USUAL else [pytest.mark.release, pytest.mark.long])
    for code, _name in OFFERED
]
RIGHT_TO_LEFT = {"ar"}
# The token, masked or shown, has its last characters in view.
IS_WHOLE = "element => element.scrollWidth <= element.clientWidth && element.scrollHeight <= element.clientHeight + 1"
# The words of a button stay inside of it.
TIGHT = """[...document.querySelectorAll("main .button")].filter((button) => button.checkVisibility())
  .filter((button) => button.scrollWidth > button.clientWidth + 1).map((button) => button.textContent.trim())"""
# HTML, CSS and scripts, as they are sent.
MOST_BYTES = 50 * 1024
HEAVY = {"document", "script", "stylesheet"}


def misfits(page: Page) -> list[tuple[int, object]]:
    """Return what is wider than the window or cut off, by width."""
    found: list[tuple[int, object]] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        too_wide = page.evaluate(TOO_WIDE), page.evaluate(CUT_OFF), page.evaluate(TIGHT)
        if (page.evaluate("document.documentElement.scrollWidth"), *too_wide) != (width, [], [], []):
            found.append((width, too_wide))
    return found


def expect_language(page: Page, code: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", code)
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if code in RIGHT_TO_LEFT else "ltr")


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_log_in_page_fits(open_context: Callable[..., BrowserContext], site: Site, code: str) -> None:
    page = open_context(locale=code).new_page()

    page.goto(site.url(LOG_IN))

    expect_language(page, code)
    assert misfits(page) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_token_page_and_the_editor_fit(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, code: str
) -> None:
    User.objects.filter(pk=alice.pk).update(language=code)
    issuance.revoke(alice, 1, LAPTOP, even_if_used=False)
    page = open_context().new_page()

    for path in (TOKEN_PAGE, EDITOR):
        open_page(page, site, path)

        expect_language(page, code)
        assert misfits(page) == [], path


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_token_is_whole_in_its_box(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, code: str
) -> None:
    User.objects.filter(pk=alice.pk).update(language=code)
    page = open_context().new_page()
    open_page(page, site, TOKEN_PAGE)

    for is_shown in (False, True):
        if is_shown:
            page.locator(".token-box__visibility").click()
            expect(page.locator("#token")).to_have_value(TOKEN)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})

            assert page.locator("#token").evaluate(IS_WHOLE), (width, is_shown)
            assert page.evaluate(TIGHT) == [], (width, is_shown)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_token_page_is_light(
    open_context: Callable[..., BrowserContext], site: Site, alice: User, code: str
) -> None:
    User.objects.filter(pk=alice.pk).update(language=code)
    page = open_context().new_page()
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response))  # noqa: PLW0108 - Playwright marks the function

    open_page(page, site, TOKEN_PAGE)
    page.wait_for_load_state("networkidle")

    sizes = {
        response.url: response.request.sizes()["responseBodySize"]
        for response in loaded
        if response.request.resource_type in HEAVY
    }
    assert len(sizes) > 3
    assert sum(sizes.values()) <= MOST_BYTES, sizes


@pytest.mark.parametrize("code", LANGUAGES)
def test_mails_fit(open_context: Callable[..., BrowserContext], alice: User, settings: Settings, code: str) -> None:
    settings.EMAIL_BACKEND = "post_office.EmailBackend"
    User.objects.filter(pk=alice.pk).update(language=code)
    alice.refresh_from_db()
    issuance.revoke(alice, 1, LAPTOP, even_if_used=False)
    Client(headers={"accept-language": code}).post("/account/password/reset/", {"email": alice.email})
    Client(headers={"accept-language": code}).post(
        "/account/signup/", {"email": "carol@example.com", "password1": "two owls count to seven"}
    )
    page = open_context().new_page()

    mails = list(Email.objects.all())
    assert len(mails) == 3
    for mail in mails:
        page.set_content(mail.html_message)

        expect_language(page, code)
        assert misfits(page) == [], mail.subject
