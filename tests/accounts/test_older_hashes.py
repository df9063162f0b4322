"""A log-in upgrades hashes with other parameters. Until then every check of a password takes the same time."""

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.hashers import get_hasher
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts import passwords
from accounts.models import SignUp, User
from accounts.passwords import Argon2
from accounts.throttling import known_browsers
from tests.cast import PASSWORD, logged_in
from tests.clock import Clock

pytestmark = [pytest.mark.matrix, pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]

NEW_PASSWORD, WRONG = "another good passphrase", "guessed wrong"


class Noted(Argon2):
    """A cheap hasher that notes the parameters of each hash."""

    memory_cost, time_cost = 32, 1
    made: list[str] = []

    def encode(self, password: str, salt: str) -> str:
        encoded = super().encode(password, salt)
        self.made.append(parameters(encoded))
        return encoded

    def verify(self, password: str, encoded: str) -> bool:
        self.made.append(parameters(encoded))
        return super().verify(password, encoded)


class Before(Argon2):
    memory_cost, time_cost, parallelism = 64, 1, 2


NOW, THEN = "m=32,t=1,p=1", "m=64,t=1,p=2"


def parameters(encoded: str) -> str:
    return encoded.split("$")[3]


def older(password: str) -> str:
    return Before().encode(password, "sixteen and more letters")


def log_in(email: str, password: str = WRONG) -> Any:
    return Browser().post("/account/login/", {"login": email, "password": password})


def work_of(email: str, password: str = WRONG) -> Counter[str]:
    """Log in, and count the hashes by their parameters."""
    Noted.made.clear()
    log_in(email, password)
    return Counter(Noted.made)


@pytest.fixture
def clock(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock; hashes are made with Argon2, and the process has not looked for older hashes yet."""
    clock = Clock()
    settings.PASSWORD_HASHERS = [f"{__name__}.Noted"]
    monkeypatch.setattr(passwords, "time", clock)
    return clock


@pytest.fixture
def people(clock: Clock, alice: User, bob: User) -> None:
    """Alice has an older hash, bob a current one, and others have none."""
    User.objects.filter(pk=alice.pk).update(password=older(PASSWORD))
    bob.set_password(PASSWORD)
    bob.save()
    User.objects.create_user("without@example.com")
    User.objects.create_user("deactivated@example.com", PASSWORD, is_active=False)
    Browser().post("/account/signup/", {"email": "carol@example.com", "password1": PASSWORD})


ANYBODY = [
    "alice@example.com",
    "bob@example.org",
    "carol@example.com",
    "without@example.com",
    "deactivated@example.com",
    "nobody@example.com",
]


@pytest.mark.no_cover
@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("password", [WRONG, PASSWORD])
def test_while_there_are_older_hashes_each_log_in_hashes_one_of_each_kind(password: str) -> None:
    assert {email: work_of(email, password) for email in ANYBODY} == {
        email: Counter({THEN: 1, NOW: 1}) for email in ANYBODY
    }


@pytest.mark.no_cover
@pytest.mark.usefixtures("people")
def test_once_there_are_none_left_each_log_in_hashes_once(clock: Clock) -> None:
    log_in("alice@example.com", PASSWORD)
    at_once = work_of("nobody@example.com")
    clock.now += 600

    assert at_once == Counter({THEN: 1, NOW: 1})
    assert {email: work_of(email) for email in ANYBODY} == {email: Counter({NOW: 1}) for email in ANYBODY}


@pytest.mark.usefixtures("clock")
def test_kinds_are_counted_up_to_three_besides_todays(bob: User) -> None:
    for number in range(5):
        encoded = older(PASSWORD).replace("m=64,t=1", f"m=64,t={number + 1}")
        User.objects.create(email=f"{number}@example.com", password=encoded)
        User.objects.create(email=f"{number}{number}@example.com", password=encoded)

    assert len({parameters(sample) for sample in passwords.older_hashes.samples()}) == 3


@pytest.mark.usefixtures("people")
def test_a_log_in_hashes_an_older_password_anew_and_ends_nothing(alice: User) -> None:
    here = logged_in(User.objects.get(pk=alice.pk))
    there = Browser()
    there.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    alice.refresh_from_db()

    assert parameters(alice.password) == NOW
    assert alice.check_password(PASSWORD)
    assert [browser.get(reverse("security")).status_code for browser in (here, there)] == [200, 200]


@pytest.mark.usefixtures("people")
def test_confirming_who_one_is_with_an_older_password_ends_no_session(alice: User) -> None:
    browser = logged_in(User.objects.get(pk=alice.pk))

    browser.post("/account/reauthenticate/", {"password": PASSWORD})

    alice.refresh_from_db()
    assert parameters(alice.password) == NOW
    assert browser.get(reverse("security")).status_code == 200


def test_a_browser_stays_known_when_parameters_change_twice(clock: Clock, alice: User, settings: Settings) -> None:
    User.objects.filter(pk=alice.pk).update(password=older(PASSWORD))
    browser = Browser()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    fingerprint = User.objects.get(pk=alice.pk).password_fingerprint()
    settings.PASSWORD_HASHERS = [f"{__name__}.Stronger"]

    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)

    alice.refresh_from_db()
    assert parameters(alice.password) == "m=128,t=1,p=1"
    assert alice.password_fingerprint() == fingerprint
    request = browser.get("/account/").wsgi_request
    assert known_browsers.browser_id(request, alice)


class Stronger(Argon2):
    memory_cost, time_cost = 128, 1


@pytest.mark.usefixtures("people")
def test_a_new_password_ends_the_sessions_of_one_that_was_hashed_anew(alice: User) -> None:
    log_in(alice.email, PASSWORD)
    alice.refresh_from_db()
    browser, before = logged_in(alice), alice.password_fingerprint()

    # An update of the column alone.
    User.objects.filter(pk=alice.pk).update(password=get_hasher().encode(NEW_PASSWORD, "another salt of letters"))

    alice.refresh_from_db()
    assert alice.password_fingerprint() != before
    assert browser.get(reverse("security")).status_code == 302


@pytest.mark.usefixtures("people")
def test_the_hash_of_a_sign_up_is_one_of_now() -> None:
    assert parameters(SignUp.objects.get().password) == NOW


@pytest.mark.usefixtures("people")
def test_housekeeping_says_how_many_accounts_have_hashes_of_older_kinds_until_none_has(
    caplog: pytest.LogCaptureFixture, alice: User
) -> None:
    caplog.set_level("INFO", "botpenguin.operations.housekeeping")
    sentence = "ccounts with a password hash of an older kind: 1."
    outputs = []

    for _ in range(2):
        output = StringIO()
        call_command("housekeeping", stdout=output)
        outputs.append(output.getvalue())
        log_in(alice.email, PASSWORD)

    assert [sentence in output for output in outputs] == [True, False]
    assert caplog.text.count(f"Housekeeping: a{sentence}") == 1
