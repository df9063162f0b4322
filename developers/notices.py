"""Mails about the token. They contain no secret.

A mail is queued in the transaction of its event, and named after the event's id. Only the database can make this
fail, and then the revoke fails too: see `accounts.mail.queue`.
"""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from accounts.mail import queue
from accounts.mail.notices import Notice, render_summary
from accounts.models import User
from accounts.security_log import Event
from accounts.templatetags.formats import PLAIN_CLIENT
from accounts.web import formats
from accounts.web.clients import Client
from developers.models import RevokedToken
from developers.replacement import refused_programs

PAGE = "developers:api-access-token"
WEBHOOKS = "developers:outbound:subscriptions"
MOST_NAMED = 5

# For the summary that replaces many mails of one hour.
REVOKED = Notice(
    _("Your API access token was revoked"),
    _("Your API access token was revoked."),
    _("If this wasn't you, someone is logged in as you. Choose a new password at once: it logs them out."),
)
EXPOSED = Notice(
    _("Your API access token was reported as exposed"),
    _("Your API access token was reported as exposed."),
    _("Find out where your tokens leak before you use the next one there: code, a chat, a log."),
    page=PAGE,
    button=_("See your token"),
)
STILL_IN_USE = Notice(
    _("A revoked API token is still in use"),
    _("Somebody sent an API access token that was revoked, and was refused."),
    _("Find out where your tokens leak before you use the next one there: code, a chat, a log."),
    page=PAGE,
    button=_("See your token"),
)
NEW_USE = Notice(
    _("Your API access token has a new use"),
    _("A new program or address used your API access token. You asked for this mail under My Account."),
    _("If it isn't yours, somebody has a copy of your token. Revoke it at once."),
    page=PAGE,
    button=_("See your token"),
)


def token_revoked(owner: User, event: Event, revoked: RevokedToken, paused: int) -> None:
    """Queue a mail about a revoke to the token's owner. `paused`: how many webhooks were paused, or stopped."""
    is_exposed = revoked.reason == RevokedToken.Reason.EXPOSED
    notice, template = (EXPOSED, "token_exposed") if is_exposed else (REVOKED, "token_revoked")
    context = {"revoked": revoked, "client": Client(event.ip, event.client), "page": reverse(PAGE)}
    context |= {"paused": paused, "webhooks": reverse(WEBHOOKS)}
    queue.put_or_summarize(
        owner.email,
        event.name,
        f"{owner.pk}:{event.kind}:{revoked.reason}",
        lambda: queue.render(f"developers/mail/{template}", notice.subject, context, owner),
        lambda count, since: render_summary(owner, notice, count, since),
    )


def token_still_in_use(revoked: RevokedToken, event: Event) -> None:
    """Queue a mail about a revoked token that is still in use. The caller limits these to one a day."""
    owner = revoked.user
    context = {
        "revoked": revoked,
        "client": Client(revoked.last_refused_ip, revoked.last_refused_client),
        "programs": _programs(revoked),
        "page": reverse(PAGE),
    }
    queue.put_or_summarize(
        owner.email,
        event.name,
        f"{owner.pk}:{event.kind}",
        lambda: queue.render("developers/mail/token_still_in_use", STILL_IN_USE.subject, context, owner),
        lambda count, since: render_summary(owner, STILL_IN_USE, count, since),
    )


def _programs(revoked: RevokedToken) -> str:
    """Name the programs that still send a revoked token, by their labels if they have some.

    Leaves out what could be read as a sentence or a link.
    """
    called = ((program.label, program.program) for program in refused_programs(revoked))
    names = list(filter(None, (next(filter(PLAIN_CLIENT.fullmatch, texts), "") for texts in called)))
    # Translators: ends a list of programs: "n8n, Zapier and others".
    return formats.listed([*names[:MOST_NAMED], pgettext("programs", "others")] if names[MOST_NAMED:] else names)
