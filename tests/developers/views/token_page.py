"""The page API Access Token, read without a browser."""

import re
from datetime import timedelta
from html import unescape

from django.utils import timezone

from accounts.models import User
from developers.models import ApiToken
from tests.cast import LAPTOP

PAGE = "/developers/api-access-token/"
HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}
TOKEN = re.compile(r"bpat_[0-9A-Za-z]{46}")


def use(user: User, *, ago: timedelta = timedelta(minutes=3)) -> None:
    """Record that a person's token was used some time ago."""
    ApiToken.objects.filter(user=user).update(
        last_used_at=timezone.now() - ago, last_used_ip=LAPTOP.ip, last_used_client=LAPTOP.user_agent
    )


def text(response: object) -> str:
    """Return the words of a response, without markup."""
    words = re.sub(r"<[^>]+>", " ", response.content.decode())  # type: ignore[attr-defined]
    return unescape(" ".join(words.split()))
