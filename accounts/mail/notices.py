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
from accounts.web import languages
from accounts.web.clients import Client

Detail, Kind = SecurityEvent.Detail, SecurityEvent.Kind

PASSWORD_IS_KNOWN = gettext_lazy(
    "If this wasn't you, somebody knows your password or is logged in as you. "
    "Choose a new password at once: it logs them out."
)
CHOOSE_PASSWORD = gettext_lazy("Choose a new password")
# In this order: the intruder's passkey or app lets them in, or locks the owner out.
WAY_IN_IS_THEIRS = gettext_lazy(
    "If this wasn't you, somebody is logged in as you. First remove every passkey and app that isn't yours. A new "
    "password doesn't remove them: an intruder could still log in or lock you out. Then choose a new password: it logs "
    "them out. If you can no longer log in, write to the operator of this server at once."
)
WAYS_IN = gettext_lazy("Check your ways to log in")
CODES_ARE_THEIRS = gettext_lazy(
    "If this wasn't you, somebody is logged in as you and has your recovery codes. "
    "Choose a new password at once: it logs them out. Then make new codes under My Account → Security."
)
ACCOUNT_IS_LOST = gettext_lazy(
    "If this wasn't you, somebody has taken over your account. Write to the operator of this server at once."
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
    gettext_lazy("New log-in to your account"),
    gettext_lazy("Somebody, hopefully you, logged in to BotPenguin from a browser that you had not used before."),
)

NEW_LOG_IN_BY_PASSKEY = replace(NEW_LOG_IN, if_not_you=WAY_IN_IS_THEIRS, page="security", button=WAYS_IN)

ACCOUNT_DELETED = Notice(
    gettext_lazy("Your account was deleted"),
    gettext_lazy("Your BotPenguin account was deleted, with its API token, bots, contacts and activity."),
    gettext_lazy("If this wasn't you, write to the operator of this server at once."),
    page="",
)

EMAIL_ASKED = Notice(
    gettext_lazy("A change of your email was requested"),
    gettext_lazy(
        "Somebody, hopefully you, wants to log in to BotPenguin as %(to_email)s. It replaces %(from_email)s "
        "once the link that we sent to the new address is opened."
    ),
    gettext_lazy(
        "If this wasn't you, somebody is logged in as you. Choose a new password at once: it logs them out and "
        "cancels the change."
    ),
)

EMAIL_CHANGED = Notice(
    gettext_lazy("Your email was changed"),
    gettext_lazy("You log in to BotPenguin as %(to_email)s now, and no longer as %(from_email)s."),
    ACCOUNT_IS_LOST,
    page="",
)

# Events not listed here or above send no mail.
NOTICES = {
    (Kind.PASSWORD_CHANGED, ""): Notice(
        gettext_lazy("Your password was changed"),
        gettext_lazy("The password of your BotPenguin account was changed, and every other browser was logged out."),
    ),
    (Kind.PASSWORD_RESET, ""): Notice(
        gettext_lazy("Your password was reset"),
        gettext_lazy("A new password was chosen for your BotPenguin account, and every browser was logged out."),
    ),
    (Kind.FACTOR_ADDED, Detail.AUTHENTICATOR): Notice(
        gettext_lazy("An authenticator app was added"),
        gettext_lazy("Logging in to your BotPenguin account asks for a code of the app from now on."),
        WAY_IN_IS_THEIRS,
        page="security",
        button=WAYS_IN,
    ),
    (Kind.FACTOR_REMOVED, Detail.AUTHENTICATOR): Notice(
        gettext_lazy("Your authenticator app was removed"),
        gettext_lazy("Logging in to your BotPenguin account no longer asks for a code."),
    ),
    (Kind.FACTORS_REMOVED, ""): Notice(
        gettext_lazy("Your ways to log in were removed"),
        gettext_lazy(
            "The operator of this server has removed the passkeys, the authenticator app and the recovery codes of "
            "your BotPenguin account. You log in with your password alone now. You were logged out everywhere."
        ),
        gettext_lazy(
            "If you didn't ask for this, somebody did in your name. "
            "Choose a new password at once, and write to the operator of this server."
        ),
    ),
    (Kind.CODES_RENEWED, ""): Notice(
        gettext_lazy("New recovery codes were made"),
        gettext_lazy("The old recovery codes of your BotPenguin account no longer work."),
        CODES_ARE_THEIRS,
    ),
    (Kind.FACTOR_ADDED, Detail.PASSKEY): Notice(
        gettext_lazy("A passkey was added"),
        gettext_lazy("You can log in to your BotPenguin account with a new passkey."),
        WAY_IN_IS_THEIRS,
        page="security",
        button=WAYS_IN,
    ),
    (Kind.FACTOR_REMOVED, Detail.PASSKEY): Notice(
        gettext_lazy("A passkey was removed"),
        gettext_lazy("You can no longer log in to your BotPenguin account with one of its passkeys."),
    ),
    (Kind.PASSKEY_COPIED, Detail.PASSKEY): Notice(
        gettext_lazy("A passkey was refused"),
        gettext_lazy(
            "A passkey of your BotPenguin account was refused: its counter of uses had gone back. "
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
    with languages.written_to(owner):
        text = str(notice.text) % facts if facts else notice.text
        return _render(owner, notice, text=text, at=at, client=client)


def render_summary(owner: User, notice: Notice, count: int, since: datetime) -> Mail:
    """Render one mail about many events of a kind, which the security log lists."""
    return _render(owner, notice, count=count, since=since, log=reverse("security-log"))


def _render(owner: User, notice: Notice, **context: Any) -> Mail:
    context |= {"if_not_you": notice.if_not_you, "button": notice.button}
    context["page"] = reverse(notice.page) if notice.page else ""
    return queue.render("accounts/mail/notice", notice.subject, context, owner)
