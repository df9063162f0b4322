"""The security log in Chromium, filtered, in pages, downloaded, and sound at every width, light and dark."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from accounts import security_log
from accounts.models import User
from accounts.security_log import Detail
from accounts.web.clients import Client
from developers import issuance
from developers.models import RevokedToken
from tests.browser.conftest import Site
from tests.browser.people import TOKEN_PAGE, open_page
from tests.browser.soundness import expect_sound
from tests.cast import PHONE

pytestmark = pytest.mark.browser

LOG = "/account/security/log/"
ATTACKER = Client("2001:db8:1234:5678:9abc:def0:1234:5678", "Mozilla/5.0 (Windows NT 10.0) Firefox/133.0")
LONG_NAMED = Client(ATTACKER.ip, "a-program-with-a-name-of-many-words-and-no-space/1.0")
PHONE_SCREEN = {"width": 390, "height": 800}
MOST_LINES_OF_A_ROW = 6


@pytest.mark.release
def test_the_log_is_found_filtered_and_downloaded(
    site: Site, alice: User, open_context: Callable[..., BrowserContext]
) -> None:
    for kind in sorted({*security_log.Kind} - {*security_log.TOKEN_KINDS}):
        for detail in (Detail.PASSWORD, Detail.AUTHENTICATOR, Detail.PASSKEY):
            security_log.record(kind, alice, ATTACKER, detail)
    issuance.revoke_current(alice, PHONE, reason=RevokedToken.Reason.API)
    page = open_context().new_page()
    open_page(page, site, "/account/security/")

    page.get_by_role("link", name="Security log").click()
    expect(page.get_by_role("heading", name="Security log")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(51)
    expect_sound(page)

    page.get_by_label("Events").select_option("API token")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row")).to_have_count(4)
    expect_sound(page)

    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == "botpenguin-security-log.csv"
    assert download.value.path().read_text().count("API token") == 3


@pytest.mark.release
def test_on_phones_a_long_address_beside_a_long_client_takes_few_lines(
    site: Site, alice: User, open_context: Callable[..., BrowserContext]
) -> None:
    issuance.revoke_current(alice, LONG_NAMED, reason=RevokedToken.Reason.API)
    page = open_context(viewport=PHONE_SCREEN).new_page()
    open_page(page, site, LOG)
    expect(page.get_by_role("heading", name="Security log")).to_be_visible()

    for path in (LOG, TOKEN_PAGE):
        page.goto(site.url(path))
        row = page.get_by_role("row").filter(has_text=LONG_NAMED.ip).first

        lines = row.evaluate("row => row.offsetHeight / parseFloat(getComputedStyle(row).lineHeight)")
        assert lines <= MOST_LINES_OF_A_ROW, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
