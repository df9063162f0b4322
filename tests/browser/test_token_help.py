"""What helps people with the token page: what a screen reader hears, and pages that are slow."""

import re
from itertools import product

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from accounts.web.clients import Client
from developers import issuance, usage
from developers.models import ApiToken, RevokedToken, TokenUse
from developers.programs import NAME_LENGTH
from tests.browser.conftest import Site
from tests.browser.people import open_token_page, token_box
from tests.cast import LAPTOP, token_events
from tests.server import poll

pytestmark = pytest.mark.browser

OLD_TOKENS = 20
PHONE = 320
LINES = """button => { const range = document.createRange(); range.selectNodeContents(button);
  return range.getClientRects().length }"""


def heard(page: Page) -> list[str]:
    """Return the names and values that the browser gives to screen readers."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    shown = [node for node in nodes if not node["ignored"]]
    return [str(node[part]["value"]) for node in shown for part in ("name", "value") if part in node]


def hold(page: Page, urls: re.Pattern[str]) -> list[Route]:
    """Let requests wait until the test continues them, as before a slow server."""
    held: list[Route] = []

    def wait(route: Route) -> None:
        held.append(route)

    page.route(urls, wait)
    return held


def release(page: Page, held: list[Route]) -> None:
    """Continue the one request that waits. Playwright hands it over while it is asked for something."""
    poll(lambda: held if page.title() else None)
    held.pop().continue_()


def test_a_screen_reader_hears_how_the_hidden_token_ends_and_no_bullets(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    hint = ApiToken.objects.get().hint

    hidden = heard(page)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("button", name="Hide")).to_be_visible()
    shown = heard(page)

    assert f"hidden, ends in {hint}" in hidden
    assert not [text for text in hidden if "•" in text]
    assert token_box(page).input_value() in shown
    assert not [text for text in shown if text.startswith("hidden, ends in")]


def test_long_names_of_programs_and_many_old_tokens_fit_a_small_window(page: Page, site: Site, alice: User) -> None:
    names = ["W" * 200, "عميل" * 50]
    clients = [Client("2001:db8:1234:5678:9abc:def0:1234:5678", name) for name in names]
    issuance.token_of(alice, clients[0])
    for generation in range(1, OLD_TOKENS + 1):
        issuance.revoke(alice, generation, clients[generation % 2], even_if_used=True)
    RevokedToken.objects.update(refused_count=1_234_567, last_refused_at=timezone.now(), last_refused_client=names[0])
    usage.record_use(alice.pk, OLD_TOKENS + 1, clients[1])
    seen = {"user": alice, "day": timezone.now().date(), "address": "2001:db8:1234:5678::/64", "count": 1_234_567}
    seen |= {"first_at": timezone.now(), "last_at": timezone.now()}
    for program in ("W" * NAME_LENGTH, ("عميل" * 50)[:NAME_LENGTH]):
        for generation, is_refused in ((OLD_TOKENS, True), (OLD_TOKENS, False), (OLD_TOKENS + 1, False)):
            TokenUse.objects.create(**seen, program=program, generation=generation, is_refused=is_refused)

    open_token_page(page, site)

    revoke = page.get_by_role("button", name="Revoke API Token")
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    expect(page.get_by_text("1,234,567 times").first).to_be_visible()
    for width, text_size in product((320, 768, 1280), ("100%", "200%")):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("size => document.documentElement.style.setProperty('font-size', size)", text_size)
        assert page.evaluate("document.documentElement.scrollWidth") == width, f"{width} px, text of {text_size}"
        if width > PHONE:
            assert revoke.evaluate(LINES) == 1


def test_show_and_revoke_say_that_they_are_at_work_and_work_once(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    held = hold(page, re.compile("/(show|revoke)/$"))
    old = ApiToken.objects.get().hint

    for name, sentence, result in (
        ("Show", "Fetching the token…", "Hides again when you leave this tab."),
        ("Revoke API Token", "Asking for a new token…", "Hidden. Only the last four characters are shown."),
    ):
        button = page.get_by_role("button", name=name)
        button.dblclick()
        expect(page.locator("#token-status")).to_have_text(sentence)
        expect(button).to_have_attribute("aria-disabled", "true")
        button.press("Enter")
        release(page, held)
        expect(page.locator("#token-status")).to_have_text(result)

    assert held == []
    expect(page.get_by_text(f"The old one, ending {old}, stopped working at")).to_be_visible()
    assert list(token_events().values_list("kind", flat=True)) == [
        "token-issued",
        "token-revoked",
        "token-shown",
        "token-issued",
    ]


@pytest.mark.release
def test_the_answer_to_a_question_says_that_it_is_at_work_and_revokes_once(page: Page, site: Site, alice: User) -> None:
    open_token_page(page, site)
    usage.record_use(alice.pk, 1, LAPTOP)
    page.get_by_role("button", name="Revoke API Token").click()
    answer = page.get_by_role("button", name="Revoke and replace")
    expect(page.locator("#token-status")).to_have_text("Hidden. Only the last four characters are shown.")
    held = hold(page, re.compile("/revoke/$"))

    answer.dblclick()
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("Revoking and replacing…")
    answer.press("Enter")
    release(page, held)

    expect(page.get_by_text("A new token is in place")).to_be_visible()
    assert held == []
    assert ApiToken.objects.get().generation == 2
