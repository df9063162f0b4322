import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

from django.core.cache import cache
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from post_office import mail
from post_office.models import STATUS, Email

from accounts.mail import queue
from accounts.orm.confirmations import confirm_all
from botpenguin.database import outages
from botpenguin.operations.housekeeping import Housekeeper
from developers.outbound.subscriptions.couriers import couriers, deliver_for

logger = logging.getLogger(__name__)

PAUSE, SHORT_PAUSE = timedelta(seconds=2), timedelta(milliseconds=50)
# One worker of all nodes has the turn. It renews the turn while it lives.
TURN = "mail_worker.turn"
TURN_LASTS, TURN_IS_RENEWED = timedelta(seconds=10), timedelta(seconds=2)
# The wait doubles with each failure. With MAX_RETRIES of POST_OFFICE all take nearly four days, as RFC 5321,
# section 4.5.4.1, recommends.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
# Cron starts the next one after a minute.
SECONDS_OF_WEBHOOKS = 40
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


class Command(BaseCommand):
    help = (
        "Send queued mail and webhooks as they come, until SIGTERM or SIGINT. Forget mail a day after it was sent: it "
        "holds links. Once a day do the housekeeping, as `housekeeping` does by hand. Wait for migrations that the "
        "database lacks."
    )
    # The web server runs them. Here they would load all views.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is due, then end: for cron")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            if is_migrated():
                work()
                deliver_for(SECONDS_OF_WEBHOOKS, read_contact)
            return
        # Blocked, a signal waits until the round is over, and ends the pause at once.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        if self._wait_for_migrations():
            with couriers(read_contact):
                self._send_mail()

    def _wait_for_migrations(self) -> bool:
        """Return True when the database has all migrations, or False when a signal came before."""
        is_logged = False
        while True:
            close_old_connections()
            try:
                if is_migrated(is_logged=is_logged):
                    return True
                is_logged = True
            except Exception as error:  # noqa: BLE001 - the database does not answer
                outages.log_failed_round("Mail waits", error)
            if stops_within(PAUSE):
                return False

    def _send_mail(self) -> None:
        housekeeper, stopped = Housekeeper(), False
        while not stopped:
            close_old_connections()
            pause = PAUSE
            try:
                work()
                pause = SHORT_PAUSE if housekeeper.go_on() else PAUSE
            except Exception as error:  # noqa: BLE001 - the next round tries again
                outages.log_failed_round("Mail waits", error)
            stopped = stops_within(pause)


def stops_within(pause: timedelta) -> bool:
    """Pause, and return whether a signal to stop has ended the pause."""
    return signal.sigtimedwait(STOP_SIGNALS, pause.total_seconds()) is not None


def is_migrated(*, is_logged: bool = False) -> bool:
    """Return whether the database has all migrations of this version. Log the last ones that it lacks."""
    loader = MigrationLoader(connection)
    missing = [".".join(leaf) for leaf in sorted(loader.graph.leaf_nodes()) if leaf not in loader.applied_migrations]
    if missing and not is_logged:
        logger.warning("Mail waits for migrations, which a web server applies when it starts: %s.", ", ".join(missing))
    return not missing


def read_contact(owner: int, bot_id: str, contact_id: str) -> str | None:
    # Imported here: it loads the API, and most workers have no webhook to send.
    from botpenguin.platform.api.webhooks import body_of  # noqa: PLC0415

    return body_of(owner, bot_id, contact_id)


def work() -> None:
    """Send due mail, reschedule failed mail, and delete old mail."""
    is_idle = not mail.get_queued().exists() and not queue.finished().exists()
    if is_idle:
        return
    # A mail says that something was done.
    confirm_all()
    if not cache.add(TURN, True, TURN_LASTS.total_seconds()):
        return
    with keeping_turn():
        queue.give_up_unsendable(mail.get_queued())
        due = [email.pk for email in mail.get_queued()]
        mail.send_queued()
        put_off(due)
        # A batch a round: the next round has the next.
        next(queue.forget_ended(), 0)


@contextmanager
def keeping_turn() -> Iterator[None]:
    """Renew the turn until the block ends, because a mail server may be slow."""
    is_over = Event()

    def renew() -> None:
        while not is_over.wait(TURN_IS_RENEWED.total_seconds()):
            try:
                cache.touch(TURN, TURN_LASTS.total_seconds())
            except Exception as error:  # noqa: BLE001 - the next renewal may be in time
                outages.log_failed_round("The turn of sending mail was not renewed", error)
        connections.close_all()

    keeper = Thread(target=renew)
    keeper.start()
    try:
        yield
    finally:
        is_over.set()
        keeper.join()
        cache.delete(TURN)


def put_off(tried: list[int]) -> None:
    """Reschedule failed mail with growing waits. post_office itself would always wait the same time."""
    now = timezone.now()
    failed = Email.objects.filter(pk__in=tried, status=STATUS.requeued)
    for failures in set(failed.values_list("number_of_retries", flat=True)):
        alike = failed.filter(number_of_retries=failures)
        alike.update(scheduled_time=now + wait_after(failures or 1))


def wait_after(failures: int) -> timedelta:
    return min(FIRST_WAIT * (1 << failures - 1), LONGEST_WAIT)
