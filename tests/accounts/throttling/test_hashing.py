"""A process hashes two passwords at a time and one waits; further requests get 503 at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event, Lock
from typing import Any

import pytest
from allauth.core import context
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections
from django.test import Client as Browser
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from accounts import passwords
from accounts.models import SignUp, User
from accounts.throttling.hashing import ANYBODY, KNOWN, gate
from accounts.throttling.known_browsers import COOKIE
from accounts.throttling.models import Counter
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD
from tests.server import poll

pytestmark = [pytest.mark.matrix, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("queued_mail")]

SENTENCE = "Too many people log in or sign up at this moment. Nothing was changed. Try again in a few seconds."


class Held(MD5PasswordHasher):
    """A hasher that blocks until it is opened."""

    opened = Event()
    lock = Lock()
    inside = 0
    most = 0
    order: list[str] = []

    def encode(self, password: str, salt: str) -> str:
        with self.lock:
            Held.inside += 1
            Held.most = max(Held.most, Held.inside)
            self.order.append(password)
        assert self.opened.wait(60)
        with self.lock:
            Held.inside -= 1
        return super().encode(password, salt)


def log_in(browser: Browser, password: str = PASSWORD, email: str = "alice@example.com", **headers: str) -> Any:
    return browser.post("/account/login/", {"login": email, "password": password}, headers=headers)


def unknown_browser(number: int) -> Browser:
    return Browser(REMOTE_ADDR=f"198.51.100.{number}")


def own_browser() -> Browser:
    """A browser known to alice, at the address of an attacker."""
    before, browser = Browser(), unknown_browser(1)
    assert log_in(before).status_code == 302
    browser.cookies[COOKIE] = before.cookies[COOKIE].value
    return browser


class Crowd:
    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool

    def begin(self, work: Callable[[], Any]) -> "Future[Any]":
        def run() -> Any:
            try:
                return work()
            finally:
                connections.close_all()

        return self.pool.submit(run)

    def wait(self, browser: Browser, who: str, password: str) -> "Future[Any]":
        """Have somebody log in, and return once they wait in a place."""
        waiting = self.begin(lambda: log_in(browser, password))
        poll(lambda: who in gate._waiting, 60)
        return waiting


@pytest.fixture
def hashers(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Held"]
    Held.opened.set()


@contextmanager
def full() -> Iterator[Crowd]:
    """Two unknown browsers hash and one waits, until `Held.opened` is set."""
    Held.opened.clear()
    Held.most, Held.order = 0, []
    with ThreadPoolExecutor(8) as pool:
        crowd = Crowd(pool)
        try:
            answers = [crowd.begin(partial(log_in, unknown_browser(at), f"hashing {at}")) for at in (11, 12)]
            poll(lambda: Held.inside == 2, 60)
            answers.append(crowd.wait(unknown_browser(13), ANYBODY, "waiting"))
            yield crowd
        finally:
            Held.opened.set()
    assert [answer.result().status_code for answer in answers] == [200] * 3
    assert (Held.inside, Held.most, gate._hashing, gate._waiting) == (0, 2, 0, set())


@pytest.mark.usefixtures("alice", "hashers")
def test_the_next_unknown_browser_is_answered_503_at_once_and_nothing_is_counted() -> None:
    with full():
        before = sorted(Counter.objects.values_list("count", flat=True))
        page = log_in(unknown_browser(14))
        script = log_in(unknown_browser(14), Accept="application/json")
        unknown = log_in(unknown_browser(14), email="nobody@example.com")
        after = sorted(count for count in Counter.objects.values_list("count", flat=True) if count)

    assert (page.status_code, page["Retry-After"], page["Cache-Control"]) == (503, "2", "no-store")
    assert SENTENCE in page.content.decode()
    assert "/account/login/" in page.content.decode()
    assert (script.status_code, script["Retry-After"], script.json()) == (503, "2", {"error": SENTENCE})
    assert (unknown.status_code, unknown["Retry-After"]) == (503, "2")
    # The count of requests from this address stays: it does not limit attempts at a password.
    assert len(after) == len(before) + 1
    # Once there is room again, all five attempts are left.
    statuses = [log_in(unknown_browser(14), "guessed wrong").status_code for _time in range(6)]
    assert statuses == [200] * 5 + [429]


@pytest.mark.usefixtures("alice", "hashers")
def test_a_sign_up_meanwhile_is_answered_alike_and_not_stored() -> None:
    with full():
        answer = unknown_browser(14).post("/account/signup/", {"email": "carol@example.com", "password1": PASSWORD})

    assert (answer.status_code, answer["Retry-After"], SignUp.objects.count()) == (503, "2", 0)


@pytest.mark.usefixtures("alice", "hashers")
def test_a_known_browser_has_its_place_and_comes_first() -> None:
    browser = own_browser()
    with full() as crowd:
        owner = crowd.wait(browser, KNOWN, PASSWORD)
        # The one reserved place is used now, by another browser of the same person.
        second = log_in(browser)
        attacker = log_in(unknown_browser(14), PASSWORD)

    assert owner.result().status_code == 302
    assert (second.status_code, attacker.status_code) == (503, 503)
    # The owner came later than the waiting browser, and is served first.
    assert [text for text in Held.order if "hashing" not in text] == [PASSWORD, "waiting"]


@pytest.mark.usefixtures("alice", "hashers")
def test_a_person_with_a_mailed_link_gets_a_new_password_meanwhile() -> None:
    """A reset is the owner's way out of an attack."""
    owner = unknown_browser(1)
    owner.post("/account/password/reset/", {"email": "alice@example.com"})
    form: Any = owner.get(link_in(newest()), follow=True).redirect_chain[-1][0]
    new = {"password1": "another good passphrase", "password2": "another good passphrase"}
    with full() as crowd:
        chosen = crowd.begin(lambda: owner.post(form, new))
        poll(lambda: KNOWN in gate._waiting, 60)

    assert chosen.result().status_code == 302
    assert log_in(owner, "another good passphrase").status_code == 302


