"""Codes as phones and password managers hand them over; a text that cannot be a code is no attempt."""

from unicodedata import decimal

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client as Browser

from accounts.events import SecurityEvent
from accounts.models import User
from tests.accounts.views.second_step import (
    SECOND_STEP,
    SET_UP,
    code_of,
    give_code,
    give_password,
    is_logged_in,
    key_on,
    stored,
)
from tests.cast import logged_in

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]

# Each is used with the code 123456, say.
SPELLINGS = {
    "full width": lambda code: in_digits("０", code),
    "Arabic": lambda code: in_digits("٠", code),
    "Persian": lambda code: in_digits("۰", code),
    "Devanagari": lambda code: in_digits("०", code),
    "Bengali": lambda code: in_digits("০", code),
    "mathematical": lambda code: in_digits("𝟎", code),
    "a mark of direction": lambda code: f"\u202a{code}\u202c",
    "a byte order mark": lambda code: f"\ufeff{code}",
    "invisible blanks": "\u200b".join,
    "no-break blanks": lambda code: f"\u00a0{code[:3]}\u202f{code[3:]}\u2007",
    "a tab and a line break": lambda code: f"{code[:3]}\t{code[3:]}\n",
    "a hyphen that does not break": lambda code: f"{code[:3]}\u2011{code[3:]}",
    "a dash": lambda code: f"{code[:3]}\u2013{code[3:]}",
    "a full stop": lambda code: f"{code}.",
    "keycaps": "\ufe0f".join,
}
NO_CODES = [
    "12345",
    "1234567",
    "123456789",
    "abcdef",
    "code 123456",
    "l23456",
    "12345½",
    "①②③④⑤⑥a",
    "1" * 1000,
    "\u200b1",
]
SENTENCE = "A code has six digits, and a recovery code has eight."


def in_digits(zero: str, code: str) -> str:
    return "".join(chr(ord(zero) + decimal(digit)) for digit in code)


@pytest.mark.usefixtures("start_of_a_period")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_code_is_right_in_every_spelling(alice: User, secret: str, spelling: str) -> None:
    browser = give_password()

    give_code(browser, SPELLINGS[spelling](code_of(secret)))

    assert is_logged_in(browser)
    assert not SecurityEvent.objects.filter(kind="sign-in-failed").exists()


@pytest.mark.parametrize("spelling", list(SPELLINGS)[::4])
def test_a_recovery_code_is_right_in_every_spelling(alice: User, secret: str, spelling: str) -> None:
    RecoveryCodes.activate(alice)
    code = RecoveryCodes(stored(alice, "recovery_codes")).get_unused_codes()[0]
    browser = give_password()

    give_code(browser, SPELLINGS[spelling](code))

    assert is_logged_in(browser)


@pytest.mark.parametrize("spelling", list(SPELLINGS)[1::4])
def test_an_app_is_set_up_with_a_code_in_every_spelling(alice: User, spelling: str) -> None:
    browser = logged_in(alice)
    key = key_on(browser.get(SET_UP))

    wrong = browser.post(SET_UP, {"code": "12345678"})
    right = browser.post(SET_UP, {"code": SPELLINGS[spelling](code_of(key))})

    assert (wrong.status_code, right.status_code) == (200, 302)
    assert "A code has six digits." in wrong.content.decode()


@pytest.mark.usefixtures("start_of_a_period")
def test_what_cannot_be_a_code_is_no_attempt(alice: User, secret: str) -> None:
    browser = give_password()

    pages = [give_code(browser, text) for text in NO_CODES]
    opened = give_code(browser, code_of(secret))

    assert [page.status_code for page in pages] == [200] * len(NO_CODES)
    assert all(SENTENCE in page.content.decode() for page in pages)
    assert opened.status_code == 302
    assert not SecurityEvent.objects.filter(kind="sign-in-failed").exists()


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u2800\ufeff"])
def test_a_code_that_shows_nothing_is_missing(alice: User, secret: str, text: str) -> None:
    page = give_code(give_password(), text)

    assert page.context["form"].errors == {"code": ["This field is required."]}


def test_the_answer_to_what_cannot_be_a_code_shows_nothing_of_the_account(alice: User, secret: str) -> None:
    with_codes = give_code(give_password(), "12345")
    RecoveryCodes.activate(alice)

    assert give_code(give_password(), "12345").context["form"].errors == with_codes.context["form"].errors
    assert Browser().post(SECOND_STEP, {"code": "12345"}).status_code == 302
