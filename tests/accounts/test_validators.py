"""Words that do not count as part of a password."""

import pytest
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.test import Client as Browser

from accounts.models import User
from accounts.validators import WORDS
from tests.server import ROOT

REFUSAL = "Add to it: attackers try words like “botpenguin” or “password” first."


@pytest.mark.parametrize("password", ["BotPenguin-2026", "chatbotdashboard!", "my password 1 botpenguin"])
def test_a_password_of_words_that_anybody_tries_first_is_refused(password: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_password(password)

    assert refused.value.messages == [REFUSAL]


@pytest.mark.parametrize("password", ["correct horse battery staple", "a penguin walks into a bar"])
def test_a_password_that_is_long_enough_without_them_is_accepted(password: str) -> None:
    validate_password(password)


@pytest.mark.django_db
def test_signing_up_with_such_a_password_makes_no_account(client: Browser) -> None:
    page = client.post("/account/signup/", {"email": "carol@example.com", "password1": "BotPenguin-2026"})

    assert REFUSAL in page.content.decode()
    assert not User.objects.exists()


def test_the_rule_is_in_djangos_help_texts() -> None:
    assert "Words like “botpenguin” or “password” do not count." in password_validators_help_texts()


def test_the_words_are_those_that_are_published() -> None:
    assert ", ".join(f"“{word}”" for word in WORDS) in " ".join((ROOT / "SECURITY.md").read_text().split())
