"""The user model, whose log-in is an email address, and the other tables of accounts."""

import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

import accounts.events
import accounts.throttling.models  # noqa: F401 - more tables, of which no more than that is to be known here
from accounts import passwords
from accounts.email_addresses import normalized, spellings
from accounts.orm.changes import SavesChanges
from accounts.web.clients import USER_AGENT_LENGTH

EPOCH_LENGTH = 22
LANGUAGE_LENGTH = 12
# A time up to this far ahead, written by another node, does not count as in the future.
CLOCKS_DIFFER_BY = timedelta(seconds=5)


def new_epoch() -> str:
    """Return 128 random bits as text. A counter could repeat after a restore."""
    return secrets.token_urlsafe(16)


def languages() -> list[tuple[str, str]]:
    """Return the choices. A function, since a new language needs no migration."""
    return settings.LANGUAGES


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def get_by_natural_key(self, username: str | None) -> "User":
        user = self.by_email(username or "")
        if user is None:
            raise self.model.DoesNotExist
        return user

    def by_email(self, email: str) -> "User | None":
        """Return the account that logs in with this address. Ignores unconfirmed address changes."""
        names = spellings(email)
        found = {user.email: user for user in self.filter(email__in=names)}
        return next((found[name] for name in names if name in found), None)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an account that can log in at once.

        Code that creates an account vouches for its address, so it is stored as verified, and normalized; people who
        sign up verify it by mail. Raises `ValidationError` where it is not the address of one mailbox.
        """
        if not email:
            raise ValueError("An account needs an email address.")
        user = self.model(email=normalized(email.strip()), **fields)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(SavesChanges, AbstractBaseUser, PermissionsMixin):  # type: ignore[misc]  # it saves by keywords only
    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", help_text=_("Taken from the browser; an IANA name.")
    )
    # One of `LANGUAGES`. Empty until a browser has named one: `accounts.web.languages` says what holds until then.
    language = models.CharField(
        _("language"), max_length=LANGUAGE_LENGTH, blank=True, choices=languages, default="", db_default=""
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    mails_new_uses = models.BooleanField(
        _("Email me when a new program or address uses my API access token"), default=False
    )
    # Changed by everything that ends all sessions: earlier sessions, and log-ins under way, no longer match it.
    session_epoch = models.CharField(max_length=EPOCH_LENGTH, default="", editable=False)
    # When a backup that holds the account was restored: earlier mailed links are invalid.
    restored_at = models.DateTimeField(null=True, editable=False)
    # "<hash> <first hash of the same password>", once the parameters have changed: sessions are bound to the first.
    # It is valid only beside that hash, so a new password invalidates it.
    upgraded_from = models.CharField(max_length=257, default="", editable=False)

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

    def update_changed(self, names: list[str], **options: Any) -> None:
        """Deactivating or reactivating an account also ends its sessions and cancels its change of email."""
        if "is_active" not in names:
            super().update_changed(names, **options)
            return
        self.session_epoch = new_epoch()
        with transaction.atomic():
            super().update_changed([*names, "session_epoch"], **options)
            self.emailaddress_set.filter(verified=False).exclude(email=self.email).delete()

    def set_password(self, raw_password: str | None) -> None:
        """Hash a password. Raises `ValidationError` where it is too long."""
        self.password = passwords.make(raw_password)
        self._password = raw_password

    def check_password(self, raw_password: str) -> bool:
        """Check a password, and hash it again if the parameters have changed and the password has not.

        Django's own writes the hash in any case, so a log-in could undo a new password.
        """
        as_read, fingerprinted = self.password, self._fingerprinted()

        def upgrade(upgraded: str) -> None:
            upgrade = {"password": upgraded, "upgraded_from": f"{upgraded} {fingerprinted}"}
            if User.objects.filter(pk=self.pk, password=as_read).update(**upgrade):
                vars(self).update(upgrade)
                self._read |= upgrade

        return passwords.check(raw_password, as_read, upgrade)

    def password_fingerprint(self) -> str:
        """Return an HMAC of the password's hash: it changes with the password and reveals nothing about it."""
        return self._fingerprint()

    def _fingerprint(self, secret: str | None = None) -> str:
        """Return what Django binds sessions to, an HMAC of the hash; here of the first hash of this password."""
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        return salted_hmac(salt, self._fingerprinted(), secret=secret, algorithm="sha256").hexdigest()

    def _fingerprinted(self) -> str:
        upgraded, _blank, first = self.upgraded_from.partition(" ")
        return first if upgraded and upgraded == self.password else self.password

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what Django compares with a session at each request: it depends on the password and the epoch."""
        fingerprint = self._fingerprint(secret)
        if not self.session_epoch:
            return fingerprint
        return salted_hmac("accounts.session_epoch", fingerprint + self.session_epoch, secret=secret).hexdigest()


def valid_times() -> dict[str, datetime]:
    """Return by which times a session is valid."""
    now = timezone.now()
    latest = now + CLOCKS_DIFFER_BY
    return {"now": now, "latest": latest, "last_end": latest + timedelta(seconds=settings.SESSION_COOKIE_AGE)}


class SessionQuerySet(models.QuerySet["Session"]):
    def open(self) -> Self:
        return self.filter(expire_date__gt=timezone.now())

    def valid_between(self, now: Any, latest: Any, last_end: Any) -> Self:
        """Return open sessions that are not dated in the future, by a clock that was set back or by another writer.

        Takes the values of `valid_times`, or parameters of a query in their place.
        """
        in_time = self.filter(expire_date__gt=now, expire_date__lte=last_end)
        return in_time.filter(signed_in_at__lte=latest, last_seen_at__lte=latest)


class Session(SavesChanges, AbstractBaseSession):  # type: ignore[misc]  # it saves by keywords only
    """A session of a browser, in which a person may be logged in. `accounts.sessions` writes these rows.

    Its key is a digest of the key in the browser's cookie.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    signed_in_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)

    objects = SessionQuerySet.as_manager()  # type: ignore[misc,assignment]  # Django's own manager only encodes

    class Meta:
        ordering: ClassVar = ["-last_seen_at"]


