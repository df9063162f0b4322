"""A password of more than 1,024 characters is refused before it is hashed, on every form and by every command."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts import passwords
from accounts.models import User
from botpenguin.http.request_bodies import MOST_OF_A_FORM
from tests.accounts.forms.test_forms_with_addresses import Forms
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD, logged_in
from tests.server import ROOT
from tests.test_project import routes

pytestmark = [pytest.mark.matrix, pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]

SENTENCE = "A password has at most 1,024 characters."
LONGEST = "long enough " * 85 + "4321"
TOO_LONG = {
    "one more": LONGEST + "5",
    "of two bytes each": "é" * 1025,
    "20,000": "x" * 20_000,
    "400,000": "x" * 400_000,
}
# The forms of today's pages. The walk finds a new form by itself; add it here by hand.
FORMS = {
    ("/account/login/", "password"),
    ("/account/signup/", "password1"),
    ("/account/reauthenticate/", "password"),
    ("/account/password/change/", "oldpassword", "password1", "password2"),
    ("/account/password/reset/key/", "password1", "password2"),
    ("/account/confirm-email/", "password"),
    ("/account/confirm-email/", "password1"),
}


class Counted(MD5PasswordHasher):
    """A hasher that notes the length of each password."""

    hashed: list[int] = []

    def encode(self, password: str, salt: str) -> str:
        self.hashed.append(len(password))
        return super().encode(password, salt)


@dataclass
class Form:
    """A form with passwords, the browser in which it stands, and what is in its other fields."""

    browser: Browser
    action: str
    others: dict[str, str]
    passwords: tuple[str, ...]

    @property
    def name(self) -> tuple[str, ...]:
        """The address without what is in a link only."""
        return (re.sub(r"(/key/|/confirm-email/).+", r"\1", self.action), *self.passwords)

    def post(self, password: str) -> Any:
        return self.browser.post(self.action, self.others | dict.fromkeys(self.passwords, password))


class PasswordForms(Forms):
    def __init__(self, page: str) -> None:
        super().__init__(page)
        self.passwords: defaultdict[int, list[str]] = defaultdict(list)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, pairs)
        attributes = dict(pairs)
        if self.is_inside and tag == "input" and attributes.get("type") == "password":
            assert "maxlength" not in attributes, "browsers cut off what is pasted, and say nothing"
            self.passwords[len(self.found) - 1].append(str(attributes["name"]))


def forms_of(browser: Browser, path: str, *, follow: bool = False) -> list[Form]:
    """Open a page, and return its forms with passwords, filled in as far as they can be."""
    response: Any = browser.get(path, follow=follow)
    if response.status_code != 200 or "text/html" not in response["Content-Type"]:
        return []
    page = PasswordForms(response.request["PATH_INFO"])
    page.feed(response.content.decode())
    found = [(form, tuple(page.passwords[at])) for at, form in enumerate(page.found) if at in page.passwords]
    return [
        Form(browser, form.action, form.fields | ({form.address: "alice@example.com"} if form.address else {}), names)
        for form, names in found
    ]


@pytest.fixture
def forms(alice: User, settings: Settings) -> list[Form]:
    """Every form with a password: on pages that need nothing in their address, and where mailed links lead."""
    found = []
    for browser in (Browser(), logged_in(alice)):
        for path in routes():
            if "<" not in path and "^" not in path and not path.startswith("/api/"):
                found += forms_of(browser, path)
    new = {"email": "carol@example.com", "password1": PASSWORD}
    change = {"email": "new@example.com", "action_add": ""}
    asks: list[Callable[[], object]] = [
        lambda: Browser().post("/account/signup/", new),
        lambda: logged_in(alice).post("/account/email/", change),
        # Last, since a log-in ends its link.
        lambda: Browser().post("/account/password/reset/", {"email": alice.email}),
    ]
    for ask in asks:
        ask()
        found += forms_of(Browser(), link_in(newest()), follow=True)
    settings.PASSWORD_HASHERS = [f"{__name__}.Counted"]
    Counted.hashed = []
    return list({(form.name, bool(form.browser.cookies)): form for form in found}.values())


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "names", [["one more", "400,000"], pytest.param([*TOO_LONG], marks=pytest.mark.release)], ids=["some", "all"]
)
def test_no_form_hashes_a_password_that_is_too_long(forms: list[Form], names: list[str]) -> None:
    assert {form.name for form in forms} == FORMS

    for password in map(TOO_LONG.__getitem__, names):
        for form in forms:
            answer = form.post(password)

            if len(password) > MOST_OF_A_FORM:
                # Several such fields are more than any body may hold.
                assert answer.status_code in (400, 413), form.name
                continue
            assert answer.status_code == 200, form.name
            assert answer.content.decode().count(SENTENCE) == len(form.passwords), form.name
    assert Counted.hashed == []

    [form] = [form for form in forms if "oldpassword" in form.passwords]
    too_long = dict.fromkeys(("password1", "password2"), "x" * 1025)
    answer = form.browser.post(form.action, {"oldpassword": PASSWORD} | too_long)

    assert answer.content.decode().count(SENTENCE) == 2
    # The current password is right, and was checked.
    assert Counted.hashed == [len(PASSWORD)]


def test_a_password_of_1024_characters_opens_its_account(alice: User) -> None:
    alice.set_password(LONGEST)
    alice.save()

    answer = Browser().post("/account/login/", {"login": alice.email, "password": LONGEST})

    assert (len(LONGEST), answer.status_code) == (1024, 302)


@pytest.mark.parametrize("password", TOO_LONG.values(), ids=TOO_LONG)
def test_a_password_that_is_too_long_is_never_hashed_nor_right(alice: User, settings: Settings, password: str) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Counted"]
    Counted.hashed = []

    for make in (alice.set_password, passwords.make, lambda text: User.objects.create_user("c@example.com", text)):
        with pytest.raises(ValidationError, match=SENTENCE):
            make(password)

    assert not alice.check_password(password)
    assert not passwords.check(password, passwords.NO_PASSWORD)
    assert Counted.hashed == []


def test_commands_refuse_a_password_that_is_too_long(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "x" * 1025)

    with pytest.raises(CommandError, match=SENTENCE):
        call_command("createsuperuser", "--noinput", "--email", "root@example.com")

    assert list(User.objects.all()) == [alice]


def test_the_command_that_changes_a_password_prints_the_rule(
    alice: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: "good passphrase " * 65)

    with pytest.raises(CommandError, match="Aborting password change"):
        call_command("changepassword", alice.email)

    assert SENTENCE in capsys.readouterr().err
    assert alice.check_password(PASSWORD)


def test_an_account_without_a_password_has_one_that_nothing_matches() -> None:
    nobody = get_user_model().objects.create_user("c@example.com")

    assert not nobody.has_usable_password()
    assert not any(nobody.check_password(password) for password in ("", "!", nobody.password))


def test_only_one_module_hashes() -> None:
    """Another module would bypass the limits on length and on concurrent hashing."""
    others = [
        path.relative_to(ROOT).as_posix()
        for folder in ("accounts", "developers", "botpenguin")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^\s*(from|import) (django\.contrib\.auth\.hashers|argon2)", path.read_text(), re.MULTILINE)
    ]

    assert others == ["accounts/passwords.py"]


def test_the_rule_is_in_the_texts_of_djangos_own_commands() -> None:
    assert passwords.LengthValidator().get_help_text() == SENTENCE