@pytest.mark.usefixtures("alice", "hashers")
def test_a_logged_in_person_reauthenticates_meanwhile() -> None:
    browser = Browser()
    log_in(browser)
    del browser.cookies[COOKIE]
    with full() as crowd:
        confirmed = crowd.begin(lambda: browser.post("/account/reauthenticate/", {"password": PASSWORD}))
        poll(lambda: KNOWN in gate._waiting, 60)

    assert confirmed.result().status_code == 302


@pytest.mark.usefixtures("alice", "hashers")
def test_a_browser_known_to_another_account_uses_no_reserved_place(bob: User) -> None:
    thief = Browser()
    log_in(thief, email="bob@example.org")
    browser = unknown_browser(14)
    browser.cookies[COOKIE] = thief.cookies[COOKIE].value
    with full():
        answer = log_in(browser)

    assert answer.status_code == 503


def test_one_person_uses_the_reserved_place_ten_times_a_minute() -> None:
    """Nobody can occupy it with accounts of their own."""
    request = RequestFactory().post("/account/login/")
    with context.request_context(request):
        before = passwords._may_use_reserved_place()
        passwords.use_reserved_place(request, "bob@example.org")
        uses = [passwords._may_use_reserved_place() for _time in range(11)]
        passwords.use_reserved_place(request, "alice@example.com")
        others = passwords._may_use_reserved_place()

    assert (before, uses, others) == (False, [True] * 10 + [False], True)


@pytest.mark.usefixtures("alice", "hashers")
def test_a_place_is_free_again_after_a_failure() -> None:
    for _time in range(4):
        with pytest.raises(TypeError):
            passwords.make(object())  # type: ignore[arg-type]

    assert (gate._hashing, gate._waiting) == (0, set())
