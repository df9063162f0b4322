"""Housekeeping: what has had its time is deleted, once a day, a few rows at a time.

Each part says by itself what it keeps; here they are only gone through. One that fails is logged
and does not hold up the others, which come again the next day.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from django.utils import timezone

from accounts import email_changes, outbox, security_log, sessions, sign_ups
from accounts.batches import BATCH
from developers import issuance
from developers.outbound import running

logger = logging.getLogger(__name__)

# Of all workers on all nodes, the one that sets this does it. Less than a day, so that it does not wander.
TURN = "housekeeping.turn"
EVERY = timedelta(hours=23)
SECONDS_BETWEEN_LOOKS = 3600
# For so long at a time, between two rounds of mail.
SECONDS_AT_A_TIME = 0.5


def forget_cached() -> Iterator[int]:
    """Delete what has expired in the database's cache, which Django does only once it is full."""
    store = caches[DEFAULT_CACHE_ALIAS]
    if not isinstance(store, DatabaseCache):
        return
    table = connection.ops.quote_name(store.cache_model_class._meta.db_table)
    now = connection.ops.adapt_datetimefield_value(timezone.now().replace(microsecond=0, tzinfo=None))
    few = f"SELECT cache_key FROM {table} WHERE expires < %s LIMIT {BATCH}"  # noqa: S608 - a table and a number of ours
    # Asked again in the DELETE, for a counter may have begun anew meanwhile.
    delete = f"DELETE FROM {table} WHERE expires < %s AND cache_key IN ({few})"  # noqa: S608
    deleted = BATCH
    while deleted == BATCH:
        with connection.cursor() as cursor:
            cursor.execute(delete, [now, now])
            deleted = cursor.rowcount
        yield deleted


PARTS: dict[str, Callable[[], Iterator[int]]] = {
    "rows of the cache": forget_cached,
    "revoked tokens": lambda: issuance.forget_revoked(timezone.now() - issuance.REVOKED_KEPT_FOR),
    "sessions": sessions.forget_expired,
    "changes of e-mail": email_changes.forget_old,
    "sign-ups": sign_ups.forget_old,
    "mails": outbox.forget_ended,
    "logs of outbound calls": lambda: running.forget_logs(timezone.now() - running.KEPT_FOR),
    "events of accounts": lambda: security_log.forget(timezone.now() - timedelta(days=settings.EVENTS_KEPT_DAYS)),
    "events of tokens": lambda: issuance.forget_events(timezone.now() - timedelta(days=settings.EVENTS_KEPT_DAYS)),
}


class Round:
    """One round through all parts; `deleted` counts rows, `failed` names the parts that did not come to their end."""

    def __init__(self) -> None:
        self.deleted: Counter[str] = Counter()
        self.failed: list[str] = []

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

    def __str__(self) -> str:
        return ", ".join(f"{self.deleted[name]} {name}" for name in PARTS) + " deleted"


class Housekeeper:
    """The part of a mail worker that sees to housekeeping, where no other worker has done so today."""

    def __init__(self) -> None:
        self._looks_again_at = 0.0
        self._steps: Iterator[None] = iter(())

    def go_on(self) -> None:
        """Begin a round when it is time, or go on with it for a moment."""
        began = time.monotonic()
        if began >= self._looks_again_at:
            if cache.add(TURN, True, EVERY.total_seconds()):
                self._steps = Round().steps()
            self._looks_again_at = began + SECONDS_BETWEEN_LOOKS
        for _ in self._steps:
            if time.monotonic() - began > SECONDS_AT_A_TIME:
                break
