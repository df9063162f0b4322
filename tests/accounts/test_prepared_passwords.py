"""Passwords are compared as RFC 8265 prepares them, whatever keyboard they come from."""

from collections import Counter
from typing import Any
from unicodedata import normalize

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts import passwords
from accounts.models import SignUp, User
from accounts.text import opaque
from tests.accounts.mail.mails import link_in, newest
from tests.accounts.test_older_hashes import NOW, THEN, Noted, log_in, older
from tests.cast import logged_in
from tests.clock import Clock

pytestmark = [pytest.mark.matrix, pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]

COMPOSED, APART = "müde Bären träumen süß", normalize("NFD", "müde Bären träumen süß")
# Two ways to type one password.
PAIRS = {
    "accents apart": (COMPOSED, APART),
    "Vietnamese": ("Tiếng Việt rất hay", normalize("NFD", "Tiếng Việt rất hay")),
    "Korean": ("한국어 비밀번호 열두 글자", normalize("NFD", "한국어 비밀번호 열두 글자")),
    "the Ångström sign": ("Ångström units", "\u212bngstr\u00f6m units"),
    "the Ohm sign": ("ten kilo Ωhms", "ten kilo \u2126hms"),
    "no-break blanks": ("four good words here", "four\u00a0good\u202fwords\u2007here"),
    "ideographic blanks": ("東京 タワー の 夜 景 です", "東京\u3000タワー\u3000の\u3000夜\u3000景\u3000です"),
    "an em space": ("a wide blank in it", "a wide\u2003blank in it"),
    "kana with marks apart": ("パスワードではない言葉です", normalize("NFD", "パスワードではない言葉です")),
    "Devanagari": ("क़लम और किताब की दुकान", "\u0958लम और किताब की दुकान"),
}
# What OpaqueString keeps apart.
DIFFERENT = [
    ("Straße und Gasse", "Strasse und Gasse"),
    ("full width words", "ｆｕｌｌ width words"),
    ("Case Matters Here", "case matters here"),
    ("two  blanks inside", "two blanks inside"),
    (" blanks around it ", "blanks around it"),
    ("an invisible\u200b one", "an invisible one"),
    ("office furniture", "o\ufb03ce furniture"),
    ("a-hyphen-in-it", "a\u2010hyphen\u2010in\u2010it"),
]
WITH_CONTROLS = "tab\tand \x07 bell in it"


def account(password: str, email: str = "zoe@example.com") -> User:
    return User.objects.create_user(email, password)


def of_before(password: str, email: str = "zoe@example.com") -> User:
    """Make an account whose password was hashed as it was typed."""
    user = account("replaced at once", email)
    User.objects.filter(pk=user.pk).update(password=make_password(password))
    user.refresh_from_db()
    return user


def opens(password: str, email: str = "zoe@example.com") -> bool:
    return bool(log_in(email, password).status_code == 302)


@pytest.mark.no_cover
@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_a_password_is_right_however_its_letters_are_encoded(one: str, other: str) -> None:
    assert one != other
    for chosen, typed in ((one, other), (other, one)):
        user = account(chosen)
        assert (opens(typed), opens(chosen), user.check_password(typed)) == (True, True, True)
        user.delete()


@pytest.mark.no_cover
@pytest.mark.parametrize(("chosen", "typed"), DIFFERENT)
def test_other_differences_are_other_passwords(chosen: str, typed: str) -> None:
    account(chosen)

    assert (opens(typed), opens(chosen)) == (False, True)


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_a_hash_of_before_takes_the_password_as_it_was_typed_and_then_every_form(one: str, other: str) -> None:
    raw = other if opaque(other) != other else one
    user = of_before(raw)
    browser = logged_in(user)

    opened = [opens(raw), opens(one), opens(other)]

    user.refresh_from_db()
    assert opened == [True, True, True]
    assert passwords.check(opaque(raw), user.password)
    # The session of before stays.
    assert browser.get("/account/").status_code == 200


def test_a_password_with_control_characters_stays_good() -> None:
    of_before(WITH_CONTROLS)

    assert opens(WITH_CONTROLS)


@pytest.fixture
def noted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = [f"{Noted.__module__}.{Noted.__name__}"]
    monkeypatch.setattr(passwords, "time", Clock())


def work_of(email: str, password: str) -> Counter[str]:
    Noted.made.clear()
    log_in(email, password)
    return Counter(Noted.made)


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("are_older", [False, True], ids=["hashes of today", "older hashes"])
@pytest.mark.parametrize(("typed", "count"), [(COMPOSED, 1), (APART, 2), ("wrong ü", 1), ("wrong u\u0308", 2)])
def test_every_address_pays_for_both_forms_where_they_differ(typed: str, count: int, are_older: bool) -> None:
    account(COMPOSED, "prepared@example.com")
    of_before(APART, "raw@example.com")
    User.objects.create_user("without@example.com")
    User.objects.create_user("off@example.com", COMPOSED, is_active=False)
    people = ["prepared", "raw", "without", "off", "waiting", "waiting.raw", "nobody"]
    for name, password in (("waiting", COMPOSED), ("waiting.raw", APART)):
        SignUp.objects.create(email=f"{name}@example.com", password=make_password(password), browser=name)
    if are_older:
        User.objects.create(email="older@example.com", password=older(APART))
        people.append("older")

    work = {name: work_of(f"{name}@example.com", typed) for name in people}

    # Read once in ten minutes, so a hash that is renewed here still counts.
    expected = Counter({NOW: count} | ({THEN: count} if are_older else {}))
    assert work == dict.fromkeys(people, expected)


