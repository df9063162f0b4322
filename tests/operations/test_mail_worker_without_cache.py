"""The mail worker outlives a cache that refuses: mail waits, and the log has one line, however many rounds fail."""

import signal
import threading
from collections.abc import Iterator

import pytest
from django.core import mail
from django.core.management import call_command
from post_office.mail import send
from pytest_django.fixtures import Settings

from botpenguin.operations.management.commands import mail_worker
from tests.accounts.throttling.test_sick_redis import ANSWERS, answering
from tests.redis import in_redis
from tests.server import free_port

pytestmark = [pytest.mark.matrix, pytest.mark.django_db(transaction=True)]

SICK = ["LOADING", "MISCONF", "MOVED", "NOAUTH", "protected mode", "too many clients", "no Redis", "nothing"]
WAITS = "Mail waits, since the cache cannot serve: "


@pytest.fixture(autouse=True)
def blocked_sigterm() -> Iterator[None]:
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, mail_worker.STOP_SIGNALS)
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, usual)


def run_one_round() -> None:
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    call_command("mail_worker")


def queue_mail(settings: Settings) -> None:
    settings.POST_OFFICE = settings.POST_OFFICE | {
        "BACKENDS": {"default": "django.core.mail.backends.locmem.EmailBackend"}
    }
    send("alice@example.com", "no-reply@example.com", subject="Hello", message="Hello")


@pytest.mark.parametrize("name", SICK)
def test_mail_waits_for_a_redis_that_refuses_and_is_sent_then(
    settings: Settings, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    queue_mail(settings)
    usual = settings.CACHES

    with answering(ANSWERS[name]) as url:
        settings.CACHES = in_redis(url)
        for _round in range(3):
            run_one_round()
    lines = [(record.getMessage()[: len(WAITS)], record.exc_info) for record in caplog.records]
    sent_before = len(mail.outbox)
    settings.CACHES = usual
    run_one_round()

    assert lines == [(WAITS, None)]
    assert (sent_before, len(mail.outbox)) == (0, 1)


def test_a_cache_out_of_reach_is_logged_once_where_no_mail_waits(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHES = in_redis(f"redis://127.0.0.1:{free_port()}/0")

    for _round in range(3):
        run_one_round()

    [record] = caplog.records
    assert (record.getMessage()[: len(WAITS)], record.exc_info) == (WAITS, None)
