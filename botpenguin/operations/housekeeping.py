"""Housekeeping: deletes expired rows daily, in small batches.

Each part defines itself what it keeps. A part that fails is logged, the others continue, and all run
again the next day.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from accounts import deletion, email_changes, security_log, sessions, sign_ups
from accounts.mail import queue
from accounts.passwords import older_hashes
from accounts.throttling import counters
from botpenguin.platform import bot_deletion, staging
from developers import program_uses, usage
from developers.outbound import api_deletion, call_drafts, running
from developers.outbound.subscriptions import subscribing

logger = logging.getLogger(__name__)

# The cache key that one worker of all nodes sets. Less than a day, so that the time of day stays the same.
TURN = "housekeeping.turn"
EVERY = timedelta(hours=23)
SECONDS_BETWEEN_CHECKS = 3600
SECONDS_BETWEEN_DELETIONS = 30
# Between two rounds of mail.
SECONDS_AT_A_TIME = 0.5

# Each deletes the rows of its name, and yields the number of each batch.
PARTS: dict[str, Callable[[], Iterator[int]]] = {
    "tags of imports that were killed": staging.forget_dead,
    "rows of deleted bots": bot_deletion.forget_deleted,
    "rows of deleted APIs": api_deletion.forget_deleted,
    "rows of deleted accounts": deletion.finish_all,
    "rows of the cache": counters.forget_ended,
    "revoked tokens": lambda: usage.prune_revoked(timezone.now() - usage.REVOKED_KEPT_FOR),
    "uses of tokens": program_uses.prune,
    "sessions": sessions.forget_expired,
    "changes of email": email_changes.forget_old,
    # Version 0.1.0 made accounts before their email was confirmed.
    "sign-ups": lambda: chain(sign_ups.forget_old(), deletion.forget_unconfirmed()),
    "mails": queue.forget_ended,
    "logs of outbound calls": lambda: running.prune_logs(timezone.now() - running.KEPT_FOR),
    "drafts of outbound calls": call_drafts.forget_expired,
    "deliveries of webhooks": subscribing.forget_old,
    "events": lambda: security_log.forget(timezone.now() - timedelta(days=settings.EVENTS_KEPT_DAYS)),
}
# What pages promise to be gone within minutes.
SOON: tuple[Callable[[], Iterator[int]], ...] = (
    deletion.finish_all,
    api_deletion.forget_deleted,
    call_drafts.forget_expired,
)


class Round:
    """One run of all parts. `deleted` counts rows by part; `failed` names parts that raised.

    At the end `older_hashes` counts the accounts whose password was hashed with other parameters than today's.
    """

    def __init__(self) -> None:
        self.deleted: Counter[str] = Counter()
        self.failed: list[str] = []
        self.older_hashes = 0

    def steps(self) -> Iterator[None]:
        """Run the parts; each step is one batch."""
        for name, forget in PARTS.items():
            try:
                for count in forget():
                    self.deleted[name] += count
                    yield
            except Exception:  # the other parts do not depend on it
                logger.exception("Housekeeping: deleting old %s failed, and is tried again tomorrow.", name)
                self.failed.append(name)
        if self.deleted.total():
            logger.info("Housekeeping: %s.", self)
        # Old hashes may take more memory, so operators should know how many there are.
        self.older_hashes = older_hashes.count()
        if self.older_hashes:
            logger.info("Housekeeping: accounts with a password hash of an older kind: %d.", self.older_hashes)

    def __str__(self) -> str:
        return ", ".join(f"{self.deleted[name]} {name}" for name in PARTS) + " deleted"


class Housekeeper:
    """Runs the housekeeping in a mail worker, unless another worker has run it today.

    Every worker deletes the rows of deleted accounts and APIs, and drafts that have expired, whenever there are some.
    """

    def __init__(self) -> None:
        self._next_check_at = self._next_deletion_at = 0.0
        self._steps: Iterator[None] = iter(())
        self._deletions: Iterator[int] = iter(())

    def go_on(self) -> bool:
        """Begin a round when it is due, or continue it for `SECONDS_AT_A_TIME`. Return whether steps are left."""
        began = time.monotonic()
        if began >= self._next_deletion_at:
            self._deletions = chain.from_iterable(forget() for forget in SOON)
            self._next_deletion_at = began + SECONDS_BETWEEN_DELETIONS
        if began >= self._next_check_at:
            if cache.add(TURN, True, EVERY.total_seconds()):
                self._steps = Round().steps()
            self._next_check_at = began + SECONDS_BETWEEN_CHECKS
        return any(time.monotonic() - began > SECONDS_AT_A_TIME for _ in chain(self._deletions, self._steps))
