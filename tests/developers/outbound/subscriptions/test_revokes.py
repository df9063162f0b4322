"""A revoke pauses what a token set up, until its owner decides. A report of exposure stops it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from post_office.models import Email

from accounts.models import User
from accounts.security_log import Kind
from botpenguin.platform.models import Bot
from developers import issuance
from developers.bearer import verification
from developers.models import ApiToken, RevokedToken
from developers.outbound.subscriptions import subscribing
from developers.outbound.subscriptions.models import Delivery, QueuedEvent, Subscription
from developers.outbound.subscriptions.queue import fan_out
from developers.outbound.subscriptions.subscribing import Webhook
from tests.cast import LAPTOP, PHONE, account_events, token_text
from tests.developers.outbound.servers import response, serving
from tests.developers.outbound.subscriptions.webhooks import EVENT, PATH, add_contacts, deliver_all, subscribe_by
from tests.platform.calls import caller

pytestmark = pytest.mark.usefixtures("loopback")
Subscribe = Callable[..., Subscription]
OK = response(b"{}")


def revoke(user: User, **options: Any) -> None:
    generation = ApiToken.objects.get(user=user).generation
    issuance.revoke(user, generation, LAPTOP, even_if_used=True, **options)


def kinds() -> list[str]:
    return [event.kind for event in account_events()]


def test_after_a_revoke_nothing_is_sent_to_what_a_thief_has_planted(
    alice: User, reception: Bot, subscribed: Subscribe
) -> None:
    with serving(OK) as server:
        subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha")
        before = deliver_all()
        add_contacts(caller(alice), reception.pk, "Ben")
        revoke(alice)
        add_contacts(caller(alice), reception.pk, "Cleo")

        deliver_all()

    assert (before, len(server.requests)) == (1, 1)
    assert not QueuedEvent.objects.exists()
    assert kinds() == [Kind.WEBHOOKS_PAUSED, Kind.WEBHOOK_MADE]


def test_a_request_that_was_checked_just_before_the_revoke_makes_no_active_one(alice: User, reception: Bot) -> None:
    revoke(alice)
    wanted = Webhook(reception.pk, EVENT, f"https://n8n.example.com{PATH}")

    subscribing.subscribe(alice.pk, 1, wanted, LAPTOP)
    add_contacts(caller(alice), reception.pk, "Asha")

    assert Subscription.objects.paused().count() == 1
    assert not QueuedEvent.objects.exists()


def test_what_waited_is_sent_once_the_owner_keeps_the_webhook(
    alice: User, reception: Bot, subscribed: Subscribe
) -> None:
    with serving(OK) as server:
        made = subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha")
        deliver_all()
        add_contacts(caller(alice), reception.pk, "Ben")
        fan_out()
        revoke(alice)
        while_paused = deliver_all()
        kept = subscribing.keep(alice.pk, made.pk, 2, PHONE)
        again = subscribing.keep(alice.pk, made.pk, 2, PHONE)
        add_contacts(caller(alice), reception.pk, "Cleo")

        deliver_all()

    assert (while_paused, kept, again, len(server.requests)) == (0, True, False, 3)
    assert kinds() == [Kind.WEBHOOK_RESUMED, Kind.WEBHOOKS_PAUSED, Kind.WEBHOOK_MADE]


def test_one_that_is_kept_waits_again_after_the_next_revoke(alice: User, subscribed: Subscribe) -> None:
    made = subscribed()
    revoke(alice)
    subscribing.keep(alice.pk, made.pk, 2, PHONE)

    revoke(alice)

    assert [each.pk for each in Subscription.objects.paused()] == [made.pk]
    assert kinds().count(Kind.WEBHOOKS_PAUSED) == 2


def test_a_program_with_the_new_token_sets_its_address_up_anew(
    alice: User, reception: Bot, subscribed: Subscribe
) -> None:
    made = subscribed()
    revoke(alice)
    before = caller(alice).data(
        "POST", "/integrations/custom-app/fetch-subscribed-webhooks", {"botId": reception.pk, "event": EVENT}
    )

    subscribe_by(caller(alice), reception.pk, f"https://n8n.example.com{PATH}")

    assert before == []
    assert [each.pk for each in Subscription.objects.current()] == [made.pk]


def test_a_report_of_exposure_stops_all_and_forgets_their_addresses(
    alice: User, reception: Bot, subscribed: Subscribe
) -> None:
    made = subscribed()
    revoke(alice)
    subscribed(path="/second")

    verification.report_exposed([token_text(alice)], PHONE)

    assert not Subscription.objects.current().exists()
    assert not Subscription.objects.paused().exists()
    assert set(Subscription.objects.values_list("sealed", "key_id")) == {("", "")}
    assert subscribing.keep(alice.pk, made.pk, 3, PHONE) is False
    assert kinds()[0] == Kind.WEBHOOKS_STOPPED


def test_what_was_stopped_is_set_up_anew_as_another(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    subscribed()
    verification.report_exposed([token_text(alice)], PHONE)

    subscribe_by(caller(alice), reception.pk, f"https://n8n.example.com{PATH}")

    assert (Subscription.objects.count(), Subscription.objects.current().count()) == (2, 1)


def test_the_webhooks_of_others_stay_active(alice: User, bob: User, subscribed: Subscribe) -> None:
    made = subscribed()

    revoke(bob)
    verification.report_exposed([token_text(bob)], PHONE)

    assert [each.pk for each in Subscription.objects.current()] == [made.pk]
    assert kinds() == [Kind.WEBHOOK_MADE]


def test_a_deactivated_account_gets_nothing(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    with serving(OK) as server:
        subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha")
        User.objects.filter(pk=alice.pk).update(is_active=False)

        deliver_all()

    assert server.requests == []
    assert not Delivery.objects.exists()


def test_without_webhooks_a_revoke_takes_one_statement_more_and_writes_nothing(alice: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        revoke(alice)

    of_webhooks = [query["sql"] for query in queries if "outbound_" in query["sql"]]
    assert [sql.split()[0] for sql in of_webhooks] == ["SELECT"]


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (RevokedToken.Reason.OWNER, "2 webhooks are paused: the token set them up."),
        (RevokedToken.Reason.API, "2 webhooks are paused: the token set them up."),
        (RevokedToken.Reason.EXPOSED, "2 webhooks were stopped, since whoever found the token may have set them up."),
    ],
)
def test_the_mail_says_what_became_of_webhooks(
    alice: User, subscribed: Subscribe, reason: RevokedToken.Reason, sentence: str
) -> None:
    subscribed()
    subscribed(path="/second")

    revoke(alice, reason=reason)

    sent = Email.objects.get()
    for text in (sent.message, sent.html_message):
        assert sentence in " ".join(text.split())
        assert "/developers/third-party-apps-api/webhooks/" in text


def test_the_mail_says_nothing_of_webhooks_where_there_are_none(alice: User) -> None:
    revoke(alice)

    sent = Email.objects.get()
    assert "ebhook" not in sent.message + sent.html_message
