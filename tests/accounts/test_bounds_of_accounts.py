"""Limits on what unknown browsers, and one account, can add: sign-ups, addresses, sessions, accounts."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts import deletion
from accounts.models import Session, SignUp, User
from accounts.throttling.known_browsers import COOKIE
from accounts.throttling.models import Counter
from tests.accounts.throttling.visitors import at
from tests.cast import PASSWORD, logged_in
from tests.test_project import routes

pytestmark = [pytest.mark.matrix, pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]

SIGN_UP, EMAIL, RESET = "/account/signup/", "/account/email/", "/account/password/reset/"
DAY = 24 * 60 * 60


def wait_until_midnight(clock: list[float]) -> None:
    """Set the clock to a minute past midnight, UTC."""
    clock[0] = DAY - timezone.now().timestamp() % DAY + 60


def sign_up(number: int, **cookies: str) -> Any:
    browser = at(f"198.51.100.{number}")
    for name, value in cookies.items():
        browser.cookies[name] = value
    return browser.post(SIGN_UP, {"email": f"person{number}@example.com", "password1": PASSWORD})


def ask_for(browser: Browser, number: int) -> Any:
    return browser.post(EMAIL, {"email": f"new{number}@example.net", "action_add": ""})


@pytest.fixture
def three_sign_ups(settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"sign_ups_of_unknown": "3/2h/key"}


def test_all_unknown_browsers_together_have_a_hundred_sign_ups_in_two_hours(settings: Settings) -> None:
    assert settings.ACCOUNT_RATE_LIMITS["sign_ups_of_unknown"] == "100/2h/key"


@pytest.mark.usefixtures("three_sign_ups")
def test_all_unknown_browsers_together_have_so_many_sign_ups(clock: list[float]) -> None:
    answers = [sign_up(number) for number in range(1, 6)]
    clock[0] += 2 * 60 * 60

    assert [answer.status_code for answer in answers] == [302] * 3 + [429] * 2
    assert "Too many attempts. Try again in 2 hours." in answers[-1].content.decode()
    assert 7000 < int(answers[-1]["Retry-After"]) <= 7200
    assert SignUp.objects.count() == 3
    assert sign_up(6).status_code == 302


@pytest.mark.usefixtures("three_sign_ups")
def test_a_form_with_a_mistake_is_no_sign_up() -> None:
    for number in range(1, 6):
        at(f"198.51.100.{number}").post(SIGN_UP, {"email": "person@example.com", "password1": "short"})

    assert sign_up(7).status_code == 302


@pytest.mark.usefixtures("three_sign_ups")
def test_sign_ups_of_others_do_not_close_it_in_a_known_browser(alice: User, settings: Settings) -> None:
    assert settings.ACCOUNT_RATE_LIMITS["sign_ups_of_known"] == "10/2h/key"
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"sign_ups_of_known": "2/2h/key"}
    owner = Browser()
    owner.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    known = {COOKIE: owner.cookies[COOKIE].value}
    for number in range(1, 5):
        sign_up(number)

    statuses = [sign_up(number, **known).status_code for number in range(10, 14)]

    assert statuses == [302] * 2 + [429] * 2


@pytest.mark.no_cover
@pytest.mark.usefixtures("three_sign_ups")
def test_a_reset_has_no_such_bound(alice: User) -> None:
    """A reset is the owner's way out of an attack."""
    for number in range(1, 6):
        sign_up(number)
        at(f"198.51.100.{number}").post(RESET, {"email": "nobody@example.com"})

    answer = at("203.0.113.9").post(RESET, {"email": alice.email})

    assert answer.status_code == 302
    assert Email.objects.filter(to=alice.email, subject="Choose a new BotPenguin password").exists()


