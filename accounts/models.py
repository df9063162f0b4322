"""The person: an account whose login is its email address."""

import secrets
from datetime import timedelta
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
# What another node wrote this much ahead is not dated in the future.
CLOCKS_DIFFER_BY = timedelta(seconds=5)


def new_epoch() -> str:
    """Return 128 random bits as text. A count could come again after a restore."""
    return secrets.token_urlsafe(16)


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
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    # Whatever ends all sessions changes it: those made before, and log-ins under way, do not match it.
    session_epoch = models.CharField(max_length=EPOCH_LENGTH, default="", editable=False)
    # When a backup that holds the account was restored: mailed links of before are dead.
    restored_at = models.DateTimeField(null=True, editable=False)
    # "<hash> <the first hash of the same password>", where parameters have changed: sessions are bound to the first.
    # It counts only beside that hash, so that no new password can leave it behind.
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
        """Deactivating an account, or opening it again, also ends its sessions and its waiting change of address."""
        if "is_active" not in names:
            super().update_changed(names, **options)
            return
        self.session_epoch = new_epoch()
        with transaction.atomic():
            super().update_changed([*names, "session_epoch"], **options)
            self.emailaddress_set.filter(verified=False).exclude(email=self.email).delete()

    def set_password(self, raw_password: str | None) -> None:
        """Hash a password, as Django's own does. Raises `ValidationError` where it is too long."""
        self.password = passwords.make(raw_password)
        self._password = raw_password

    def check_password(self, raw_password: str) -> bool:
        """Compare a password, and hash it anew where parameters have changed, unless the password has meanwhile.

        Django's own writes the hash in any case, and a log-in would so undo a new password.
        """
        as_read, fingerprinted = self.password, self._fingerprinted()

        def upgrade(upgraded: str) -> None:
            upgrade = {"password": upgraded, "upgraded_from": f"{upgraded} {fingerprinted}"}
            if User.objects.filter(pk=self.pk, password=as_read).update(**upgrade):
                vars(self).update(upgrade)
                self._read |= upgrade

        return passwords.check(raw_password, as_read, upgrade)

    def password_fingerprint(self) -> str:
        """Return an HMAC of the password's hash: it changes with the password and says nothing about it."""
        return self._fingerprint()

    def _fingerprint(self, secret: str | None = None) -> str:
        """What Django's sessions are bound to: an HMAC of the hash, here of the first that this password had."""
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        return salted_hmac(salt, self._fingerprinted(), secret=secret, algorithm="sha256").hexdigest()

    def _fingerprinted(self) -> str:
        upgraded, _blank, first = self.upgraded_from.partition(" ")
        return first if upgraded and upgraded == self.password else self.password

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must match, by Django's check at each request: the password and the epoch."""
        fingerprint = self._fingerprint(secret)
        if not self.session_epoch:
            return fingerprint
        return salted_hmac("accounts.session_epoch", fingerprint + self.session_epoch, secret=secret).hexdigest()


class SessionQuerySet(models.QuerySet["Session"]):
    def open(self) -> Self:
        return self.filter(expire_date__gt=timezone.now())

    def valid(self) -> Self:
        """Open, and not dated in the future: by a clock that was set back since, or by another writer."""
        latest = timezone.now() + CLOCKS_DIFFER_BY
        last_end = latest + timedelta(seconds=settings.SESSION_COOKIE_AGE)
        return self.open().filter(expire_date__lte=last_end, signed_in_at__lte=latest, last_seen_at__lte=latest)


class Session(SavesChanges, AbstractBaseSession):  # type: ignore[misc]  # it saves by keywords only
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


class PasskeyCredential(models.Model):
    """What allauth's row of a passkey does not keep: whose its id is, of all accounts, and its signature counter."""

    authenticator = models.OneToOneField("mfa.Authenticator", on_delete=models.CASCADE, related_name="+")
    credential_id = models.BinaryField(max_length=1023, unique=True)
    sign_count = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"the credential of passkey {self.authenticator_id}"


class UsedChallenge(models.Model):
    """A challenge that a passkey has answered, by its digest, for as long as it could be answered again."""

    digest = models.BinaryField(max_length=32, unique=True)
    used_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"a challenge answered at {self.used_at:%F %T}"


class SignUp(models.Model):
    """An account to be, until its address is confirmed. `accounts.sign_ups` writes these rows."""

    # Random: a link of before a restore names nothing that came after it.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField()
    # Its hash.
    password = models.CharField(max_length=128)
    # The digest of a secret that the browser which signed up has in a cookie.
    browser = models.CharField(max_length=40)
    # When it was made, or its link last mailed.
    renewed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["email", "browser"], name="accounts_signup_one_of_a_browser")
        ]

    def __str__(self) -> str:
        return self.email


class Deletion(models.Model):
    """An account that was deleted and whose rows are being removed. `accounts.deletion` writes these rows."""

    # No foreign key: it outlives the account's row, which is the last to go.
    user_id = models.BigIntegerField(primary_key=True)
    # Under which letters were queued.
    email = models.EmailField()
    began_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"the deletion of account {self.user_id}"
