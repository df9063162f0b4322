"""The page that Prometheus reads: counters of all processes of this node, and the mail queue of the database.

The supervising process serves it from threads, on a port of its own. So it also shows a worker
that has died, and answers while all workers are busy.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock, Thread

from django.conf import settings
from django.db import Error, connection
from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from post_office.models import STATUS, Email
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from botpenguin.observability import prometheus_server

logger = logging.getLogger(__name__)

# Prometheus gives up after ten seconds, and then has no metrics at all.
SECONDS_FOR_THE_DATABASE = 2.0


def folder() -> Path:
    """Return the folder of the counters. Nodes that share a state folder differ by their ports."""
    return Path(settings.STATE_DIR) / f"metrics-{settings.PORT}"


def clear() -> None:
    """Delete the counters of an earlier start. Prometheus handles counters that restart from 0."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder())
    folder().mkdir(mode=0o700)


def serve() -> None:
    """Serve at `METRICS_HOST` and `METRICS_PORT` in the background.

    Raises `OSError` if it cannot listen there.
    """
    registry = CollectorRegistry(support_collectors_without_names=True)
    MultiProcessCollector(registry, path=str(folder()))
    registry.register(FromDatabase())
    prometheus_server.serve(settings.METRICS_HOST, settings.METRICS_PORT, make_wsgi_app(registry))


class MailQueue:
    """The mail queue now: how many mails wait, how late the most overdue is, how many were given up."""

    def __init__(self) -> None:
        now = timezone.now()
        waiting = Q(status__in=[STATUS.queued, STATUS.requeued])
        due = waiting & (Q(scheduled_time__isnull=True) | Q(scheduled_time__lte=now))
        unsent = Email.objects.filter(status__in=[STATUS.queued, STATUS.requeued, STATUS.failed])
        counts = unsent.aggregate(
            waiting=Count("pk", filter=waiting),
            failed=Count("pk", filter=Q(status=STATUS.failed)),
            due_since=Min(Coalesce("scheduled_time", "created"), filter=due),
        )
        since: datetime = counts["due_since"] or now
        self.waiting, self.failed = counts["waiting"], counts["failed"]
        self.seconds_late = (now - since).total_seconds()


class FromDatabase(Collector):
    """Metrics from the database. Each scrape reads them in a thread, so that it need not wait for one that hangs."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reader: Thread | None = None
        self._mail: MailQueue | None = None

    def collect(self) -> Iterator[Metric]:
        mail = self._read()
        yield GaugeMetricFamily(
            "botpenguin_database_up", "Whether the database answered this scrape.", float(mail is not None)
        )
        if mail:
            yield GaugeMetricFamily("botpenguin_mail_queued", "Mails that wait to be sent.", mail.waiting)
            yield GaugeMetricFamily("botpenguin_mail_failed", "Mails given up within the last day.", mail.failed)
            yield GaugeMetricFamily(
                "botpenguin_mail_late_seconds", "How long the mail that waits longest has been due.", mail.seconds_late
            )

    def _read(self) -> MailQueue | None:
        """Return the mail queue, or None if the database does not answer in time."""
        with self._lock:
            if self._reader is None or not self._reader.is_alive():
                self._mail = None
                self._reader = Thread(target=self._ask, name="metrics from the database", daemon=True)
                self._reader.start()
            self._reader.join(SECONDS_FOR_THE_DATABASE)
            return None if self._reader.is_alive() else self._mail

    def _ask(self) -> None:
        try:
            self._mail = MailQueue()
        except Error as error:
            logger.warning("The database did not answer a scrape: %s", error)
        finally:
            connection.close()
            # Between scrapes this process holds no connection.
            getattr(connection, "close_pool", bool)()
