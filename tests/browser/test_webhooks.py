"""Webhooks in a browser: keeping one and stopping another after a revoke, with scripts and without."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from accounts.models import User
from botpenguin.platform.models import Bot
from developers import issuance
from developers.outbound.subscriptions import subscribing
from developers.outbound.subscriptions.models import Subscription
from developers.outbound.subscriptions.subscribing import Webhook
from tests.browser.conftest import Site
from tests.browser.people import open_page
from tests.browser.soundness import expect_sound
from tests.cast import LAPTOP

pytestmark = [pytest.mark.browser, pytest.mark.release, pytest.mark.django_db(transaction=True)]

PAGE = "/developers/third-party-apps-api/webhooks/"
WIDTHS = (320, 390, 768, 1280)


def subscribe(owner: User, bot: Bot, host: str) -> Subscription:
    wanted = Webhook(bot.pk, "newLeadHook", f"https://{host}/webhook/5f0c8a2e-0d5b-4c7e-9a51-6f3d2b1c0e9a")
    subscribing.subscribe(owner.pk, 1, wanted, LAPTOP)
    return Subscription.objects.get(host=host)


@pytest.fixture
def failing(alice: User) -> None:
    """A webhook that works, and one that fails and has a long name."""
    bot = Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")
    subscribe(alice, bot, "n8n.example.com")
    long = subscribe(alice, bot, "automation-with-a-rather-long-name.customer-success.example.org")
    problem, since = "500: Something failed on the server. Its operator can look it up.", timezone.now()
    counts = {"failures": 4, "given_up": 1, "dropped": 31, "delivered": 1234}
    Subscription.objects.filter(pk=long.pk).update(
        failing_since=since - timedelta(hours=3), next_at=since, last_delivered_at=since, problem=problem, **counts
    )


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.usefixtures("failing")
def test_after_a_revoke_one_is_kept_and_the_other_stopped(
    alice: User, site: Site, open_context: Callable[..., BrowserContext], *, scripts: bool
) -> None:
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    page = open_context(viewport={"width": 390, "height": 800}, java_script_enabled=scripts).new_page()
    open_page(page, site, PAGE)

    expect(page.get_by_text("2 webhooks are paused")).to_be_visible()
    page.get_by_role("button", name="Keep https://n8n.example.com").click()
    expect(page.get_by_text("The webhook is kept. It gets new contacts again.")).to_be_visible()
    page.get_by_role("button", name="Stop https://automation").click()
    expect(page.get_by_role("heading", name="Stop this webhook?")).to_be_visible()
    page.get_by_role("button", name="Stop this webhook").click()

    expect(page.get_by_text("The webhook is stopped. Nothing is sent there any more.")).to_be_visible()
    expect(page.get_by_text("Active")).to_be_visible()
    assert [each.host for each in Subscription.objects.current()] == ["n8n.example.com"]


def test_the_page_is_sound_while_it_is_empty_and_in_each_state(
    alice: User, site: Site, open_context: Callable[..., BrowserContext], request: pytest.FixtureRequest
) -> None:
    page = open_context().new_page()
    open_page(page, site, PAGE)

    expect_sound(page, WIDTHS)
    request.getfixturevalue("failing")
    page.reload()
    expect_sound(page, WIDTHS)
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    page.reload()
    expect_sound(page, WIDTHS)
    subscribing.after_revoke(alice, 2, LAPTOP, is_exposed=True)
    page.reload()
    expect_sound(page, WIDTHS)
