"""Delivery to a real mail server: refusals, and a worker killed after a delivery."""

import os
import re
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone
from post_office.models import STATUS, Email
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.security_log import Kind
from botpenguin.operations.management.commands.mail_worker import TURN, wait_after
from developers import issuance
from tests import processes, server
from tests.cast import LAPTOP, token_events
from tests.mail_server import MailServer
from tests.test_races import database_url


def message_ids(letters: list[str]) -> list[str]:
    return [re.findall(r"^Message-ID: (\S+)", letter, re.MULTILINE | re.IGNORECASE)[0] for letter in letters]


def deliver_by_smtp(settings: Settings) -> None:
    settings.POST_OFFICE = settings.POST_OFFICE | {
        "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"}
    }


@pytest.mark.django_db
def test_what_a_server_refuses_at_first_is_tried_again_ever_later(alice: User, settings: Settings) -> None:
    deliver_by_smtp(settings)
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    waits = []
    with MailServer(refuse=3) as mail_server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_server.port
        for _try in range(4):
            call_command("mail_worker", "--once")
            email = Email.objects.get()
            waits.append(email.scheduled_time and round((email.scheduled_time - timezone.now()) / timedelta(minutes=1)))
            Email.objects.filter(status=STATUS.requeued).update(scheduled_time=timezone.now())

    event = token_events().get(kind=Kind.TOKEN_REVOKED)
    assert waits[:3] == [1, 2, 4]
    assert Email.objects.get().status == STATUS.sent
    assert message_ids(mail_server.letters) == [f"<security-event.{event.pk}@app.example.com>"]


def test_waits_double_up_to_six_hours() -> None:
    assert [wait_after(failures) for failures in (1, 2, 9, 10, 23)] == [
        timedelta(minutes=1),
        timedelta(minutes=2),
        timedelta(minutes=256),
        timedelta(hours=6),
        timedelta(hours=6),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_before_it_noted_a_delivery_delivers_the_same_message_again(
    alice: User, settings: Settings
) -> None:
    deliver_by_smtp(settings)
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    workers: list[subprocess.Popen[bytes]] = []

    def kill_the_first() -> None:
        for worker in workers:
            processes.kill(worker.pid)

    with MailServer(on_taken=kill_the_first) as mail_server:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "botpenguin.settings",
            "DATABASE_URL": database_url(),
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
        }
        environment.pop(server.COVERAGE, None)
        command = [sys.executable, "manage.py", "mail_worker", "--once"]
        workers.append(subprocess.Popen(command, cwd=server.ROOT, env=environment))
        status = workers[0].wait(timeout=60)
        # The turn of the killed worker would expire in ten seconds.
        cache.delete(TURN)
        workers.clear()
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_server.port
        call_command("mail_worker", "--once")

    event = token_events().get(kind=Kind.TOKEN_REVOKED)
    assert status == -signal.SIGKILL
    assert message_ids(mail_server.letters) == [f"<security-event.{event.pk}@app.example.com>"] * 2
    assert Email.objects.get().status == STATUS.sent