def test_an_account_asks_for_five_addresses_a_day(alice: User, clock: list[float]) -> None:
    browser, another = logged_in(alice), logged_in(alice)
    wait_until_midnight(clock)
    statuses = []
    for number in range(7):
        clock[0] += 200
        statuses.append(ask_for(browser, number).status_code)
    last, again = ask_for(browser, 8), ask_for(browser, 3)
    elsewhere = ask_for(another, 9)

    assert statuses == [302] * 5 + [429] * 2
    assert "You can ask for five addresses a day. Try again in 24 hours." in last.content.decode()
    assert 84_000 < int(last["Retry-After"]) <= DAY
    assert (again.status_code, elsewhere.status_code) == (302, 429)
    assert {mail.to[0] for mail in Email.objects.all()} == {alice.email} | {f"new{n}@example.net" for n in range(5)}
    # A refusal changes nothing: the last mailed address still waits.
    assert alice.emailaddress_set.get(verified=False).email == "new3@example.net"


@pytest.mark.no_cover
def test_addresses_are_counted_anew_the_next_day_and_those_of_before_again(alice: User, clock: list[float]) -> None:
    browser = logged_in(alice)
    wait_until_midnight(clock)
    for number in range(5):
        ask_for(browser, number)
    clock[0] += DAY

    # An address of yesterday counts again.
    statuses = [ask_for(browser, number).status_code for number in (3, 5, 6, 7, 8, 9)]

    assert statuses == [302] * 5 + [429]


def test_one_account_does_not_use_up_the_addresses_of_another(alice: User, bob: User) -> None:
    for number in range(6):
        ask_for(logged_in(bob), number)

    assert ask_for(logged_in(alice), 0).status_code == 302


@pytest.mark.no_cover
def test_nothing_evicts_what_was_counted_for_a_day(alice: User) -> None:
    browser = logged_in(alice)
    for number in range(5):
        ask_for(browser, number)

    cache.set_many({f"visitor.{number}": number for number in range(400)})

    assert Counter.objects.filter(name__startswith="change_addresses:").values_list("count", flat=True)[0] == 5
    assert ask_for(browser, 6).status_code == 429


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "how",
    [
        {},
        pytest.param({"Accept": "application/json"}, marks=pytest.mark.release),
        pytest.param({"X-Requested-With": "XMLHttpRequest"}, marks=pytest.mark.release),
    ],
    ids=str,
)
def test_no_page_writes_a_session_of_days_for_one_who_is_not_logged_in(how: dict[str, str]) -> None:
    for path in routes():
        if "<" not in path and "^" not in path:
            for method in ("get", "post"):
                getattr(Browser(), method)(path, headers=how)

    latest = timezone.now() + timedelta(minutes=16)
    assert not Session.objects.filter(expire_date__gt=latest).exists()


def unconfirmed(email: str, age: timedelta, **fields: Any) -> User:
    """An account as version 0.1.0 made it, before its address was confirmed."""
    person = User.objects.create_user(email, PASSWORD, joined_at=timezone.now() - age, **fields)
    EmailAddress.objects.filter(user=person).update(verified=False)
    return person


def test_unconfirmed_accounts_go_after_three_days(alice: User) -> None:
    old, young = timedelta(days=3, minutes=1), timedelta(days=2, hours=23)
    unconfirmed("old@example.com", old)
    unconfirmed("young@example.com", young)
    unconfirmed("closed@example.com", old, is_active=False)
    unconfirmed("used@example.com", old, last_login=timezone.now())
    User.objects.create_user("made-by-code@example.com", PASSWORD, joined_at=timezone.now() - old)
    asking = User.objects.create_user("asking@example.com", PASSWORD, joined_at=timezone.now() - old)
    asking.emailaddress_set.create(email="new@example.com", verified=False)

    forgotten = sum(deletion.forget_unconfirmed())

    left = {user.email.partition("@")[0] for user in User.objects.all()}
    # The account, and its address.
    assert (forgotten, left) == (2, {"alice", "young", "closed", "used", "made-by-code", "asking"})
