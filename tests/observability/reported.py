"""Reports of failures, and the secrets that they must not hold."""

from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from django.core import mail

from tests.leaks import find

DATABASE_PASSWORD, MAIL_PASSWORD, CACHE_PASSWORD = "opens-the-database", "opens-the-mail", "opens-the-cache"


class Failure(Exception):
    """A failure in the middle of a request."""


@dataclass
class Watch:
    """Error pages, mails and log, and the secrets that must not be in them."""

    secrets: dict[str, str]
    log: StringIO
    pages: list[str] = field(default_factory=list)

    def keep(self, response: Any) -> None:
        assert response.status_code == 500
        self.pages.append(response.content.decode())

    def leaks(self) -> list[str]:
        assert self.pages
        mails = [f"{sent.subject} {sent.body}" for sent in mail.outbox]
        assert len(mails) >= len(self.pages)
        return find([*self.pages, *mails, self.log.getvalue()], self.secrets)
