"""A sign-up that another request changes, confirms or deletes meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client as Browser
from django.test import RequestFactory

from accounts import sign_ups
from accounts.models import SignUp, User
from tests.accounts.sign_ups import CAROL, DEAD, NEW, OWN, at, can_log_in, ips, sign_up, text
from tests.cast import PASSWORD
from tests.interleaving import just_before

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]


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
