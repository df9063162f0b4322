"""The link that confirms a change of email: where it works, and for whom."""

from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from post_office.models import Email

from accounts import email_changes
from accounts.events import SecurityEvent
from accounts.models import User
from tests.accounts.email_change import NEW, PAGE, ask_for, can_log_in, messages_on, text
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD, logged_in
from tests.interleaving import just_before

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]


@pytest.mark.no_cover
def test_the_link_asks_for_the_password_of_the_account_where_nobody_is_logged_in(alice: User) -> None:
    """The requester may not own the mailbox. Its owner must not give it to that account by one click."""
    ask_for(logged_in(alice))
    link, elsewhere = link_in(newest()), Browser()

    unasked = elsewhere.post(link)
    wrong = elsewhere.post(link, {"password": "guessed wrong"})
    before = can_log_in(NEW)
    done = elsewhere.post(link, {"password": PASSWORD}, follow=True)

    assert f'An account that is not logged in here wants <strong dir="ltr">{NEW}</strong> as its email.' in text(
        unasked
    )
    assert "alice@example.com" not in text(unasked)
    assert wrong.context["known"].errors["password"] == ["That is not its password. Try again."]
    assert SecurityEvent.objects.filter(user=alice, kind=SecurityEvent.Kind.CONFIRMING_FAILED).count() == 1
    assert before is False
    assert messages_on(done) == [f"{NEW} is confirmed. Log in to continue."]
    assert can_log_in(NEW)


def test_the_owner_of_the_mailbox_does_not_give_it_away_from_an_account_of_their_own(alice: User, bob: User) -> None:
    ask_for(logged_in(bob))
    link, owner = link_in(newest()), logged_in(alice)

    unasked = owner.post(link)
    own_password = owner.post(link, {"password": "not Bob's password"})
    still_logged_in = owner.get("/account/").status_code
    confirmed = owner.post(link, {"password": PASSWORD}, follow=True)

    assert [answer.status_code for answer in (unasked, own_password)] == [200, 200]
    assert still_logged_in == 200
    assert confirmed.redirect_chain == [("/account/login/", 302)]
    assert owner.get("/account/").status_code == 302


def test_an_owner_who_follows_a_thief_s_link_for_a_change_gives_no_address_to_the_thief(bob: User) -> None:
    """Their own sign-up still waits."""
    ask_for(logged_in(bob))
    thieves, owner = link_in(newest()), Browser()
    owner.post("/account/signup/", {"email": NEW, "password1": "another good passphrase"})

    owner.post(thieves)
    can_log_in_anew = can_log_in(NEW)
    owner.post(link_in(newest()))

    assert can_log_in_anew is False
    entered = Browser().post("/account/login/", {"login": NEW, "password": "another good passphrase"})
    assert entered["Location"] == "/"


def test_attempts_at_the_password_of_a_link_are_limited_as_at_log_in(alice: User) -> None:
    ask_for(logged_in(alice))
    link, elsewhere = link_in(newest()), Browser()

    answers = [elsewhere.post(link, {"password": "guessed wrong"}).status_code for _time in range(6)]

    assert answers == [200] * 5 + [429]


def test_the_link_of_a_deactivated_account_no_longer_works(alice: User) -> None:
    browser = logged_in(alice)
    ask_for(browser)
    User.objects.update(is_active=False)

    assert "This link no longer works" in text(browser.get(link_in(newest())))


def test_a_visit_of_the_link_alone_changes_nothing(alice: User) -> None:
    """Mail scanners visit links."""
    ask_for(logged_in(alice))

    Browser().get(link_in(newest()))

    assert can_log_in("alice@example.com")


def test_a_link_that_stops_working_while_its_page_is_open_says_so(alice: User) -> None:
    browser = logged_in(alice)
    ask_for(browser)
    link, reader = link_in(newest()), Browser()
    reader.get(link)

    browser.post(PAGE, {"email": NEW, "action_remove": ""})
    response = reader.post(link, follow=True)

    assert (response.redirect_chain, response.status_code) == ([(link, 302)], 200)
    assert "This link no longer works" in text(response)


def test_a_lost_mail_can_be_sent_again_three_minutes_later(alice: User) -> None:
    browser = logged_in(alice)
    ask_for(browser)
    cache.clear()

    browser.post(PAGE, {"email": NEW, "action_send": ""})

    assert [mail.to for mail in Email.objects.order_by("pk")] == [["alice@example.com"], [NEW], [NEW]]


def test_an_address_that_has_become_another_account_s_is_not_confirmed(alice: User) -> None:
    browser = logged_in(alice)
    ask_for(browser)
    link = link_in(newest())
    User.objects.create_user(NEW, PASSWORD)

    answer = browser.post(link, follow=True)

    assert answer.redirect_chain == [(urlsplit(link).path, 302)]
    assert set(User.objects.values_list("email", flat=True)) == {"alice@example.com", NEW}
    assert can_log_in("alice@example.com")


def test_a_change_that_is_cancelled_at_the_same_time_is_not_confirmed(alice: User) -> None:
    browser = logged_in(alice)
    ask_for(browser)
    link = link_in(newest())

    with just_before("SAVEPOINT", lambda: email_changes.cancel(alice)) as met:
        answer = browser.post(link, follow=True)

    assert met
    assert "This link no longer works" in text(answer)
    assert User.objects.get().email == "alice@example.com"
