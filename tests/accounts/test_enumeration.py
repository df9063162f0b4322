"""Account pages do not reveal who has an account, and the owner gets in."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client as Browser
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD

pytestmark = [pytest.mark.no_cover, pytest.mark.matrix, pytest.mark.usefixtures("queued_mail")]

KNOWN, UNKNOWN = "alice@example.com", "nobody@example.com"
NEW_PASSWORD = "another good passphrase"


class Counted(MD5PasswordHasher):
    """A hasher that notes what it hashed."""

    hashed: list[str] = []

    def encode(self, password: str, salt: str) -> str:
        self.hashed.append(password)
        return super().encode(password, salt)


def seen(response: Any, email: str) -> tuple[int, str, str]:
    """Return what a visitor sees, without the typed address and the CSRF token."""
    body = response.content.decode().replace(email, "EMAIL")
    return response.status_code, response.get("Location", ""), re.sub(r'(?<=value=")[A-Za-z0-9]{64}', "CSRF", body)


def post(path: str, data: dict[str, str], *, follow: bool = False, **headers: str) -> Any:
    return Browser().post(path, data, headers=headers or None, follow=follow)


def log_in(email: str, password: str, *, browser: Browser | None = None) -> Any:
    return (browser or Browser()).post("/account/login/", {"login": email, "password": password})


def test_logging_in_answers_alike_for_known_and_unknown_addresses(alice: User) -> None:
    known, unknown = (seen(log_in(email, "guessed wrong"), email) for email in (KNOWN, UNKNOWN))

    assert known == unknown
    assert known[0] == 200
    assert "That email and password do not match. Check both and try again." in known[2]


@pytest.mark.parametrize("password", ["guessed wrong", PASSWORD])
def test_logging_in_answers_alike_for_a_deactivated_account_and_a_wrong_password(alice: User, password: str) -> None:
    User.objects.update(is_active=False)

    assert seen(log_in(KNOWN, password), KNOWN) == seen(log_in(UNKNOWN, "guessed wrong"), UNKNOWN)


def test_attempts_are_limited_alike_for_known_and_unknown_addresses(alice: User) -> None:
    for email in (KNOWN, UNKNOWN):
        for _ in range(5):
            log_in(email, "guessed wrong")

    known, unknown = (seen(log_in(email, PASSWORD), email) for email in (KNOWN, UNKNOWN))

    assert known == unknown
    assert known[0] == 429
    assert "Too many attempts. Try again in 5 minutes." in known[2]


def test_signing_up_answers_alike_for_known_and_unknown_addresses(alice: User) -> None:
    known, unknown = (
        seen(post("/account/signup/", {"email": email, "password1": NEW_PASSWORD}, follow=True), email)
        for email in (KNOWN, UNKNOWN)
    )

    assert known == unknown
    assert known[0] == 200
    assert {mail.to[0] for mail in Email.objects.all()} == {KNOWN, UNKNOWN}
    assert User.objects.filter(email=KNOWN).count() == 1
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("email", [KNOWN, UNKNOWN])
def test_signing_up_hashes_one_password_for_known_and_unknown_addresses(
    alice: User, settings: Settings, email: str
) -> None:
    """Hashing takes most of the response time."""
    settings.PASSWORD_HASHERS = [f"{__name__}.Counted"]
    Counted.hashed.clear()

    post("/account/signup/", {"email": email, "password1": NEW_PASSWORD})

    assert Counted.hashed == [NEW_PASSWORD]


def test_asking_for_a_reset_answers_alike_for_known_and_unknown_addresses(alice: User) -> None:
    known, unknown = (
        seen(post("/account/password/reset/", {"email": email}, follow=True), email) for email in (KNOWN, UNKNOWN)
    )

    assert known == unknown
    assert known[0] == 200
    assert [mail.to for mail in Email.objects.all()] == [[KNOWN]]


def test_a_person_who_signs_up_gets_in_once_their_address_is_confirmed(db: None) -> None:
    browser = Browser()
    browser.post("/account/signup/", {"email": UNKNOWN, "password1": NEW_PASSWORD})
    before = log_in(UNKNOWN, NEW_PASSWORD, browser=browser)

    link = link_in(Email.objects.earliest("pk"))
    confirmation = browser.get(link)
    browser.post(link)
    after = log_in(UNKNOWN, NEW_PASSWORD, browser=browser)

    assert (before.status_code, confirmation.status_code) == (200, 200)
    assert after["Location"] == "/"


def test_a_visit_of_the_link_alone_confirms_nothing(db: None) -> None:
    """Mail scanners visit links."""
    post("/account/signup/", {"email": UNKNOWN, "password1": NEW_PASSWORD})

    Browser().get(link_in(Email.objects.get()))

    assert log_in(UNKNOWN, NEW_PASSWORD).status_code == 200
    assert not User.objects.exists()


def test_a_link_that_confirms_an_address_works_for_three_days(db: None, clock: list[float]) -> None:
    post("/account/signup/", {"email": UNKNOWN, "password1": NEW_PASSWORD})
    link = link_in(newest())

    pages = []
    for clock[0] in (3 * 86_400 - 60, 3 * 86_400 + 60):
        pages.append(Browser().get(link).content.decode())

    assert ["This link no longer works" in page for page in pages] == [False, True]


@pytest.mark.parametrize("weak", ["short", "password123456", "74839201748392", "nobody@example.com"])
def test_a_weak_password_makes_no_account(db: None, weak: str) -> None:
    response = post("/account/signup/", {"email": UNKNOWN, "password1": weak})

    assert response.status_code == 200
    assert not User.objects.exists()


def test_a_forgotten_password_can_be_replaced_by_the_mailed_link_once(alice: User) -> None:
    post("/account/password/reset/", {"email": KNOWN})
    link, browser = link_in(Email.objects.get()), Browser()
    form = browser.get(link, follow=True).redirect_chain[-1][0]
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    response = browser.post(form, passwords)

    assert (response.status_code, response["Location"]) == (302, "/account/password/reset/key/done/")
    assert log_in(KNOWN, PASSWORD).status_code == 200
    assert log_in(KNOWN, NEW_PASSWORD)["Location"] == "/"
    assert not Browser().get(link, follow=True).redirect_chain


@pytest.mark.parametrize("host", ["panel.test", "testserver"])
def test_mailed_links_lead_to_the_public_url_whatever_host_was_asked(alice: User, host: str) -> None:
    """A forged Host header must not choose where a secret goes."""
    post("/account/signup/", {"email": UNKNOWN, "password1": NEW_PASSWORD}, Host=host)
    post("/account/password/reset/", {"email": KNOWN}, Host=host)
    post("/account/signup/", {"email": KNOWN, "password1": NEW_PASSWORD}, Host=host)

    for mail in Email.objects.all():
        links = re.findall(r"\w+://[^/\s\"<]+", f"{mail.message} {mail.html_message}")
        assert set(links) == {"https://app.example.com"}
    assert Email.objects.count() == 3


def test_sign_up_can_be_closed(db: None, settings: Settings) -> None:
    settings.SIGN_UP = False

    page = Browser().get("/account/signup/")
    response = post("/account/signup/", {"email": UNKNOWN, "password1": NEW_PASSWORD})

    assert (page.status_code, response.status_code) == (200, 200)
    assert 'name="password1"' not in page.content.decode()
    assert not User.objects.exists()
    assert not Email.objects.exists()


@pytest.mark.parametrize(
    ("path", "data", "most"),
    [
        ("/account/signup/", {"email": "x{}@example.com", "password1": "short"}, 20),
        ("/account/password/reset/", {"email": "x{}@example.com"}, 20),
        pytest.param(
            *("/account/login/", {"login": "x{}@example.com", "password": "guessed wrong"}, 30),
            marks=pytest.mark.release,
        ),
    ],
)
def test_floods_from_one_address_are_stopped(db: None, path: str, data: dict[str, str], most: int) -> None:
    statuses = [
        post(path, {name: value.format(number) for name, value in data.items()}).status_code
        for number in range(most + 1)
    ]

    assert statuses[-1] == 429
    assert statuses[0] != 429
