"""Refuses passwords made of words that an attacker would try here first (OWASP ASVS 5.0, 6.1.2 and 6.2.11)."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User

# Words about the product. SECURITY.md lists them.
WORDS = ("botpenguin", "chatbot", "penguin", "dashboard", "developer", "password")


class WordsValidator:
    """Refuse a password that is too short without these words, in upper or lower case."""

    def __init__(self, min_length: int) -> None:
        self.min_length = min_length

    def validate(self, password: str, user: User | None = None) -> None:
        rest = re.sub("|".join(WORDS), "", password, flags=re.IGNORECASE)
        if rest != password and len(rest) < self.min_length:
            raise ValidationError(
                _("Add to it: attackers try words like “botpenguin” or “password” first."),
                code="password_of_words",
            )

    def get_help_text(self) -> str:
        return _("Words like “botpenguin” or “password” do not count.")
