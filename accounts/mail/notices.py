"""Mails about events of an account: what happened, when and from where, and what to do if it was somebody else.

A notice is queued in the transaction of its event, has a `Message-ID` made from the event's id, and carries no secret.
`accounts.mail.queue` describes the queue.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.events import EventCount, SecurityEvent
from accounts.mail import queue
from accounts.mail.queue import Mail
from accounts.models import User
from accounts.web.clients import Client

Kind, Means = SecurityEvent.Kind, SecurityEvent.Means

PASSWORD_IS_KNOWN = gettext_lazy(
    "Was it not you? Then somebody knows your password or is signed in as you. "
    "Choose a new password at once; it signs them out."
)
CHOOSE_PASSWORD = gettext_lazy("Choose a new password")
# In this order: the intruder's passkey or app lets them in, or locks the owner out.
WAY_IN_IS_THEIRS = gettext_lazy(
    "Was it not you? Then somebody is signed in as you. First remove every passkey and app that is not yours: a new "
    "password alone leaves it there, and by it they get in again, or keep you out. Then choose a new password, which "
    "signs them out. If you cannot log in any more, write to the operator of this server at once."
)
WAYS_IN = gettext_lazy("Look at your ways to log in")
CODES_ARE_THEIRS = gettext_lazy(
    "Was it not you? Then somebody is signed in as you, and has your recovery codes. "
    "Choose a new password at once; it signs them out. Then make new codes, under My Account → Security."
)
ACCOUNT_IS_LOST = gettext_lazy(
    "Was it not you? Then somebody has taken your account over. Write to the operator of this server at once."
)


@dataclass(frozen=True, slots=True)
class Notice:
    subject: Promise
    text: Promise
    if_not_you: Promise = PASSWORD_IS_KNOWN
    # The URL name of the page where the reader can act, and the text of the button.
    page: str = "account_reset_password"
    button: Promise = CHOOSE_PASSWORD


NEW_LOG_IN = Notice(
    gettext_lazy("New sign-in to your account"),
    gettext_lazy("Somebody, hopefully you, signed in to BotPenguin from a browser that you had not used before."),
)

NEW_LOG_IN_BY_PASSKEY = replace(NEW_LOG_IN, if_not_you=WAY_IN_IS_THEIRS, page="security", button=WAYS_IN)

ACCOUNT_DELETED = Notice(
    gettext_lazy("Your account was deleted"),
    gettext_lazy("Your BotPenguin account was deleted, with its API token, bots, contacts and activity."),
    gettext_lazy("Was it not you? Then write to the operator of this server at once."),
    page="",
)

EMAIL_ASKED = Notice(
    gettext_lazy("A new email was asked for"),
    gettext_lazy(
        "Somebody, hopefully you, wants to log in to BotPenguin as %(to_email)s. It takes the place of %(from_email)s "
        "once the link that was mailed there is followed."
    ),
    gettext_lazy(
        "Was it not you? Then somebody is signed in as you. Choose a new password at once; it signs them out, "
        "and nothing comes of the change."
    ),
)

EMAIL_CHANGED = Notice(
    gettext_lazy("Your email was changed"),
    gettext_lazy("You log in to BotPenguin as %(to_email)s now. %(from_email)s opens the account no longer."),
    ACCOUNT_IS_LOST,
    page="",
)

# Events not listed here or above send no mail.
NOTICES = {
    (Kind.PASSWORD_CHANGED, ""): Notice(
        gettext_lazy("Your password was changed"),
        gettext_lazy("The password of your BotPenguin account was changed, and every other browser signed out."),
    ),
    (Kind.PASSWORD_RESET, ""): Notice(
        gettext_lazy("Your password was reset"),
        gettext_lazy("A new password was chosen for your BotPenguin account, and every browser signed out."),
    ),
    (Kind.FACTOR_ADDED, Means.AUTHENTICATOR): Notice(
        gettext_lazy("An authenticator app was added"),
        gettext_lazy("Logging in to your BotPenguin account asks for a code of the app from now on."),
        WAY_IN_IS_THEIRS,
        page="security",
        button=WAYS_IN,
    ),
    (Kind.FACTOR_REMOVED, Means.AUTHENTICATOR): Notice(
        gettext_lazy("Your authenticator app was removed"),
        gettext_lazy("Logging in to your BotPenguin account no longer asks for a code."),
    ),
    (Kind.FACTORS_REMOVED, ""): Notice(
        gettext_lazy("Your ways to log in were removed"),
        gettext_lazy(
            "The operator of this server has removed the passkeys, the authenticator app and the recovery codes of "
            "your BotPenguin account. Your password opens it alone now. You were signed out everywhere."
        ),
        gettext_lazy(
            "Was it not you who asked for it? Then somebody has in your name. "
            "Choose a new password at once, and write to the operator of this server."
        ),
    ),
    (Kind.CODES_RENEWED, ""): Notice(
        gettext_lazy("New recovery codes were made"),
        gettext_lazy("The recovery codes that your BotPenguin account had before open it no longer."),
        CODES_ARE_THEIRS,
    ),
    (Kind.FACTOR_ADDED, Means.PASSKEY): Notice(
        gettext_lazy("A passkey was added"),
        gettext_lazy("Your BotPenguin account can be opened by a new passkey."),
        WAY_IN_IS_THEIRS,
        page="security",
        button=WAYS_IN,
    ),
    (Kind.FACTOR_REMOVED, Means.PASSKEY): Notice(
        gettext_lazy("A passkey was removed"),
        gettext_lazy("One of the passkeys of your BotPenguin account opens it no longer."),
    ),
    (Kind.PASSKEY_COPIED, Means.PASSKEY): Notice(
        gettext_lazy("A passkey was refused"),
        gettext_lazy(
            "A passkey of your BotPenguin account was used, and refused: its counter of uses had gone back. "
            "This happens when somebody uses a copy of the passkey."
        ),
        gettext_lazy(
            "Remove the passkeys that are on a security key, and add them again. "
            "If you were logging in just now, you can still do so in another way."
        ),
        page="security",
        button=WAYS_IN,
    ),
}


def notify(event: SecurityEvent | EventCount, owner: User, notice: Notice, *, address: str = "", **facts: Any) -> None:
    """Queue a notice of an event to the owner, or to their former address. Call it inside the event's transaction."""
    client = Client(event.ip, event.client)
    about = f"{owner.pk}:{event.kind}:{event.detail}"
    queue.put_or_summarize(
        address or owner.email,
        event.name,
        about,
        lambda: render(owner, notice, client, event.at, **facts),
        lambda count, since: render_summary(owner, notice, count, since),
    )


def deletion_notice(owner: User, client: Client) -> Mail:
    return render(owner, ACCOUNT_DELETED, client, timezone.now())


def queue_deletion_notice(owner: User, mail: Mail) -> None:
    """Queue the last mail to an account. It is named by the account's id, since the events are deleted with it."""
    queue.put(mail, owner.email, f"deleted-account.{owner.pk}")


def render(owner: User, notice: Notice, client: Client, at: datetime, **facts: Any) -> Mail:
    text = str(notice.text) % facts if facts else notice.text
    return _render(owner, notice, text=text, at=at, client=client)


def render_summary(owner: User, notice: Notice, count: int, since: datetime) -> Mail:
    """Render one mail about many events of a kind, which the security log lists."""
    return _render(owner, notice, count=count, since=since, log=reverse("security-log"))


def _render(owner: User, notice: Notice, **context: Any) -> Mail:
    context |= {"if_not_you": notice.if_not_you, "button": notice.button}
    context["page"] = reverse(notice.page) if notice.page else ""
    return queue.render("accounts/mail/notice", notice.subject, context, owner)
