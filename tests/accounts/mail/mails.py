"""Mails of account pages in the queue."""

import re

from post_office.models import Email


def newest() -> Email:
    return Email.objects.latest("pk")


def link_in(mail: Email) -> str:
    """Return the path of the one link in a mail."""
    [link] = set(re.findall(r"https://app\.example\.com(/\S+)", mail.message)) - {"/"}
    return str(link)