@pytest.mark.usefixtures("noted")
def test_an_older_hash_of_a_typed_form_becomes_one_of_today_of_the_prepared_form() -> None:
    user = account(COMPOSED)
    User.objects.filter(pk=user.pk).update(password=older(APART))

    assert opens(APART)

    user.refresh_from_db()
    assert user.password.split("$")[3] == NOW
    assert passwords.check(COMPOSED, user.password)


def test_a_hash_that_no_hasher_reads_opens_nothing() -> None:
    User.objects.create(email="zoe@example.com", password="of nobody")

    assert [opens(text) for text in (COMPOSED, APART)] == [False, False]


@pytest.mark.parametrize(
    ("typed", "is_accepted"),
    [
        ("é" * 1024, True),
        ("e\u0301" * 1024, True),
        ("e\u0301" * 1025, False),
        ("é" * 1025, False),
        # Each is two characters in NFC.
        ("\u0958" * 512, True),
        ("\u0958" * 513, False),
        ("x" + "\u0301\u0327" * 600, False),
    ],
    ids=ascii,
)
def test_the_limit_counts_the_prepared_form(typed: str, is_accepted: bool) -> None:
    response = Browser().post("/account/signup/", {"email": "zoe@example.com", "password1": typed})

    assert (response.status_code == 302) == is_accepted
    if is_accepted:
        assert passwords.check(typed, SignUp.objects.get().password)
        assert passwords.check(opaque(typed), SignUp.objects.get().password)
    else:
        assert passwords.check(typed, make_password(typed)) is False
        with pytest.raises(ValidationError, match="at most 1,024"):
            passwords.make(typed)


def test_an_empty_password_is_not_hashed() -> None:
    with pytest.raises(ValidationError, match="Choose a password"):
        passwords.make("")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("e\u0301e\u0301e\u0301e\u0301e\u0301", "too short"),
        ("zoe\u0308.mu\u0308ller", "similar"),
        ("Zoe\u0308\u00a0Mu\u0308ller", "similar"),
        ("penguin\u00a0" + "e\u0301" * 5, "Add to it"),
        ("\u0958" * 513, "at most 1,024"),
    ],
    ids=ascii,
)
def test_validators_see_the_prepared_form(typed: str, sentence: str) -> None:
    for form in (typed, opaque(typed)):
        with pytest.raises(ValidationError, match=sentence):
            validate_password(form, User(email="zoe@example.com", name="Zoë Müller"))


def test_every_form_takes_either_form_of_a_new_password(alice: User) -> None:
    old = "correct horse battery staple"
    browser = logged_in(alice)
    changed = browser.post("/account/password/change/", {"oldpassword": old, "password1": APART, "password2": COMPOSED})
    confirmed = browser.post("/account/reauthenticate/", {"password": COMPOSED})
    Browser().post("/account/password/reset/", {"email": alice.email})
    visitor = Browser()
    form: Any = visitor.get(link_in(newest()), follow=True).redirect_chain[-1][0]
    reset = visitor.post(form, {"password1": COMPOSED + "!", "password2": APART + "!"})

    assert [answer.status_code for answer in (changed, confirmed, reset)] == [302, 302, 302]
    assert (opens(APART + "!", alice.email), opens(COMPOSED + "!", alice.email)) == (True, True)


def test_a_sign_up_is_confirmed_with_either_form() -> None:
    Browser().post("/account/signup/", {"email": "zoe@example.com", "password1": APART})

    Browser().post(link_in(newest()), {"password": COMPOSED})

    assert opens(COMPOSED)


def test_the_command_takes_either_form(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for typed in ([APART, COMPOSED], ["é" * 4 + "\u0301", "é" * 4 + "\u0301"]):
        entered = iter(typed * 3)
        monkeypatch.setattr("getpass.getpass", lambda *_, entered=entered, **__: next(entered))
        if typed[0] == APART:
            call_command("changepassword", alice.email)
        else:
            with pytest.raises(CommandError):
                call_command("changepassword", alice.email)

    alice.refresh_from_db()
    assert alice.check_password(COMPOSED)


@pytest.mark.no_cover
@given(st.text())
def test_a_prepared_password_is_prepared(typed: str) -> None:
    prepared = opaque(typed)

    assert opaque(prepared) == prepared == opaque(normalize("NFD", typed)) == opaque(normalize("NFC", typed))
    assert bool(prepared) == bool(typed)
