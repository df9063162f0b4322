from getpass import getuser
from typing import Any

from django.contrib.auth.management.commands import changepassword

from accounts.models import User
from accounts.sessions import end_all
from accounts.text import opaque


class Command(changepassword.Command):
    help = "Change the password of an account, and log it out everywhere."

    def _get_pass(self, prompt: str = "Password: ") -> Any:
        """Compare the two as they are hashed: terminals encode letters with accents in two ways."""
        return opaque(super()._get_pass(prompt))  # type: ignore[misc]

    def handle(self, *args: Any, **options: Any) -> str | None:
        message: str | None = super().handle(*args, **options)
        end_all(User.objects.get_by_natural_key(options["username"] or getuser()))
        return message
