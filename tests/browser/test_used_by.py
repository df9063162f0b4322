"""The programs that use the token, in a browser: on a desk and on a phone, with scripts and without."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from developers.models import ProgramLabel, TokenUse
from developers.programs import BROWSER, OTHERS
from tests.browser.conftest import Site
from tests.browser.people import TOKEN_PAGE, open_page, open_token_page
from tests.browser.soundness import expect_sound

pytestmark = pytest.mark.browser

WIDTHS = (320, 390, 1280)
NARROW_AND_WIDE = (390, 1280)
NAMES = ["n8n", "W" * 40, "مزامنة العملاء", BROWSER, OTHERS, *(f"program-{number}" for number in range(7))]
MOST_CALLS = 1_234_567


@pytest.fixture
def programs(alice: User) -> None:
    """Twelve programs; the first one with many addresses, a label and refused calls."""
    now = timezone.now()
    TokenUse.objects.bulk_create(
        TokenUse(
            user=alice,
            day=(at := now - timedelta(days=ago, minutes=number)).date(),
            program=name,
            address=f"2001:db8:{ago:x}:ffff::/64" if name == "n8n" else f"203.0.113.{number}",
            generation=1,
            is_refused=ago % 5 == 4,
            count=MOST_CALLS // (ago + 1) // (number + 1) ** 3 + 1,
            first_at=at,
            last_at=at,
        )
        for number, name in enumerate(NAMES)
        for ago in range(0, 30, number // 3 + 1)
    )
    ProgramLabel.objects.create(user=alice, program="n8n", label="CRM sync")


@pytest.mark.release
@pytest.mark.usefixtures("programs")
def test_programs_are_listed_soundly_and_given_a_label(page: Page, site: Site) -> None:
    open_token_page(page, site)
    used_by = page.get_by_role("region", name="Used by")
    expect(used_by.get_by_role("row")).to_have_count(11)
    expect(used_by.get_by_role("row").nth(1)).to_contain_text("CRM sync")
    expect(used_by.get_by_role("img").first).to_be_visible()
    expect_sound(page, WIDTHS, NARROW_AND_WIDE)

    used_by.get_by_text("18 more addresses").click()
    used_by.get_by_text("Add label").first.click()
    expect_sound(page, WIDTHS, NARROW_AND_WIDE)
    used_by.get_by_role("textbox", name=f"Label of {'W' * 40}").fill("Night shift")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").filter(has_text="is labeled “Night shift” now.")).to_be_visible()
    expect(page).to_have_url(site.url(TOKEN_PAGE))
    expect(used_by.get_by_text("Night shift")).to_be_visible()
    used_by.get_by_role("link", name="All programs").click()
    expect(page.get_by_role("row")).to_have_count(len(NAMES) + 1)
    expect_sound(page, WIDTHS, NARROW_AND_WIDE)


@pytest.mark.release
@pytest.mark.usefixtures("programs")
def test_a_label_is_changed_without_scripts(open_context: Callable[..., BrowserContext], site: Site) -> None:
    page = open_context(java_script_enabled=False, viewport={"width": 390, "height": 800}).new_page()
    open_page(page, site, f"{TOKEN_PAGE}programs/")

    page.get_by_text("Change label").click()
    page.get_by_role("textbox", name="Label of n8n").fill("")
    page.get_by_role("row").filter(has_text="CRM sync").get_by_role("button", name="Save label").click()

    expect(page.get_by_text("n8n has no label now.")).to_be_visible()
    expect(page.get_by_text("CRM sync")).to_have_count(0)
    assert not ProgramLabel.objects.exists()


@pytest.mark.release
@pytest.mark.usefixtures("programs")
def test_the_bars_are_seen_in_forced_colors(page: Page, site: Site) -> None:
    page.emulate_media(forced_colors="active")
    open_token_page(page, site)

    colors = page.evaluate(
        """[
          ...["accepted", "refused"].map(
            (bar) => getComputedStyle(document.querySelector(`.used-by__${bar}`)).stroke),
          getComputedStyle(document.body).backgroundColor,
        ]"""
    )

    assert len(set(colors)) == len(colors)
