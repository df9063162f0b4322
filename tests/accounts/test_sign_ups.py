"""A sign-up waits for its link, and following it never makes another person's password valid."""

from itertools import product

import pytest
from allauth.account.models import EmailAddress

from accounts import sign_ups
from accounts.models import SignUp, User
from tests.accounts.mail.mails import link_in, newest
from tests.accounts.samples import sample
from tests.accounts.sign_ups import (
    CAROL,
    DEAD,
    NEW,
    OWN,
    RESET,
    SIGN_UP,
    THIEVES,
    at,
    can_log_in,
    log_in,
    mails_to,
    send_again,
    sign_up,
    text,
)
from tests.cast import PASSWORD, logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]


def test_there_is_no_account_before_the_address_is_confirmed() -> None:
    browser = at()
    link = sign_up(browser)

    before = (User.objects.count(), can_log_in(OWN))
    question = browser.get(link)
    done = browser.post(link, follow=True)

    assert before == (0, False)
    assert f'Is <strong dir="ltr">{CAROL}</strong> yours? Confirm it, then log in.' in text(question)
    assert done.redirect_chain == [("/account/login/", 302)]
    assert f"{CAROL} is confirmed. Log in to continue." in text(done)
    assert can_log_in(OWN)
    assert DEAD in text(browser.get(link))


@pytest.mark.no_cover
def test_the_right_password_of_an_unconfirmed_address_is_counted_as_a_wrong_one() -> None:
    sign_up(at())

    tries = [(OWN, at("198.51.100.1")), ("guessed wrong", at("198.51.100.2"))]
    answers = [[log_in(password, browser=browser).status_code for _time in range(6)] for password, browser in tries]

    assert answers == [[200] * 5 + [429]] * 2


@pytest.mark.no_cover
def test_an_owner_who_signed_up_too_confirms_their_own_password() -> None:
    thief, owner = at("198.51.100.7"), at()
    thieves_link = sign_up(thief, THIEVES)
    own_link = sign_up(owner)

    owner.post(own_link)

    assert (can_log_in(OWN), can_log_in(THIEVES)) == (True, False)
    assert DEAD in text(owner.get(thieves_link))
    assert not SignUp.objects.exists()


@pytest.mark.parametrize(
    ("owner_first", "browser"),
    sample(product([True, False], ["own", "another"]), {(True, "own"), (False, "another")}),
)
def test_an_owner_who_follows_a_thief_s_link_does_not_make_the_thief_s_password_valid(
    owner_first: bool, browser: str
) -> None:
    thief, owner = at("198.51.100.7"), at()
    links = {}
    for name in ("owner", "thief") if owner_first else ("thief", "owner"):
        links[name] = sign_up(owner, OWN) if name == "owner" else sign_up(thief, THIEVES)
    follower = owner if browser == "own" else at("192.0.2.44")

    page = follower.get(links["thief"])
    for posted in ({}, {"password": ""}, {"password1": ""}, {"password": OWN}, {"password1": "short"}):
        follower.post(links["thief"], posted)
    before = User.objects.exists()
    follower.post(links["thief"], {"password1": NEW})

    assert f'Somebody signed up with <strong dir="ltr">{CAROL}</strong> in another browser.' in text(page)
    assert before is False
    assert [can_log_in(password) for password in (NEW, THIEVES, OWN)] == [True, False, False]
    assert DEAD in text(owner.get(links["owner"]))
    assert send_again(thief).status_code == 302
    assert mails_to() == 2


def test_the_password_of_the_sign_up_confirms_it_in_another_browser() -> None:
    link = sign_up(at())

    wrong = at("192.0.2.44").post(link, {"password": "guessed wrong"})
    at("192.0.2.44").post(link, {"password": OWN})

    expected = ["That is not the password of this sign-up. Try again, or choose a new one."]
    assert wrong.context["known"].errors["password"] == expected
    assert can_log_in(OWN)


def test_attempts_at_the_password_of_a_sign_up_are_limited_as_at_log_in() -> None:
    link = sign_up(at())

    answers = [at("192.0.2.44").post(link, {"password": "guessed wrong"}).status_code for _time in range(6)]

    assert answers == [200] * 5 + [429]


@pytest.mark.parametrize("weak", ["short", "password123456", "74839201748392", CAROL])
def test_a_new_password_at_the_link_is_no_weaker_than_at_sign_up(weak: str) -> None:
    page = at("192.0.2.44").post(sign_up(at()), {"password1": weak})

    assert len(page.context["new"].errors["password1"]) >= 1
    assert not User.objects.exists()


def test_confirming_in_a_browser_where_another_is_logged_in_leads_to_log_in(alice: User) -> None:
    browser = logged_in(alice)
    link = sign_up(at())

    visited = browser.get(link)
    still_logged_in = browser.get("/account/").status_code
    done = browser.post(link, {"password": OWN})

    assert (visited.status_code, still_logged_in) == (200, 200)
    assert done["Location"] == "/account/login/"
    assert browser.get("/account/").status_code == 302


@pytest.mark.no_cover
def test_signing_up_again_in_a_browser_changes_the_password_of_its_own_sign_up_only() -> None:
    thief, owner = at("198.51.100.7"), at()
    sign_up(thief, THIEVES)
    link = sign_up(owner, "mistyped by the owner")
    sign_up(owner, OWN)

    owner.post(link)

    assert [can_log_in(password) for password in (OWN, "mistyped by the owner", THIEVES)] == [True, False, False]


def test_a_forged_mark_of_a_browser_is_not_believed() -> None:
    link = sign_up(at())
    forged = at()
    forged.cookies[sign_ups.COOKIE] = "of-no-signature:at:all"

    forged.post(link)

    assert not User.objects.exists()


def test_the_mark_of_a_browser_is_kept_from_scripts_and_other_sites() -> None:
    browser = at()
    browser.post(SIGN_UP, {"email": CAROL, "password1": OWN})
    cookie = browser.cookies[sign_ups.COOKIE]
    first = cookie.value

    browser.post(SIGN_UP, {"email": "dave@example.com", "password1": OWN})

    kept = {name: cookie[name] for name in ("max-age", "httponly", "samesite", "path", "domain")}
    assert kept == {"max-age": 259200, "httponly": True, "samesite": "Lax", "path": "/", "domain": ""}
    assert browser.cookies[sign_ups.COOKIE].value.split(":")[0] == first.split(":")[0]


def test_an_unconfirmed_account_of_before_logs_in_by_its_link_and_its_password(alice: User) -> None:
    """Version 0.1.0 made the account at sign-up."""
    EmailAddress.objects.update(verified=False)

    wrong, right = log_in("guessed wrong", alice.email), log_in(PASSWORD, alice.email)
    link = link_in(newest())
    at().post(link)
    unasked = can_log_in(PASSWORD, alice.email)
    at().post(link, {"password": PASSWORD})

    assert [text(answer).count("do not match") for answer in (wrong, right)] == [1, 1]
    assert unasked is False
    assert can_log_in(PASSWORD, alice.email)


def test_an_unconfirmed_account_of_before_is_confirmed_by_a_new_password(alice: User) -> None:
    EmailAddress.objects.update(verified=False)
    browser = at()
    browser.post(RESET, {"email": alice.email})

    form = browser.get(link_in(newest()), follow=True).redirect_chain[-1][0]
    browser.post(form, {"password1": NEW, "password2": NEW})

    assert (can_log_in(NEW, alice.email), can_log_in(PASSWORD, alice.email)) == (True, False)
