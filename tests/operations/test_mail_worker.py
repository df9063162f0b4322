"""The mail worker sends queued mail, continues after failures, and deletes old mail."""

import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone
from post_office.mail import send
from post_office.models import STATUS, Email
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings
from redis.exceptions import ConnectionError as OutOfReach

from accounts.throttling.models import CachedValue
from botpenguin.operations.management.commands import mail_worker
from botpenguin.operations.management.commands.mail_worker import TURN
from tests import server
from tests.server import Server

pytestmark = pytest.mark.django_db

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
# A mail to send and an expired session.
LETTER_AND_SESSION = """
from django.core.mail import send_mail
from django.utils import timezone
from accounts.models import Session

send_mail("Hi", "Ho", None, ["alice@example.com"])
Session.objects.create(session_key="x", session_data="", expire_date=timezone.now())
"""
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture(autouse=True)
def deliver_to_memory(settings: Settings) -> None:
    deliver_by(settings, LOCMEM)


def deliver_by(settings: Settings, backend: str) -> None:
    settings.POST_OFFICE = settings.POST_OFFICE | {"BACKENDS": {"default": backend}}


def queue(subject: str, *, status: int = STATUS.queued, age: timedelta = timedelta(0)) -> Email:
    email: Email = send("alice@example.com", "no-reply@example.com", subject=subject, message="Hello")
    then = timezone.now() - age
    Email.objects.filter(pk=email.pk).update(status=status, created=then, last_updated=then)
    return email


def delivered() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


def test_one_round_sends_what_is_queued_and_only_once() -> None:
    email = queue("Your API access token was revoked")

    call_command("mail_worker", "--once")
    call_command("mail_worker", "--once")

    email.refresh_from_db()
    assert email.status == STATUS.sent
    assert delivered() == ["Your API access token was revoked"]


def test_an_idle_round_reads_six_times_and_writes_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(6) as captured:
        call_command("mail_worker", "--once")

    assert {query["sql"].split()[0] for query in captured.captured_queries} == {"SELECT"}


def test_while_another_worker_has_its_turn_nothing_is_sent_twice() -> None:
    queue("Hello")
    cache.set(TURN, True)

    call_command("mail_worker", "--once")

    assert delivered() == []
    assert cache.get(TURN) is True


def test_a_round_ends_its_turn() -> None:
    queue("Hello")

    call_command("mail_worker", "--once")

    assert cache.get(TURN) is None


@pytest.fixture
def renewed_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_worker, "TURN_IS_RENEWED", timedelta(milliseconds=20))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("renewed_often")
def test_a_turn_is_renewed_as_long_as_the_mail_server_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_worker, "TURN_LASTS", timedelta(hours=1))
    cache.set(TURN, True, 60)

    def is_renewed() -> bool:
        in_half_an_hour = (time.time() + 1800) * 1000
        return CachedValue.objects.filter(key__endswith=TURN, ends_at__gt=in_half_an_hour).exists()

    with mail_worker.keeping_turn():
        server.poll(is_renewed)

    assert cache.get(TURN) is None


@pytest.mark.usefixtures("renewed_often")
def test_a_turn_that_cannot_be_renewed_is_logged_and_tried_again(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"redis://127.0.0.1:{server.free_port()}/0"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}

    with pytest.raises(OutOfReach), mail_worker.keeping_turn():
        server.poll(lambda: caplog.messages)

    [line] = caplog.messages
    assert re.match("The turn of sending mail was not renewed, since the cache cannot serve: Error 111 ", line)


def test_mail_that_the_server_refuses_is_sent_later(settings: Settings) -> None:
    email = queue("Hello")
    deliver_by(settings, SMTP)
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.free_port()

    call_command("mail_worker", "--once")
    email.refresh_from_db()
    after_refusal = email.status
    Email.objects.update(scheduled_time=timezone.now())
    deliver_by(settings, LOCMEM)
    call_command("mail_worker", "--once")

    email.refresh_from_db()
    assert after_refusal == STATUS.requeued
    assert email.status == STATUS.sent
    assert delivered() == ["Hello"]


def test_mail_is_forgotten_a_day_after_its_end_and_never_before_it_was_sent() -> None:
    long_ago, lately = timedelta(days=1, minutes=1), timedelta(hours=23)
    queue("sent long ago", status=STATUS.sent, age=long_ago)
    queue("failed long ago", status=STATUS.failed, age=long_ago)
    queue("sent lately", status=STATUS.sent, age=lately)
    queue("failed lately", status=STATUS.failed, age=lately)
    queue("queued long ago", age=long_ago)

    call_command("mail_worker", "--once")

    assert sorted(Email.objects.values_list("subject", flat=True)) == [
        "failed lately",
        "queued long ago",
        "sent lately",
    ]
    assert delivered() == ["queued long ago"]


@pytest.mark.matrix
@pytest.mark.release
def test_the_worker_outlives_a_database_that_fails_sends_and_tidies_and_ends_by_a_signal(tmp_path: Path) -> None:
    """Without the table of turns no mail is sent and no housekeeping done."""
    node, log = Server(tmp_path), tmp_path / "log"
    node.prepare()
    command = [sys.executable, "manage.py", "mail_worker"]

    with ExitStack() as stack:
        with node.without("accounts_cachedvalue"):
            output = stack.enter_context(log.open("w"))
            worker = subprocess.Popen(command, cwd=node.root, env=node.environment, stdout=output, stderr=output)
            stack.callback(worker.kill)
            server.poll(lambda: "Mail waits: this round failed." in log.read_text())
            made = node.manage("shell", "-c", LETTER_AND_SESSION)
        [letter] = server.poll(lambda: node.sent_mail)
        server.poll(lambda: node.rows("SELECT count(*) FROM accounts_session") == [(0,)])
        worker.send_signal(signal.SIGTERM)
        status = worker.wait(timeout=90)

    assert (made.returncode, status) == (0, 0), made.stderr
    assert "Subject: Hi\n" in letter
