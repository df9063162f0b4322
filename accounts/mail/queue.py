"""The queue of outgoing mail: rows of post_office, written in the transaction of what they tell of.

A letter is put there if and only if its event is: nothing here raises but what the database
raises. A letter that cannot be rendered goes out without its details. One to an address that breaks
the rule of `accounts.email_addresses` has failed before it is sent, and `give_up_unsendable` ends those
that came here by another way. Whether an address exists is found out by the worker, which tries
for days. `post_office.mail.send` will not do: it refuses addresses, and it renders texts as
templates once more, also what a stranger has chosen, such as the name of a program.

`Message-ID` comes from the event. A worker that dies after it has sent a letter and before it
has noted so sends it again, and a mail program knows it for the same one (RFC 5322, section 3.6.4).
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
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from post_office.models import PRIORITY, STATUS, Email

from accounts import email_addresses
from accounts.models import User
from accounts.orm.batches import delete_in_batches

logger = logging.getLogger(__name__)

# Of one kind an owner gets so many letters an hour singly, and what comes on top in one letter at its end:
# one who acts in somebody's session, over and over, is told of and cannot bury them.
SINGLY_AN_HOUR = 5
HOUR = timedelta(hours=1)
# A collecting letter that is about to be sent takes nothing in any more: the worker may have read it.
CLOSED_BEFORE = timedelta(minutes=1)
# After it was sent or given up. More than the hour by which letters are counted above.
KEPT_FOR = timedelta(days=1)
# In ASCII: whatever it holds, it is one line of the log.
NOT_AN_ADDRESS = "The mail %s is not sent: %a is not the address of one mailbox."


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str
    html: str


def render(template: str, subject: Promise, context: dict[str, Any], owner: User) -> Mail:
    """Render a template's `.txt` and `.html` in the owner's time zone; where that fails, say only what happened."""
    try:
        with translation.override(settings.LANGUAGE_CODE), timezone.override(owner.time_zone):
            context = {"subject": subject, "public_url": settings.PUBLIC_URL} | context
            parts = [render_to_string(f"{template}.{kind}", context) for kind in ("txt", "html")]
            return Mail(str(subject), *parts)
    except Exception:
        logger.exception("The mail %r to user %s goes out without its details.", str(subject), owner.pk)
        log = settings.PUBLIC_URL + reverse("security-log")
        return Mail(str(subject), f"{subject}.\n\n{_('What happened, when and from where:')}\n{log}\n", "")


def put(letter: Mail, to: str, name: str, *, about: str = "", at: datetime | None = None) -> None:
    """Queue a letter, to be sent at once or at a moment, under the `Message-ID` `<name@host>`.

    One to an address that is none is kept as failed, so that its event goes on.
    """
    is_address = email_addresses.is_address(to)
    if not is_address:
        logger.warning(NOT_AN_ADDRESS, name, to)
    email = Email(
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=email_addresses.mailbox(to),
        subject=letter.subject,
        message=letter.text,
        html_message=letter.html,
        message_id=f"<{name}@{settings.POST_OFFICE['MESSAGE_ID_FQDN']}>",
        status=STATUS.queued if is_address else STATUS.failed,
        priority=PRIORITY.medium,
        scheduled_time=at,
        context={"about": about, "count": 1, "since": timezone.now().isoformat()},
    )
    # Not `save`, which raises where an address is not to its liking.
    Email.objects.bulk_create([email])


def put_or_collect(
    to: str, name: str, about: str, letter: Callable[[], Mail], collected: Callable[[int, datetime], Mail]
) -> None:
    """Queue a letter about an event, alone or as one of many `about` the same; call it inside a transaction.

    `name` is the event's, `collected` draws a letter about a number of events since a moment.
    """
    now = timezone.now()
    # To whom and when first, which is quickly told: where everybody's token is replaced, the queue is long.
    alike = Email.objects.filter(to=email_addresses.mailbox(to), created__gt=now - HOUR, context__about=about)
    if alike.count() < SINGLY_AN_HOUR:
        put(letter(), to, name, about=about)
        return
    still_open = alike.filter(status=STATUS.queued, scheduled_time__gt=now + CLOSED_BEFORE)
    collecting = still_open.select_for_update().first()
    if collecting is None:
        put(collected(1, now), to, name, about=about, at=now + HOUR)
        return
    kept = collecting.context | {"count": collecting.context["count"] + 1}
    rendered = collected(kept["count"], datetime.fromisoformat(kept["since"]))
    Email.objects.filter(pk=collecting.pk).update(context=kept, message=rendered.text, html_message=rendered.html)


def mails_of(owner_id: int, email: str, before: datetime) -> QuerySet[Email]:
    """The letters about a person, and those to their address, which may be another's by now, of before a moment."""
    written_to = Q(to__in=email_addresses.spellings(email), created__lt=before)
    return Email.objects.filter(written_to | Q(context__about__startswith=f"{owner_id}:"))


def give_up_unsendable(due: Iterable[Email]) -> None:
    """End the letters that no try can send, so that they neither come back for days nor hold up others.

    Those are the ones to an address that breaks the rule, and the ones of which no message can be made.
    """
    for email in due:
        recipients = [*email.to, *email.cc, *email.bcc] or [""]
        wrong = [to for to in recipients if not email_addresses.is_address(to)]
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
    """The letters that were sent or given up long ago."""
    ends = [STATUS.sent, STATUS.failed]
    return Email.objects.filter(status__in=ends, last_updated__lt=timezone.now() - KEPT_FOR)


def forget_ended() -> Iterator[int]:
    """Delete letters that were sent or given up long ago, which hold links, and yield how many rows, batch by batch."""
    return delete_in_batches(finished())
