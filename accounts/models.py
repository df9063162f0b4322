"""The person: an account whose login is its e-mail address."""

from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import accounts.events  # noqa: F401 - one more table, of which no more than that is to be known here
from accounts.clients import USER_AGENT_LENGTH
from accounts.validators import normalized, spellings


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def get_by_natural_key(self, username: str | None) -> "User":
        user = self.by_email(username or "")
        if user is None:
            raise self.model.DoesNotExist
        return user

    def by_email(self, email: str) -> "User | None":
        """Return the account that logs in with this address; one that somebody only asks to log in with is nobody's."""
        names = spellings(email)
        found = {user.email: user for user in self.filter(email__in=names)}
        return next((found[name] for name in names if name in found), None)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an account that can sign in at once.

        Whoever makes an account by code vouches for its address, so the address is
        recorded as verified; people who sign up by themselves verify it by mail. It is kept in
        its one spelling. Raises `ValidationError` where it is no address that mail can go to.
        """
        if not email:
            raise ValueError("An account needs an e-mail address.")
        user = self.model(email=normalized(email.strip()), **fields)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", help_text=_("Taken from the browser; an IANA name.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("email"),
                name="accounts_user_email_unique_without_case",
                violation_error_message=_("There is an account with this email already."),
            )
        ]

    def __str__(self) -> str:
        return self.email


class SessionQuerySet(models.QuerySet["Session"]):
    def open(self) -> Self:
        return self.filter(expire_date__gt=timezone.now())


class Session(AbstractBaseSession):
    """A browser that visits, and whose person may be signed in. `accounts.sessions` writes its rows.

    Its key here is a digest of the one in the browser's cookie.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    signed_in_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)

    objects = SessionQuerySet.as_manager()  # type: ignore[misc,assignment]  # Django's own manager only encodes

    class Meta:
        ordering: ClassVar = ["-last_seen_at"]
