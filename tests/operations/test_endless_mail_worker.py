"""The mail worker that runs until a signal: it waits for migrations, continues after failures, and ends."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from pytest_django.fixtures import Settings

from botpenguin.operations.management.commands import mail_worker
from tests import server
from tests.operations.test_mail_worker import LETTER_AND_SESSION, LOCMEM, deliver_by, delivered, queue
from tests.server import FirstServer

WAITS = "Mail waits for migrations"
FAILED = "Mail waits, since the database cannot serve: gone"
SETTINGS = {"LOG_FORMAT": "text", "MAIL_WORKER": "off", "WORKERS": "1"}


@pytest.fixture(autouse=True)
def deliver_to_memory(settings: Settings) -> None:
    deliver_by(settings, LOCMEM)


@pytest.fixture
def blocked_signals() -> Iterator[None]:
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, mail_worker.STOP_SIGNALS)
    yield
    assert signal.sigpending() == set()
    signal.pthread_sigmask(signal.SIG_SETMASK, usual)


def send_sigterm() -> None:
    """Send it to this thread, which blocks it."""
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)


@pytest.fixture
def pending_sigterm(blocked_signals: None) -> None:
    send_sigterm()


@pytest.fixture
def no_table_of_migrations(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_migrations RENAME TO away")
        yield
        cursor.execute("ALTER TABLE away RENAME TO django_migrations")


def forget(app: str) -> Any:
    """Remove the last migration of an app from those that the database has, and return it."""
    migrations = MigrationRecorder.Migration.objects.filter(app=app)
    last = migrations.latest("name")
    migrations.filter(pk=last.pk).delete()
    return last


@pytest.mark.django_db
@pytest.mark.parametrize("app", ["accounts", "developers", "outbound", "platform", "post_office", "account"])
def test_for_cron_mail_waits_for_a_migration_that_is_missing(app: str, caplog: pytest.LogCaptureFixture) -> None:
    queue("Hello")
    row = forget(app)

    call_command("mail_worker", "--once")
    waiting = delivered()
    row.save(force_insert=True)
    call_command("mail_worker", "--once")

    assert (waiting, delivered()) == ([], ["Hello"])
    assert caplog.messages == [f"{WAITS}, which a web server applies when it starts: {app}.{row.name}."]


@pytest.mark.usefixtures("no_table_of_migrations", "pending_sigterm")
def test_a_signal_ends_the_wait_for_a_database_without_tables(caplog: pytest.LogCaptureFixture) -> None:
    call_command("mail_worker")

    [record] = caplog.records
    assert (record.levelname, record.message.partition(",")[0]) == ("WARNING", WAITS)
    assert "accounts." in record.message


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("blocked_signals")
def test_what_the_worker_waits_for_is_logged_once_and_then_it_begins(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mail_worker, "PAUSE", timedelta(milliseconds=1))
    queue("Hello")
    missing, before = [forget("platform")], []

    def migrate_at_the_third_look(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith("SELECT") and "django_migrations" in sql and missing:
            before.append(delivered())
            if len(before) == 3:
                missing.pop().save(force_insert=True)
        elif "post_office_email" in sql and not signal.sigpending():
            send_sigterm()
        return execute(sql, *arguments)

    with connection.execute_wrapper(migrate_at_the_third_look):
        call_command("mail_worker")

    assert before == [[]] * 3
    assert delivered() == ["Hello"]
    assert [message.partition(",")[0] for message in caplog.messages] == [WAITS]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("pending_sigterm")
def test_a_signal_ends_the_worker_after_its_round() -> None:
    queue("Hello")

    call_command("mail_worker")

    assert delivered() == ["Hello"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("pending_sigterm")
@pytest.mark.parametrize("table", ["", "post_office_email"])
def test_a_failed_round_is_logged(caplog: pytest.LogCaptureFixture, table: str) -> None:
    def fail(execute: Any, sql: str, *arguments: Any) -> Any:
        if table in sql:
            raise OperationalError("gone")
        return execute(sql, *arguments)

    with connection.execute_wrapper(fail):
        call_command("mail_worker")

    assert caplog.messages == [FAILED]


@pytest.mark.release
@pytest.mark.server
@pytest.mark.parametrize("number", sorted(mail_worker.STOP_SIGNALS))
def test_a_worker_on_an_empty_database_waits_quietly_and_sends_when_there_are_tables(
    tmp_path: Path, number: signal.Signals
) -> None:
    node, log = FirstServer(tmp_path, **SETTINGS), tmp_path / "log"
    node.prepare()
    command = [sys.executable, "manage.py", "mail_worker"]

    with ExitStack() as stack:
        output = stack.enter_context(log.open("w"))

        def start() -> "subprocess.Popen[bytes]":
            worker = subprocess.Popen(command, cwd=node.root, env=node.environment, stdout=output, stderr=output)
            stack.callback(worker.kill)
            return worker

        first = start()
        server.poll(lambda: WAITS in log.read_text())
        first.send_signal(number)
        status = first.wait(timeout=90)
        worker = start()
        server.poll(lambda: log.read_text().count(WAITS) == 2)
        migrated = node.manage("migrate", "-v0")
        made = node.manage("shell", "-v0", "-c", LETTER_AND_SESSION)
        [letter] = server.poll(lambda: node.sent_mail)
        worker.send_signal(number)
        statuses = [status, worker.wait(timeout=90)]

    assert (migrated.returncode, made.returncode) == (0, 0), migrated.stderr + made.stderr
    assert statuses == [0, 0]
    assert "Subject: Hi\n" in letter
    assert log.read_text().count(WAITS) == 2
    assert [line for line in log.read_text().splitlines() if "ERROR" in line or "Traceback" in line] == []
