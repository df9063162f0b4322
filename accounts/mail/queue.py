"""The queue of outgoing mail: rows of post_office, written in the transaction of their event.

A mail is queued if and only if its event is stored: only the database can raise here. A mail that cannot be rendered is
sent without its details. A mail to an address that breaks the rule of `accounts.email_addresses` is stored as failed;
`give_up_unsendable` does the same for mails that other code has queued. The worker finds out whether an address exists,
and tries for days. `post_office.mail.send` is not used: it refuses addresses, and renders texts as templates once more,
which may hold what anybody chose, such as the name of a program.

`Message-ID` is made from the event. If a worker dies after it has sent a mail, and before it has stored that, the mail
is sent again, and mail programs recognise it (RFC 5322, section 3.6.4).
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.errors import MessageError
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from post_office.models import PRIORITY, STATUS, Email

from accounts import email_addresses
from accounts.models import User
from accounts.orm.batches import delete_in_batches
from accounts.web import languages

logger = logging.getLogger(__name__)

# An owner gets this many mails of a kind in an hour, and one summary of all further events at its end. So an intruder
# who repeats an action cannot flood the mailbox.
MAILS_AN_HOUR = 5
HOUR = timedelta(hours=1)
# A summary takes no more events just before it is sent: the worker may have read it.
CLOSED_BEFORE = timedelta(minutes=1)
# How long a mail is kept after it was sent or given up. Longer than the hour in which mails are counted.
KEPT_FOR = timedelta(days=1)
# %a is ASCII: whatever the address holds, it is one line of the log.
NOT_AN_ADDRESS = "The mail %s is not sent: %a is not the address of one mailbox."


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str
    html: str


def render(template: str, subject: Promise, context: dict[str, Any], owner: User) -> Mail:
    """Render a template's `.txt` and `.html` in the owner's language and time zone.

    If that fails, the mail is only the subject and a link.
    """
    with languages.written_to(owner):
        return _render(template, subject, context, owner)


def _render(template: str, subject: Promise, context: dict[str, Any], owner: User) -> Mail:
    try:
        with timezone.override(owner.time_zone):
            context = {"subject": subject, "public_url": settings.PUBLIC_URL} | context
            text, html = (render_to_string(f"{template}.{kind}", context) for kind in ("txt", "html"))
            return Mail(str(subject), with_support(text), html)
    except Exception:
        logger.exception("The mail %r to user %s goes out without its details.", str(subject), owner.pk)
        log = settings.PUBLIC_URL + reverse("security-log")
        bare = f"{subject}.\n\n{_('What happened, when and from where:')}\n{log}\n"
        # Without a template, which could fail again.
        to = {"email": email_addresses.shown(settings.SUPPORT_EMAIL)}
        return Mail(str(subject), bare + (f"\n{_('Need help? Write to %(email)s.') % to}\n" if to["email"] else ""), "")


def with_support(text: str) -> str:
    """Return the text of a mail, and whom to write to. `mail.html` has the same sentence."""
    return text + render_to_string("support.txt")


def put(mail: Mail, to: str, name: str, *, about: str = "", at: datetime | None = None) -> None:
    """Queue a mail with the `Message-ID` `<name@host>`, to be sent at once or at a time.

    A mail to an invalid address is stored as failed, so that its event is stored too.
    """
    is_sendable = email_addresses.is_sendable(to)
    if not is_sendable:
        logger.warning(NOT_AN_ADDRESS, name, to)
    email = Email(
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=email_addresses.mailbox(to),
        subject=mail.subject,
        message=mail.text,
        html_message=mail.html,
        message_id=f"<{name}@{settings.POST_OFFICE['MESSAGE_ID_FQDN']}>",
        status=STATUS.queued if is_sendable else STATUS.failed,
        priority=PRIORITY.medium,
        scheduled_time=at,
        context={"about": about, "count": 1, "since": timezone.now().isoformat()},
    )
    # Not `save`, which validates addresses and raises.
    Email.objects.bulk_create([email])


def put_or_summarize(
    to: str, name: str, about: str, single: Callable[[], Mail], summary: Callable[[int, datetime], Mail]
) -> None:
    """Queue a mail about an event, or count the event in the summary of those `about` the same.

    Call it inside a transaction. `name` is the event's name; `summary` renders a mail about a number of events since a
    time.
    """
    now = timezone.now()
    # Recipient and time come first, since they are cheap to compare: a restore queues a mail to everybody.
    alike = Email.objects.filter(to=email_addresses.mailbox(to), created__gt=now - HOUR, context__about=about)
    if alike.count() < MAILS_AN_HOUR:
        put(single(), to, name, about=about)
        return
    still_open = alike.filter(status=STATUS.queued, scheduled_time__gt=now + CLOSED_BEFORE)
    open_summary = still_open.select_for_update().first()
    if open_summary is None:
        put(summary(1, now), to, name, about=about, at=now + HOUR)
        return
    kept = open_summary.context | {"count": open_summary.context["count"] + 1}
    rendered = summary(kept["count"], datetime.fromisoformat(kept["since"]))
    # The subject too: the owner may have chosen another language meanwhile.
    texts = {"subject": rendered.subject, "message": rendered.text, "html_message": rendered.html}
    Email.objects.filter(pk=open_summary.pk).update(context=kept, **texts)


def mails_of(owner_id: int, email: str, before: datetime) -> QuerySet[Email]:
    """Return the mails from before a time that are about a person or to their address, which others may have by now."""
    written_to = Q(to__in=email_addresses.spellings(email), created__lt=before)
    return Email.objects.filter(written_to | Q(context__about__startswith=f"{owner_id}:"))


def give_up_unsendable(due: Iterable[Email]) -> None:
    """Mark mails as failed that cannot be sent, so that they are not retried for days and do not delay others.

    These are mails to an invalid address, and mails of which no message can be made.
    """
    for email in due:
        recipients = [*email.to, *email.cc, *email.bcc] or [""]
        wrong = [to for to in recipients if not email_addresses.is_sendable(to)]
        if wrong:
            logger.warning(NOT_AN_ADDRESS, email.pk, wrong[0])
        elif (error := _rendering_error(email)) is not None:
            logger.warning("The mail %s is not sent: no message can be made of it, %a.", email.pk, error)
        else:
            continue
        Email.objects.filter(pk=email.pk).update(status=STATUS.failed, last_updated=timezone.now())


def _rendering_error(email: Email) -> Exception | None:
    try:
        email.email_message().message().as_bytes()
    except (ValueError, MessageError) as error:
        return error
    return None


def finished() -> QuerySet[Email]:
    """Return the mails that were sent or given up long ago."""
    ends = [STATUS.sent, STATUS.failed]
    return Email.objects.filter(status__in=ends, last_updated__lt=timezone.now() - KEPT_FOR)


def forget_ended() -> Iterator[int]:
    """Delete mails that were sent or given up long ago, which hold links. Yield the number of rows after each batch."""
    return delete_in_batches(finished())
