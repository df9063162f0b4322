"""Mail about the token. Queued in the transaction that it tells of; carries no secret."""

import logging

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from post_office import mail

from accounts.clients import Client
from accounts.models import User
from developers.models import RevokedToken

logger = logging.getLogger(__name__)


def token_revoked(owner: User, revoked: RevokedToken, client: Client) -> None:
    """Queue the notice of a revoke to the token's owner; a revoke never fails for want of its notice."""
    try:
        with transaction.atomic():
            _queue_token_revoked(owner, revoked, client)
    except Exception:
        logger.exception("User %s was not told that their token …%s was revoked.", owner.pk, revoked.hint)


def _queue_token_revoked(owner: User, revoked: RevokedToken, client: Client) -> None:
    """Write the notice in the owner's time zone."""
    context = {
        "owner": owner,
        "revoked": revoked,
        "client": client,
        "url": settings.PUBLIC_URL + reverse("developers:api-access-token"),
    }
    with translation.override(settings.LANGUAGE_CODE), timezone.override(owner.time_zone):
        template, subject = (
            ("token_exposed", _("Your API access token was reported as exposed"))
            if revoked.reason == RevokedToken.Reason.EXPOSED
            else ("token_revoked", _("Your API access token was revoked"))
        )
        mail.send(
            recipients=[owner.email],
            sender=settings.DEFAULT_FROM_EMAIL,
            subject=subject,
            message=render_to_string(f"developers/mail/{template}.txt", context),
            html_message=render_to_string(f"developers/mail/{template}.html", context),
        )
