"""Checking a password."""

from allauth.account import auth_backends as allauth
from django.contrib.auth.base_user import AbstractBaseUser

from accounts.models import User


class AuthenticationBackend(allauth.AuthenticationBackend):
    def _authenticate_by_email(self, email: str, password: str) -> AbstractBaseUser | None:
        """Ask the one account that logs in with this address; to allauth one that waits for its link is as good."""
        checked: AbstractBaseUser | None = self._check_password(User.objects.by_email(email), password)
        return checked
