"""Mail about the account: what happened, when and from where, and what to do if it was somebody else.

Queued by post_office in the transaction of what it tells of, and carries no secret.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from post_office import mail

from accounts.clients import Client
from accounts.models import User
from accounts.templatetags.moments import client as named
from accounts.templatetags.moments import exact

PASSWORD_IS_KNOWN = gettext_lazy(
    "Was it not you? Then somebody knows your password or is signed in as you. "
    "Choose a new password at once; it signs them out."
)
CHOOSE_PASSWORD = gettext_lazy("Choose a new password")
ACCOUNT_IS_LOST = gettext_lazy(
    "Was it not you? Then somebody has taken your account over. Write to the operator of this server at once."
)


@dataclass(frozen=True, slots=True)
class Notice:
    subject: Promise
    text: Promise
    if_not_you: Promise = PASSWORD_IS_KNOWN
    # The page where one acts, by its URL name, and what the button says.
    page: str = "account_reset_password"
    button: Promise = CHOOSE_PASSWORD


NEW_SIGN_IN = Notice(
    gettext_lazy("New sign-in to your account"),
    gettext_lazy("Somebody, hopefully you, signed in to BotPenguin from a browser that you had not used before."),
)

ACCOUNT_DELETED = Notice(
    gettext_lazy("Your account was deleted"),
    gettext_lazy("Your BotPenguin account was deleted, with its API token, bots, contacts and activity."),
    gettext_lazy("Was it not you? Then write to the operator of this server at once."),
    page="",
)

# By the names that allauth has for them. What is not listed here is worth no mail.
NOTICES = {
    "account/email/password_changed": Notice(
        gettext_lazy("Your password was changed"),
        gettext_lazy("The password of your BotPenguin account was changed, and every other browser signed out."),
    ),
    "account/email/password_reset": Notice(
        gettext_lazy("Your password was reset"),
        gettext_lazy("A new password was chosen for your BotPenguin account, and every browser signed out."),
    ),
    "account/email/email_changed": Notice(
        gettext_lazy("Your email was changed"),
        gettext_lazy("You log in to BotPenguin as %(to_email)s now. %(from_email)s opens the account no longer."),
        ACCOUNT_IS_LOST,
        page="",
    ),
    "mfa/email/totp_activated": Notice(
        gettext_lazy("An authenticator app was added"),
        gettext_lazy("Logging in to your BotPenguin account asks for a code of the app from now on."),
    ),
    "mfa/email/totp_deactivated": Notice(
        gettext_lazy("Your authenticator app was removed"),
        gettext_lazy("Logging in to your BotPenguin account no longer asks for a code."),
    ),
    "mfa/email/recovery_codes_generated": Notice(
        gettext_lazy("New recovery codes were made"),
        gettext_lazy("The recovery codes that your BotPenguin account had before open it no longer."),
    ),
    "mfa/email/webauthn_added": Notice(
        gettext_lazy("A passkey was added"),
        gettext_lazy("Your BotPenguin account can be opened by a new passkey."),
    ),
    "mfa/email/webauthn_removed": Notice(
        gettext_lazy("A passkey was removed"),
        gettext_lazy("One of the passkeys of your BotPenguin account opens it no longer."),
    ),
}


def tell(owner: User, notice: Notice, client: Client, *, address: str | None = None, **facts: Any) -> None:
    """Queue a notice to the owner, or to an address that was theirs, in their own time zone."""
    with translation.override(settings.LANGUAGE_CODE), timezone.override(owner.time_zone):
        context = {
            "subject": notice.subject,
            "text": str(notice.text) % facts if facts else notice.text,
            "facts": _facts(client),
            "if_not_you": notice.if_not_you,
            "url": settings.PUBLIC_URL + reverse(notice.page) if notice.page else "",
            "url_text": notice.button,
        }
        mail.send(
            recipients=[address or owner.email],
            sender=settings.DEFAULT_FROM_EMAIL,
            subject=str(notice.subject),
            message=render_to_string("accounts/mail/notice.txt", context),
            html_message=render_to_string("accounts/mail/notice.html", context),
        )


def _facts(client: Client) -> list[tuple[str, str]]:
    facts = [(_("When"), exact(timezone.now())), (_("From"), client.ip or ""), (_("By"), named(client.user_agent))]
    return [(name, value) for name, value in facts if value]
