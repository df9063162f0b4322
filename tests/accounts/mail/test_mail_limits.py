"""Limits on mails that anybody can request, so that nobody can fill a mailbox."""

import pytest
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.accounts.throttling.visitors import ALICE, NEW_PASSWORD, addresses, at, log_in
from tests.cast import logged_in

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]


def test_nobody_can_fill_a_mailbox_with_links(alice: User, clock: list[float]) -> None:
    statuses = []
    for ip, _time in zip(addresses(), range(5), strict=False):
        # allauth's own bound on the mails of a sign-up.
        clock[0] += 181
        asked = at(ip).post("/account/password/reset/", {"email": ALICE})
        signed_up = at(ip).post("/account/signup/", {"email": ALICE, "password1": NEW_PASSWORD})
        statuses += [asked.status_code, signed_up.status_code]

    assert statuses == [302] * 10
    assert Email.objects.filter(subject="Choose a new BotPenguin password").count() == 3
    assert Email.objects.filter(subject="You already have a BotPenguin account").count() == 3


def test_an_address_asks_for_twenty_links_a_minute(db: None) -> None:
    browser = at("192.0.2.1")

    statuses = [
        browser.post("/account/confirm-email/again/", {"email": f"{number}@example.net"}).status_code
        for number in range(21)
    ]

    assert statuses == [302] * 20 + [429]


@pytest.mark.no_cover
def test_nobody_can_fill_a_mailbox_with_links_that_confirm_it(
    alice: User, clock: list[float], settings: Settings
) -> None:
    low = {"own_link_mail": "1/3m/key,2/d/key", "change_mail": "1/3m/key,2/d/key"}
    assert [settings.ACCOUNT_RATE_LIMITS[name] for name in low] == ["1/3m/key,3/d/key", "1/3m/key,5/d/key"]
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | low
    new = {"email": "victim@example.net", "password1": NEW_PASSWORD}
    at("192.0.2.1").post("/account/signup/", new)
    thief = logged_in(alice)
    for ip, _time in zip(addresses(), range(3), strict=False):
        clock[0] += 181
        log_in(at(ip), NEW_PASSWORD, new["email"])
        thief.post("/account/email/", {"email": new["email"], "action_add": ""})
        thief.post("/account/email/", {"email": new["email"], "action_send": ""})

    mails = Email.objects.filter(to=new["email"])
    # Two of the one sign-up, two of the one account.
    assert mails.count() == 4
    clock[0] += 86_400
    log_in(at("192.0.2.2"), NEW_PASSWORD, new["email"])
    assert mails.count() == 5


def test_one_account_that_asks_for_an_address_does_not_use_up_the_mails_of_another(
    alice: User, bob: User, clock: list[float]
) -> None:
    thief, owner = logged_in(bob), logged_in(alice)
    for _time in range(6):
        clock[0] += 181
        for action in ("action_add", "action_send"):
            thief.post("/account/email/", {"email": "new@example.net", action: ""})
    mails = Email.objects.filter(to="new@example.net")
    before = mails.count()

    owner.post("/account/email/", {"email": "new@example.net", "action_add": ""})

    assert (before, mails.count()) == (5, 6)


def test_many_accounts_cannot_fill_a_mailbox_with_links_for_a_change_of_email(db: None, settings: Settings) -> None:
    assert settings.ACCOUNT_RATE_LIMITS["change_mails"] == "20/d/key"
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"change_mails": "3/d/key"}

    for number in range(5):
        thief = logged_in(User.objects.create_user(f"thief{number}@example.com", NEW_PASSWORD))
        thief.post("/account/email/", {"email": "new@example.net", "action_add": ""})

    assert Email.objects.filter(to="new@example.net").count() == 3


def test_a_link_that_was_used_up_is_sent_anew(alice: User) -> None:
    for ip, _time in zip(addresses(), range(4), strict=False):
        at(ip).post("/account/password/reset/", {"email": ALICE})
    log_in(at("203.0.113.9"))

    at("203.0.113.9").post("/account/password/reset/", {"email": ALICE})

    assert Email.objects.filter(subject="Choose a new BotPenguin password").count() == 4
