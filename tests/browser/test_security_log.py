"""The security log in Chromium, filtered, in pages, downloaded, and sound at every width, light and dark."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from accounts import security_log
from accounts.models import User
from accounts.web.clients import Client
from developers import issuance
from developers.models import RevokedToken
from tests.browser.conftest import Site
from tests.browser.people import log_in
from tests.browser.soundness import expect_sound
from tests.cast import PHONE

pytestmark = pytest.mark.browser

LOG = "/account/security/log/"
STRANGER = Client("2001:db8:1234:5678:9abc:def0:1234:5678", "Mozilla/5.0 (Windows NT 10.0) Firefox/133.0")


def test_the_log_is_found_filtered_and_downloaded(
    site: Site, alice: User, open_context: Callable[..., BrowserContext]
) -> None:
    for kind in sorted({*security_log.Kind} - {*security_log.TOKEN_KINDS}):
        for means in security_log.Means:
            security_log.record(kind, alice, STRANGER, means)
    issuance.revoke_current(alice, PHONE, reason=RevokedToken.Reason.API)
    page = open_context().new_page()
    page.goto(site.url("/account/security/"))
    log_in(page)

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
