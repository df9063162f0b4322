"""Housekeeping: what has had its time is deleted, once a day, a few rows at a time.

Each part says by itself what it keeps; here they are only gone through. One that fails is logged
and does not hold up the others, which come again the next day.
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
from developers import issuance
from developers.outbound import running

logger = logging.getLogger(__name__)

# Of all workers on all nodes, the one that sets this does it. Less than a day, so that it does not wander.
TURN = "housekeeping.turn"
EVERY = timedelta(hours=23)
SECONDS_BETWEEN_CHECKS = 3600
# Whoever deletes an account reads that its rows are gone within minutes.
SECONDS_BETWEEN_DELETIONS = 30
# For so long at a time, between two rounds of mail.
SECONDS_AT_A_TIME = 0.5

# By what its rows are called: deletes them, and yields how many, batch by batch.
PARTS: dict[str, Callable[[], Iterator[int]]] = {
    "tags of imports that were killed": staging.forget_dead,
    "rows of deleted bots": bot_deletion.forget_deleted,
    "rows of deleted accounts": deletion.finish_all,
    "rows of the cache": counters.forget_ended,
    "revoked tokens": lambda: issuance.forget_revoked(timezone.now() - issuance.REVOKED_KEPT_FOR),
    "sessions": sessions.forget_expired,
    "changes of email": email_changes.forget_old,
    # With those of version 0.1.0, which made accounts at once.
    "sign-ups": lambda: chain(sign_ups.forget_old(), deletion.forget_unconfirmed()),
    "mails": queue.forget_ended,
    "logs of outbound calls": lambda: running.forget_logs(timezone.now() - running.KEPT_FOR),
    "events": lambda: security_log.forget(timezone.now() - timedelta(days=settings.EVENTS_KEPT_DAYS)),
}


class Round:
    """One round through all parts; `deleted` counts rows, `failed` names the parts that did not come to their end.

    At its end `older_hashes` counts the accounts whose password was hashed with other parameters than today's.
    """

    def __init__(self) -> None:
        self.deleted: Counter[str] = Counter()
        self.failed: list[str] = []
        self.older_hashes = 0

    def steps(self) -> Iterator[None]:
        """Do it; each step is a few rows."""
        for name, forget in PARTS.items():
            try:
                for count in forget():
                    self.deleted[name] += count
                    yield
            except Exception:  # whatever it is, the other parts can be done
                logger.exception("Housekeeping: deleting old %s failed, and is tried again tomorrow.", name)
                self.failed.append(name)
        if self.deleted.total():
            logger.info("Housekeeping: %s.", self)
        # It is the operator's to know for how long a process needs the memory that they take.
        self.older_hashes = older_hashes.count()
        if self.older_hashes:
            logger.info("Housekeeping: accounts with a password hash of an older kind: %d.", self.older_hashes)

    def __str__(self) -> str:
        return ", ".join(f"{self.deleted[name]} {name}" for name in PARTS) + " deleted"


class Housekeeper:
    """The part of a mail worker that sees to housekeeping, where no other worker has done so today.

    What is left of deleted accounts every worker removes, whenever there is some.
    """

    def __init__(self) -> None:
        self._next_check_at = self._next_deletion_at = 0.0
        self._steps: Iterator[None] = iter(())
        self._deletions: Iterator[int] = iter(())

    def go_on(self) -> bool:
        """Begin a round when it is time, or go on with it for a moment. Return whether something is left to do."""
        began = time.monotonic()
        if began >= self._next_deletion_at:
            self._deletions = deletion.finish_all()
            self._next_deletion_at = began + SECONDS_BETWEEN_DELETIONS
        if began >= self._next_check_at:
            if cache.add(TURN, True, EVERY.total_seconds()):
                self._steps = Round().steps()
            self._next_check_at = began + SECONDS_BETWEEN_CHECKS
        return any(time.monotonic() - began > SECONDS_AT_A_TIME for _ in chain(self._deletions, self._steps))
