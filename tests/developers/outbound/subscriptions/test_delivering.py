"""What waits is sent: at least once, tried for a day, within limits, and only where it may go."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.operations.management.commands.mail_worker import read_contact
from botpenguin.platform import bot_deletion
from botpenguin.platform.models import Bot, Contact
from developers.outbound.subscriptions import delivering
from developers.outbound.subscriptions.delivering import deliver_one
from developers.outbound.subscriptions.models import Delivery, Subscription
from developers.outbound.subscriptions.queue import fan_out
from tests.developers.outbound.servers import LocalServer, Peer, resolver_of, response, serving
from tests.developers.outbound.subscriptions.webhooks import PATH, add_contacts, deliver_all, make_due
from tests.platform.calls import caller, contact_of

pytestmark = pytest.mark.usefixtures("loopback")
Subscribe = Callable[..., Subscription]
OK, FAILURE = response(b'{"message":"Workflow was started"}'), response(status="500 Internal Server Error")


def posted(request: bytes) -> Any:
    return json.loads(request.partition(b"\r\n\r\n")[2])


def header(request: bytes, name: str) -> str:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return dict(line.split(": ", 1) for line in lines[1:])[name]


def test_a_new_contact_is_posted_as_the_api_shows_it(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    api = caller(alice)
    with serving(OK) as server:
        made = subscribed(server.url)
        [contact] = add_contacts(api, reception.pk, "Asha Rao")
        waiting = Delivery.objects.count()
        fan_out()
        delivery = Delivery.objects.get()

        begun = deliver_all()

    [request] = server.requests
    assert (waiting, begun) == (0, 1)
    assert request.startswith(f"POST {PATH} HTTP/1.1\r\n".encode())
    assert posted(request) == {
        "botId": reception.pk,
        "platform": "whatsapp",
        "event": "newLeadHook",
        "data": api.data("GET", f"/inbox/users/{contact}"),
    }
    assert header(request, "webhook-id") == delivery.pk
    assert abs(int(header(request, "webhook-timestamp")) - timezone.now().timestamp()) < 60
    assert header(request, "content-type") == "application/json"
    made.refresh_from_db()
    assert (made.delivered, made.failures, made.next_at, made.leased_until) == (1, 0, None, None)
    assert not Delivery.objects.exists()


def test_the_query_of_an_address_stays_as_it_is(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    with serving(OK) as server:
        subscribed(server.url, "/hook?key=a%2Fb&flag&key=c+d")
        add_contacts(caller(alice), reception.pk, "Asha")

        deliver_all()

    assert server.requests[0].startswith(b"POST /hook?key=a%2Fb&flag&key=c+d HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (FAILURE, "500: Something failed on the server. Its operator can look it up."),
        (response(status="404 Not Found"), "404: There is nothing at this address. Check the URL."),
        (response(status="429 Too Many Requests"), "429: The server is asked too often. Wait before the next call."),
        (
            response(b"", "Location: http://127.0.0.1:9/", status="307 Temporary Redirect"),
            "307: The server points to another address, which was not followed.",
        ),
        (response(status="304 Not Modified"), "304: Nothing has changed there since it was last asked for."),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "The server's response is not HTTP."),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "The server closed the connection before its response was complete.",
        ),
        (b"", "The server closed the connection without a response."),
    ],
)
def test_what_fails_is_tried_again_with_the_same_id(
    answer: bytes, problem: str, alice: User, reception: Bot, subscribed: Subscribe
) -> None:
    with serving(answer, OK) as server:
        made = subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha")
        deliver_all()
        made.refresh_from_db()
        state = (made.problem, made.failures, made.failing_since is not None, Delivery.objects.get().attempts)
        at_once = deliver_all()
        make_due()

        deliver_all()

    assert (state, at_once) == ((problem, 1, True, 1), 0)
    first, second = (header(request, "webhook-id") for request in server.requests)
    assert first == second
    made.refresh_from_db()
    assert (made.problem, made.failures, made.failing_since, made.delivered) == ("", 0, None, 1)


def test_a_dead_target_is_shown_as_failing(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    with serving(OK) as server:
        url = server.url
    made = subscribed(url)
    add_contacts(caller(alice), reception.pk, "Asha")

    deliver_all()

    made.refresh_from_db()
    assert (made.problem, made.failures) == ("Nothing answers at this server and port.", 1)


def test_a_slow_target_is_left_at_the_deadline(
    alice: User, reception: Bot, subscribed: Subscribe, settings: Settings
) -> None:
    settings.OUTBOUND_SECONDS = 0.1
    with LocalServer(Peer.wait_until_gone) as server:
        made = subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha")

        deliver_all()

    made.refresh_from_db()
    assert made.problem == "The server did not finish its response within 0.1 seconds."


def test_a_name_that_leads_to_a_private_address_is_not_called(
    alice: User, reception: Bot, subscribed: Subscribe, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    made = subscribed("https://n8n.example.com")
    add_contacts(caller(alice), reception.pk, "Asha")

    deliver_all(resolver=resolver_of(["10.0.0.7"]))

    made.refresh_from_db()
    assert made.failures == 1
    assert made.problem.startswith("There is no public server at this address.")


def test_a_contact_that_is_deleted_meanwhile_is_not_sent(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    with serving(OK) as server:
        made = subscribed(server.url)
        [gone, _] = add_contacts(caller(alice), reception.pk, "Asha", "Ben")
        Contact.objects.filter(pk=gone).delete()

        deliver_all()

    made.refresh_from_db()
    assert [posted(request)["data"]["profile"]["userDetails"]["name"] for request in server.requests] == ["Ben"]
    assert made.delivered == 1


def test_nothing_is_sent_of_a_deleted_bot(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    with serving(OK) as server:
        subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha")
        bot_deletion.delete(alice.pk, reception.pk)

        deliver_all()

    assert server.requests == []
    assert not Delivery.objects.exists()


def test_a_contact_of_another_account_is_never_read(alice: User, bob: User, reception: Bot) -> None:
    theirs = contact_of(bob, name="Dora")

    assert read_contact(alice.pk, reception.pk, theirs.pk) is None
    assert read_contact(bob.pk, reception.pk, theirs.pk) is None


def test_a_host_gets_30_a_minute_of_an_account(
    alice: User, reception: Bot, subscribed: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "AN_HOST_A_MINUTE", 2)
    with serving(OK) as server:
        made = subscribed(server.url)
        subscribed(server.url, "/another")
        add_contacts(caller(alice), reception.pk, "Asha", "Ben", "Cleo")

        deliver_all()

    made.refresh_from_db()
    assert len(server.requests) == 2
    assert made.next_at is not None
    assert timedelta(seconds=30) < made.next_at - timezone.now() < timedelta(seconds=61)


def test_a_lease_of_a_dead_worker_ends_and_the_same_delivery_is_sent_again(
    alice: User, reception: Bot, subscribed: Subscribe
) -> None:
    def die(*_: Any) -> str:
        raise KeyboardInterrupt

    with serving(OK) as server:
        made = subscribed(server.url)
        add_contacts(caller(alice), reception.pk, "Asha")
        fan_out()
        with pytest.raises(KeyboardInterrupt):
            deliver_one(die)
        while_leased = deliver_all()
        Subscription.objects.update(leased_until=timezone.now())

        deliver_all()

    assert (while_leased, len(server.requests)) == (0, 1)
    made.refresh_from_db()
    assert made.delivered == 1


def test_a_webhook_that_is_stopped_during_its_delivery_stays_stopped(
    alice: User, reception: Bot, subscribed: Subscribe
) -> None:
    def stopped_meanwhile(*_: Any) -> None:
        Subscription.objects.all().delete()

    subscribed()
    add_contacts(caller(alice), reception.pk, "Asha")
    fan_out()

    assert deliver_one(stopped_meanwhile) is True
    assert not Subscription.objects.exists()


def test_an_address_that_cannot_be_read_is_shown_as_failing(alice: User, reception: Bot, subscribed: Subscribe) -> None:
    made = subscribed()
    add_contacts(caller(alice), reception.pk, "Asha")
    Subscription.objects.update(key_id="00000000")

    deliver_all()

    made.refresh_from_db()
    assert made.problem == "The address can no longer be read. Set it up anew in the program."


def test_a_due_webhook_without_deliveries_waits_for_the_next_one(subscribed: Subscribe) -> None:
    made = subscribed()
    Subscription.objects.update(next_at=timezone.now())

    assert deliver_one(read_contact) is True
    made.refresh_from_db()
    assert (made.next_at, made.leased_until) == (None, None)
