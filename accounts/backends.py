"""The authentication backend, and the tokens in links for a forgotten password."""

from collections.abc import Callable
from functools import partial
from typing import Any

from allauth.account import auth_backends as allauth
from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db.models import BigIntegerField
from django.http import HttpRequest

from accounts import passwords, sign_ups
from accounts.models import SignUp, User
from accounts.orm.compiled import CompiledQuery, Parameter
from accounts.web.responses import after_response

BY_ID = CompiledQuery(lambda: User.objects.filter(pk=Parameter("id", BigIntegerField())))


class AuthenticationBackend(allauth.AuthenticationBackend):
    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> AbstractBaseUser | None:  # type: ignore[override]
        self.request = request
        person: AbstractBaseUser | None = super().authenticate(request, **credentials)
        return person

    def get_user(self, user_id: int) -> User | None:
        """Return the account of a session, unless it is deactivated. Each page asks, so the query is compiled once."""
        found = next(iter(BY_ID.objects(id=user_id)), None)
        return found if found and self.user_can_authenticate(found) else None

    def _authenticate_by_email(self, email: str, password: str) -> AbstractBaseUser | None:
        """Check the password of the account with this address, if the address is confirmed.

        For an unconfirmed address the right password fails like a wrong one, and the link is mailed again. For a
        deactivated account it fails too, so that nobody learns that it is right. Every address takes the same queries
        and one hash.
        """
        person, waiting = User.objects.by_email(email), sign_ups.find(self.request, email)
        if person:
            self._did_check_password = True
            if not person.check_password(password) or not self.user_can_authenticate(person):
                return None
            if not _is_confirmed(person):
                self._mail(sign_ups.mail_again, email)
                return None
            return person
        if waiting:
            self._did_check_password = True
            if passwords.check(password, waiting.password):
                self._mail(sign_ups.mail_own, waiting)
        return None

    def _mitigate_timing_attack(self, password: str) -> None:
        """Spend the same time on an address without an account as on one with an account."""
        passwords.check(password, passwords.NO_PASSWORD)

    def _mail(self, mail: Callable[..., None], to: str | SignUp) -> None:
        if self.request:
            after_response(self.request, partial(mail, self.request, to))


def _is_confirmed(person: User) -> bool:
    return EmailAddress.objects.filter(user=person, email=person.email, verified=True).exists()


class PasswordResetTokens(PasswordResetTokenGenerator):
    """Django's tokens, which a log-in and a new password invalidate. Restoring a backup invalidates them too.

    A new session epoch does not: an intruder who logs the owner out must not invalidate the owner's link.
    """

    def check_token(self, user: Any, token: str | None) -> bool:
        """Refuse the links of a deactivated account."""
        return user is not None and user.is_active and super().check_token(user, token)

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.restored_at or ''}"
