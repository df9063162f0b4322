"""A sign-up waits for its link, and following it never makes another person's password valid."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import connections
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone
from post_office.models import Email

from accounts import sign_ups
from accounts.models import SignUp, User
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD, logged_in
from tests.interleaving import just_before

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]

CAROL = "carol@example.com"
OWN, THIEVES, NEW = "the owner's own passphrase", "the thief's bad passphrase", "a brand new passphrase"
AGAIN, RESET, SIGN_UP = "/account/confirm-email/again/", "/account/password/reset/", "/account/signup/"
DEAD = "This link no longer works"


def at(ip: str = "203.0.113.9") -> Browser:
    return Browser(REMOTE_ADDR=ip)


def sign_up(browser: Browser, password: str = OWN, email: str = CAROL) -> str:
    """Sign up, and return the link in the newest mail."""
    browser.post(SIGN_UP, {"email": email, "password1": password})
    return link_in(newest())


def log_in(password: str, email: str = CAROL, browser: Browser | None = None) -> Any:
    return (browser or at()).post("/account/login/", {"login": email, "password": password})


def can_log_in(password: str, email: str = CAROL) -> bool:
    return bool(log_in(password, email).get("Location") == "/")


def send_again(browser: Browser, email: str = CAROL) -> Any:
    return browser.post(AGAIN, {"email": email})


def mails_to(email: str = CAROL) -> int:
    return Email.objects.filter(to=email).count()


def ips(network: str = "198.51.100.{}") -> Iterator[str]:
    return (network.format(number) for number in range(1, 250))


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_there_is_no_account_before_the_address_is_confirmed() -> None:
    browser = at()
    link = sign_up(browser)

    before = (User.objects.count(), can_log_in(OWN))
    question = browser.get(link)
    done = browser.post(link, follow=True)

    assert before == (0, False)
    assert f"Is <strong>{CAROL}</strong> yours? Confirm it, then log in." in text(question)
    assert done.redirect_chain == [("/account/login/", 302)]
    assert f"{CAROL} is confirmed. Log in to continue." in text(done)
    assert can_log_in(OWN)
    assert DEAD in text(browser.get(link))


def test_the_right_password_of_an_unconfirmed_address_only_mails_the_link() -> None:
    link = sign_up(at())
    cache.clear()

    wrong = log_in("guessed wrong")
    mailed_for_wrong = mails_to()
    right = log_in(OWN)

    assert (wrong.status_code, right.status_code) == (200, 200)
    assert right.context["form"].non_field_errors() == wrong.context["form"].non_field_errors()
    assert [set(answer.cookies) for answer in (wrong, right)] == [{"csrftoken"}] * 2
    assert (mailed_for_wrong, mails_to()) == (1, 2)
    assert link_in(newest()).split("/")[:3] == link.split("/")[:3]
    assert DEAD not in text(at().get(link_in(newest())))


def test_the_right_password_of_an_unconfirmed_address_is_counted_as_a_wrong_one() -> None:
    sign_up(at())

    tries = [(OWN, at("198.51.100.1")), ("guessed wrong", at("198.51.100.2"))]
    answers = [[log_in(password, browser=browser).status_code for _time in range(6)] for password, browser in tries]

    assert answers == [[200] * 5 + [429]] * 2


def test_code_that_asks_without_a_request_learns_nothing_and_mails_nothing(alice: User) -> None:
    sign_up(at())
    EmailAddress.objects.update(verified=False)

    answers = [authenticate(email=CAROL, password=OWN), authenticate(email=alice.email, password=PASSWORD)]

    assert answers == [None, None]
    assert Email.objects.count() == 1


def test_an_owner_who_signed_up_too_confirms_their_own_password() -> None:
    thief, owner = at("198.51.100.7"), at()
    thieves_link = sign_up(thief, THIEVES)
    own_link = sign_up(owner)

    owner.post(own_link)

    assert (can_log_in(OWN), can_log_in(THIEVES)) == (True, False)
    assert DEAD in text(owner.get(thieves_link))
    assert not SignUp.objects.exists()


@pytest.mark.parametrize("owner_first", [True, False])
@pytest.mark.parametrize("browser", ["own", "another"])
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

    assert f"Somebody signed up with <strong>{CAROL}</strong> in another browser." in text(page)
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


def test_whoever_confirms_in_a_browser_where_another_is_logged_in_is_asked_to_log_in(alice: User) -> None:
    browser = logged_in(alice)
    link = sign_up(at())

    visited = browser.get(link)
    still_logged_in = browser.get("/account/").status_code
    done = browser.post(link, {"password": OWN})

    assert (visited.status_code, still_logged_in) == (200, 200)
    assert done["Location"] == "/account/login/"
    assert browser.get("/account/").status_code == 302


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


def test_a_sign_up_whose_password_changed_meanwhile_is_not_confirmed_as_it_was_read() -> None:
    browser = at()
    sign_up(browser)
    as_read = SignUp.objects.get()
    sign_up(browser, NEW)

    assert sign_ups.confirm(RequestFactory().post("/"), as_read, as_read.password) is False
    assert not User.objects.exists()


def test_an_address_that_got_an_account_meanwhile_is_not_confirmed_twice() -> None:
    browser = at()
    link = sign_up(browser)
    as_read = SignUp.objects.get()
    User.objects.create_user(CAROL, PASSWORD)

    confirmed = sign_ups.confirm(RequestFactory().post("/"), as_read, as_read.password)
    followed = browser.post(link, follow=True)

    assert confirmed is False
    assert DEAD in text(followed)
    assert can_log_in(PASSWORD)


def test_a_sign_up_that_is_deleted_while_it_is_confirmed_is_not_confirmed() -> None:
    browser = at()
    link = sign_up(browser)

    with just_before('SELECT "accounts_signup"."id"[^,]*, "accounts_signup"."password"', SignUp.objects.all().delete):
        answer = browser.post(link)

    assert answer["Location"] == link
    assert DEAD in text(browser.get(link))
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_links_followed_at_once_one_is_confirmed() -> None:
    browsers = [at(ip) for ip, _number in zip(ips(), range(4), strict=False)]
    links = [sign_up(browser, f"{OWN} {number}") for number, browser in enumerate(browsers)]
    start = Barrier(len(links))

    def follow(browser: Browser, link: str) -> str:
        start.wait()
        try:
            return str(browser.post(link)["Location"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(links)) as pool:
        answers = list(pool.map(follow, browsers, links))

    cache.clear()
    valid = [can_log_in(f"{OWN} {number}") for number in range(4)]
    assert sorted(answers)[-1] == "/account/login/"
    assert [answer == "/account/login/" for answer in answers] == valid
    assert valid.count(True) == 1
    assert not SignUp.objects.exists()


def test_a_thief_s_log_ins_and_requests_use_up_no_mail_of_the_owner_s(clock: list[float]) -> None:
    thief, owner = at("198.51.100.7"), at()
    sign_up(thief, THIEVES)
    for _time in range(8):
        clock[0] += 301
        thief.post(SIGN_UP, {"email": CAROL, "password1": THIEVES})
        at("198.51.100.7").post(SIGN_UP, {"email": CAROL, "password1": THIEVES})
        log_in(THIEVES, browser=thief)
        send_again(thief)
        send_again(at("198.51.100.8"))
    before = mails_to()

    own_link = sign_up(owner)
    signed_up = mails_to()
    clock[0] += 181
    send_again(owner)
    sent_again = mails_to()
    clock[0] += 181
    log_in(OWN, browser=at("192.0.2.44"))
    mailed_elsewhere = mails_to()
    clock[0] += 181
    send_again(at("192.0.2.45"))

    assert [count - before for count in (signed_up, sent_again, mailed_elsewhere, mails_to())] == [1, 2, 3, 4]
    owner.post(own_link)
    assert can_log_in(OWN)


@pytest.mark.release
def test_an_address_gets_few_links_a_day_from_one_network_and_not_many_from_all(clock: list[float]) -> None:
    def flood(ip: str) -> None:
        clock[0] += 181
        browser, password = at(ip), f"{THIEVES} {clock[0]}"
        browser.post(SIGN_UP, {"email": CAROL, "password1": password})
        send_again(browser)
        log_in(password, browser=browser)
        send_again(at(ip))

    for _time in range(8):
        flood("198.51.100.7")
    of_one = mails_to()
    for ip, _number in zip(ips("192.0.2.{}"), range(40), strict=False):
        flood(ip)

    # Six new sign-ups and three links that others asked for; of all networks, fifteen of each.
    assert of_one == 9
    assert mails_to() == 30


@pytest.mark.parametrize("path", [AGAIN, RESET])
def test_a_link_is_sent_again_only_where_an_address_waits(alice: User, path: str) -> None:
    sign_up(at())
    deactivated = User.objects.create_user("dave@example.com", PASSWORD, is_active=False)
    EmailAddress.objects.filter(user=deactivated).update(verified=False)
    before, people = Email.objects.count(), ("nobody@example.com", "dave@example.com", "Carol@Example.com")

    asked = [at().post(path, {"email": email}) for email in people]

    assert [answer.status_code for answer in asked] == [302] * 3
    assert [mail.to for mail in Email.objects.order_by("pk")[before:]] == [[CAROL]]
    assert DEAD not in text(at().get(link_in(newest())))


def test_a_link_is_not_sent_again_to_an_account_that_is_confirmed(alice: User) -> None:
    sign_up(at())
    User.objects.create_user(CAROL, PASSWORD)
    before = Email.objects.count()

    for email in (alice.email, CAROL):
        send_again(at(), email)

    assert Email.objects.count() == before


def test_a_failed_log_in_offers_to_send_the_link_again_to_the_address_that_was_typed() -> None:
    page = text(log_in("guessed wrong"))
    invalid = send_again(at(), "no address")
    done = at().post(AGAIN, {"email": CAROL}, follow=True)

    assert f'action="{AGAIN}"' in page
    assert f'<input type="hidden" name="email" value="{CAROL}">' in page
    assert "Send the confirmation link again" in page
    assert len(invalid.context["form"].errors["email"]) == 1
    assert "If this address still has to be confirmed, a link is on its way to it." in text(done)


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


def test_a_sign_up_is_forgotten_once_its_last_link_has_had_its_time() -> None:
    for email, age in (("old@example.com", timedelta(days=3, minutes=1)), (CAROL, timedelta(days=2, hours=23))):
        SignUp.objects.create(email=email, password=make_password(OWN), renewed_at=timezone.now() - age)

    forgotten = sum(sign_ups.forget_old())

    assert (forgotten, [str(row) for row in SignUp.objects.all()]) == (1, [CAROL])
