"""Long names, Arabic ones, many old tokens and large numbers fit small windows, and large texts fit usual ones."""

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import security_log
from accounts.models import User
from accounts.security_log import Detail, Kind
from accounts.web.clients import Client
from developers import activity
from developers.models import ApiToken, ProgramLabel, TokenUse
from developers.programs import LABEL_LENGTH, MOST_ADDRESSES, OTHERS, program_of
from tests.browser.conftest import Site
from tests.browser.people import TOKEN_PAGE, open_token_page
from tests.developers.old_tokens import REFUSED, add_old_tokens
from tests.developers.views.token_page import use

pytestmark = [pytest.mark.browser, pytest.mark.release, pytest.mark.long]

# In px, with the size of texts.
WINDOWS = [(320, "100%"), (320, "200%"), (390, "100%"), (768, "200%"), (1024, "100%"), (1024, "200%"), (1280, "200%")]
LATIN, ARABIC, WORDS = "W" * 200, "مزامنةالعملاء" * 16, "A nightly report of orders " * 8
NAMES = [program_of(LATIN), program_of(ARABIC.encode().decode("latin-1")), program_of(WORDS), OTHERS]
ADDRESS = "2001:db8:1234:5678::/64"
ATTACKER = Client("2001:db8:1234:5678:9abc:def0:1234:5678", LATIN)
# Beyond the window, or beyond their own cell of a table.
TOO_WIDE = """[...document.querySelectorAll("main *, dialog *")]
  .filter((element) => !element.closest(".visually-hidden"))
  .filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    const isClipped = getComputedStyle(element.closest("thead") ?? element).position === "absolute";
    const isCell = element.matches("td, th") && !isClipped && getComputedStyle(element).position !== "absolute";
    return left < -1 || right > innerWidth + 1 || (isCell && element.scrollWidth > element.clientWidth + 1);
  })
  .map((element) => `${element.tagName}.${element.className}`)"""
UNFOLD = "document.querySelectorAll('details').forEach((details) => (details.open = true))"
ENLARGE = "size => document.documentElement.style.setProperty('font-size', size)"


def add_uses(owner: User, generation: int, *, is_refused: bool = False) -> None:
    now = timezone.now()
    TokenUse.objects.bulk_create(
        TokenUse(
            user=owner,
            day=(now - timedelta(days=ago)).date(),
            program=name,
            address=address,
            generation=generation,
            is_refused=is_refused,
            count=REFUSED,
            first_at=now - timedelta(days=ago, minutes=1),
            last_at=now - timedelta(days=ago),
        )
        for name, address, ago in product(NAMES, [ADDRESS, *map(str, range(MOST_ADDRESSES))], (0, 9))
    )


@pytest.fixture
def long_lists(alice: User) -> None:
    """Old tokens in use, programs with long names and labels, and an event of each kind."""
    add_old_tokens(alice, 30, 20, NAMES[0], LATIN)
    add_uses(alice, 31)
    use(alice)
    for name, letter in zip(NAMES, "Wعwm", strict=True):
        ProgramLabel.objects.create(user=alice, program=name, label=letter * LABEL_LENGTH)
    for kind in sorted({*Kind} - {*security_log.TOKEN_KINDS}):
        security_log.record(kind, alice, ATTACKER, Detail.RECOVERY_CODES)
    token = ApiToken.objects.get()
    for kind in security_log.TOKEN_KINDS:
        activity.record_event(kind, token, ATTACKER, Detail.UNREADABLE)


def expect_to_fit(page: Page) -> None:
    too_wide = {}
    for width, size in WINDOWS:
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(ENLARGE, size)
        page.evaluate(UNFOLD)
        found = page.evaluate("document.documentElement.scrollWidth"), page.evaluate(TOO_WIDE)
        if found != (width, []):
            too_wide[width, size] = found
    page.evaluate(ENLARGE, "100%")
    assert too_wide == {}, page.url


@pytest.mark.usefixtures("long_lists")
def test_the_token_page_its_question_and_its_list_fit(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    expect(page.get_by_text("20 revoked tokens were refused within the last week")).to_be_visible()
    expect_to_fit(page)

    page.get_by_role("button", name="Revoke API Token").click()
    expect(page.get_by_role("dialog")).to_contain_text("4 programs will be refused at once")
    expect_to_fit(page)
    page.get_by_role("button", name="Revoke and replace").click()
    expect(page.locator("#movers-count")).to_have_text("0 of 84 have moved.")
    add_uses(alice, 31, is_refused=True)
    page.reload()
    expect(page.locator("#movers")).to_contain_text("2,469,134 refused")
    expect_to_fit(page)


@pytest.mark.usefixtures("long_lists")
def test_other_pages_of_the_token_fit(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)

    for path in (f"{TOKEN_PAGE}programs/", "/account/security/log/", "/account/", f"{TOKEN_PAGE}guide/"):
        page.goto(site.url(path))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect_to_fit(page)
