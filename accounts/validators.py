"""Validators of passwords, which see a password as it is hashed. One is our own.

It refuses passwords made of words that an attacker would try here first (OWASP ASVS 5.0, 6.1.2 and 6.2.11).
"""

import re
from typing import Any

from django.contrib.auth import password_validation as validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text import opaque

# Words about the product. SECURITY.md lists them.
WORDS = ("botpenguin", "chatbot", "penguin", "dashboard", "developer", "password")


class _Prepared:
    def validate(self, password: str, user: Any = None) -> None:
        super().validate(opaque(password), user)  # type: ignore[misc]


class UserAttributeSimilarityValidator(_Prepared, validation.UserAttributeSimilarityValidator):
    pass


class MinimumLengthValidator(_Prepared, validation.MinimumLengthValidator):
    pass


class CommonPasswordValidator(_Prepared, validation.CommonPasswordValidator):
    pass


class NumericPasswordValidator(_Prepared, validation.NumericPasswordValidator):
    pass


class WordsValidator:
    """Refuse a password that is too short without these words, in upper or lower case."""

    def __init__(self, min_length: int) -> None:
        self.min_length = min_length

    def validate(self, password: str, user: User | None = None) -> None:
        password = opaque(password)
        rest = re.sub("|".join(WORDS), "", password, flags=re.IGNORECASE)
        if rest != password and len(rest) < self.min_length:
            raise ValidationError(
                _("Add to it: attackers try words like “botpenguin” or “password” first."),
                code="password_of_words",
            )

    def get_help_text(self) -> str:
        return _("Words like “botpenguin” or “password” do not count.")
