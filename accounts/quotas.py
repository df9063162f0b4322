"""Quotas: how much an account may hold, by the settings `QUOTA_…`.

Only growth is refused. A full account can still be reduced and secured, and lowering a quota deletes nothing. Amounts
are counted in the transaction that adds to them, under `accounts.orm.owners.changing`: of two concurrent requests for
the last place, one succeeds.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.web import formats

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# The page of a quota shows how much is used from this fraction on.
NEAR = 0.8
MAKE_ROOM = _("Delete some to make room.")


class QuotaExceeded(Exception):
    """The account would hold more than its quota. The text is for people."""


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """How much of a quota is used, as a sentence, and what makes room; an empty text where nothing is used."""

    text: str
    remedy: str
    is_near: bool
    is_full: bool


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota: its setting, and the sentence for its usage, such as "You have %(used)s of %(most)s bots."."""

    setting: str
    # Its `number`, if it has forms for one and many, is the most.
    text: Any
    remedy: "_StrPromise" = MAKE_ROOM
    is_in_bytes: bool = False

    @property
    def most(self) -> int:
        most: int = getattr(settings, self.setting)
        return most

    def usage(self, used: int) -> QuotaUsage:
        numbers = {"used": self._in_words(used), "most": self._in_words(self.most)}
        text = str(self.text % (numbers | {"number": self.most}))
        remedy = str(self.remedy) if used else ""
        return QuotaUsage(text, remedy, is_near=used >= self.most * NEAR, is_full=used >= self.most)

    def check(self, used: int, more: int = 1) -> None:
        """Raise `QuotaExceeded` where there is no room for `more`. Zero always has room."""
        if more <= 0 or used + more <= self.most:
            return
        usage = self.usage(used)
        added = "" if more == 1 else str(_("This would add %(more)s.")) % {"more": self._in_words(more)}
        raise QuotaExceeded(" ".join(filter(None, [usage.text, added, usage.remedy])))

    def _in_words(self, amount: int) -> str:
        return formats.size(amount) if self.is_in_bytes else formats.number(amount)


PASSKEYS = Quota(
    "QUOTA_PASSKEYS",
    ngettext_lazy("You have %(used)s of %(most)s passkey.", "You have %(used)s of %(most)s passkeys.", "number"),
    _("Remove one that you don't use to make room."),
)
