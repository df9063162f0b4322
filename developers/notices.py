"""Mail about the token. Queued in the transaction that it tells of; carries no secret."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from post_office import mail

from accounts.clients import Client
from accounts.models import User
from developers.models import RevokedToken


def token_revoked(owner: User, revoked: RevokedToken, client: Client) -> None:
    """Queue the notice of a revoke to the token's owner, in their time zone."""
    context = {
        "owner": owner,
        "revoked": revoked,
        "client": client,
        "url": settings.PUBLIC_URL + reverse("developers:api-access-token"),
    }
    with translation.override(settings.LANGUAGE_CODE), timezone.override(owner.time_zone):
        mail.send(
            recipients=[owner.email],
            sender=settings.DEFAULT_FROM_EMAIL,
            subject=_("Your API access token was revoked"),
            message=render_to_string("developers/mail/token_revoked.txt", context),
            html_message=render_to_string("developers/mail/token_revoked.html", context),
        )