class PasskeyCredential(models.Model):
    """What allauth's row of a passkey lacks: the credential id, unique over all accounts, and the signature counter."""

    authenticator = models.OneToOneField("mfa.Authenticator", on_delete=models.CASCADE, related_name="+")
    credential_id = models.BinaryField(max_length=1023, unique=True)
    sign_count = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"the credential of passkey {self.authenticator_id}"


class UsedChallenge(models.Model):
    """The digest of a challenge that a passkey has answered, kept while it could be answered again."""

    digest = models.BinaryField(max_length=32, unique=True)
    used_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"a challenge answered at {self.used_at:%F %T}"


class SignUp(models.Model):
    """A sign-up whose address is not confirmed yet. `accounts.sign_ups` writes these rows."""

    # Random, so that a link from before a restore does not match a sign-up made after it.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField()
    # The hash of the password.
    password = models.CharField(max_length=128)
    # The digest of a secret in a cookie of the browser that signed up.
    browser = models.CharField(max_length=40)
    # Of the page on which it was made. The account begins with it.
    language = models.CharField(max_length=LANGUAGE_LENGTH, default="", db_default="")
    # When it was created, or its link last mailed.
    renewed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["email", "browser"], name="accounts_signup_one_of_a_browser")
        ]

    def __str__(self) -> str:
        return self.email


class Deletion(models.Model):
    """A deleted account whose rows are still being removed. `accounts.deletion` writes these rows."""

    # Not a foreign key: this row outlives the account's.
    user_id = models.BigIntegerField(primary_key=True)
    # The address to which mails were queued.
    email = models.EmailField()
    began_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"the deletion of account {self.user_id}"
