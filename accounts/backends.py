"""Checking a password, and the links that stand in for a forgotten one."""

from typing import Any

from allauth.account import auth_backends as allauth
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator

from accounts.models import User


class AuthenticationBackend(allauth.AuthenticationBackend):
    def _authenticate_by_email(self, email: str, password: str) -> AbstractBaseUser | None:
        """Ask the one account that logs in with this address; to allauth one that waits for its link is as good."""
        checked: AbstractBaseUser | None = self._check_password(User.objects.by_email(email), password)
        return checked


class PasswordResetTokens(PasswordResetTokenGenerator):
    """Django's, which a log-in and a new password end; restoring a backup, which undoes both, ends them too.

    The session epoch does not: whoever logs the owner out in a stolen session must not end the owner's link.
    """

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.restored_at or ''}"
