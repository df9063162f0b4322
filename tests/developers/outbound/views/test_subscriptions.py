"""The page Webhooks: what is set up, and Keep and Stop, with and without scripts."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import User
from accounts.security_log import Kind
from botpenguin.platform.models import Bot
from developers import issuance
from developers.bearer import verification
from developers.outbound.subscriptions.models import Delivery, Subscription
from tests.cast import LAPTOP, PHONE, account_events, logged_in, token_text
from tests.developers.outbound.subscriptions.webhooks import PATH

PAGE = "/developers/third-party-apps-api/webhooks/"
TOKEN = "/developers/api-access-token/"
Subscribe = Callable[..., Subscription]


def text_of(response: Any) -> str:
    """Return the words of a page, without tags and titles."""
    main = re.sub(r"</?bdi[^>]*>|<wbr>", "", response.content.decode()).partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def page(user: User) -> str:
    return text_of(logged_in(user).get(PAGE))


def post(browser: Browser, webhook: Subscription, what: str, **data: Any) -> Any:
    return browser.post(f"{PAGE}{webhook.pk}/{what}/", data, follow=True)


def test_the_page_is_empty_before_a_program_sets_one_up(alice: User) -> None:
    assert "No webhooks yet" in page(alice)


def test_the_page_shows_who_set_up_what_and_only_the_beginning_of_an_address(
    alice: User, subscribed: Subscribe
) -> None:
    made = subscribed()
    Subscription.objects.update(client="n8n/2.41", ip="203.0.113.9")

    shown = page(alice)

    assert "https://n8n.example.com/webhook… Active New contact · Reception Set up by n8n" in shown
    assert "203.0.113.9" in shown
    assert "Nothing sent yet." in shown
    assert PATH[10:] not in logged_in(alice).get(PAGE).content.decode()
    assert made.sealed not in logged_in(alice).get(PAGE).content.decode()


def test_the_page_shows_deliveries_and_failures(alice: User, subscribed: Subscribe) -> None:
    subscribed()
    now = timezone.now()
    Subscription.objects.update(
        delivered=1234,
        last_delivered_at=now,
        failures=3,
        failing_since=now,
        problem="500: Something failed on the server.",
        next_at=now,
        given_up=1,
        dropped=2,
    )

    shown = page(alice)

    for part in (
        "Failing New contact",
        "1,234 sent, the last one",
        "500: Something failed on the server. Next try",
        "1 contact could not be sent within a day.",
        "2 contacts were not sent: too many were waiting.",
    ):
        assert part in shown


def test_the_page_says_that_a_bot_was_deleted(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    subscribed()
    reception.delete()

    assert "New contact · A deleted bot" in page(alice)


def test_stop_asks_first_and_then_deletes_it_with_what_waits(alice: User, subscribed: Subscribe) -> None:
    made, browser = subscribed(), logged_in(alice)
    now = timezone.now()
    Delivery.objects.create(subscription=made, contact_id="6743a1f09b2c4d5e6f708192", created_at=now, due_at=now)

    asked = text_of(post(browser, made, "stop"))
    there = Subscription.objects.exists()
    stopped = text_of(post(browser, made, "stop", is_sure="on"))
    again = text_of(post(browser, made, "stop", is_sure="on"))

    assert ("Stop this webhook?" in asked, there) == (True, True)
    assert "The webhook is stopped. Nothing is sent there any more." in stopped
    assert "The webhook is stopped" not in again
    assert not Subscription.objects.exists()
    assert not Delivery.objects.exists()
    events = account_events().filter(kind__startswith="webhook")
    assert [event.kind for event in events] == [Kind.WEBHOOK_STOPPED, Kind.WEBHOOK_MADE]
    assert events[0].place == "n8n.example.com"


def test_after_a_revoke_the_pages_ask_whether_to_keep_it(alice: User, subscribed: Subscribe) -> None:
    made, browser = subscribed(), logged_in(alice)
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)

    token_page, before = text_of(browser.get(TOKEN)), page(alice)
    kept = text_of(post(browser, made, "keep", generation=2))

    for shown in (token_page, before):
        assert "1 webhook is paused" in shown
    assert "Paused New contact" in before
    assert "The webhook is kept. It gets new contacts again." in kept
    assert "Active New contact" in kept
    assert "paused" not in text_of(browser.get(TOKEN))


@pytest.mark.parametrize("generation", ["1", "3", "", "2x", "٢"])
def test_keep_needs_the_generation_that_is_shown(alice: User, subscribed: Subscribe, generation: str) -> None:
    made, browser = subscribed(), logged_in(alice)
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)

    refused = text_of(post(browser, made, "keep", generation=generation))

    assert "Your token was revoked again meanwhile. Check the webhooks once more." in refused
    assert Subscription.objects.paused().exists()


def test_keep_says_nothing_of_one_that_is_active(alice: User, subscribed: Subscribe) -> None:
    made = subscribed()

    shown = text_of(post(logged_in(alice), made, "keep", generation=1))

    assert "The webhook is kept" not in shown


def test_what_a_report_of_exposure_stopped_is_listed_and_cannot_be_kept(alice: User, subscribed: Subscribe) -> None:
    made, browser = subscribed(), logged_in(alice)
    verification.report_exposed([token_text(alice)], PHONE)

    shown = page(alice)
    kept = text_of(post(browser, made, "keep", generation=2))

    assert "Your token was reported as exposed, so these were stopped for good." in shown
    assert "No webhooks yet" not in shown
    assert "Keep" not in shown
    assert "The webhook is kept" not in kept


def test_others_see_and_stop_nothing(alice: User, bob: User, subscribed: Subscribe) -> None:
    made, theirs = subscribed(), logged_in(bob)

    asked = theirs.post(f"{PAGE}{made.pk}/stop/")
    post(theirs, made, "stop", is_sure="on")
    post(theirs, made, "keep", generation=1)

    assert asked.status_code == 404
    assert "No webhooks yet" in page(bob)
    assert Subscription.objects.current().get() == made


def test_a_person_without_a_token_sees_the_page(bob: User) -> None:
    bob.api_token.delete()

    assert "No webhooks yet" in page(User.objects.get(pk=bob.pk))
