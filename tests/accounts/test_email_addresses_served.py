"""One sign-up has one recipient, on a real server with its mail worker."""

from pathlib import Path

import pytest

from tests.accounts.test_email_addresses import INVALID, REASONS, REFUSED, TWO_IN_ONE
from tests.cast import PASSWORD
from tests.mail_server import MailServer
from tests.server import Server, poll
from tests.visitor import Visitor

pytestmark = [pytest.mark.server, pytest.mark.release]

# Letters that version 0.1.0 has left in the queue.
LEFT_OVER = """
from accounts.mail.queue import Mail, put
from post_office.models import STATUS, Email

put(Mail("Left over", "Ho", ""), "x@evil.example", "left-over")
Email.objects.filter(subject="Left over").update(to='{to}', status=STATUS.queued, scheduled_time=None)
"""


def test_a_sign_up_is_one_recipient_and_what_was_left_over_is_ended(tmp_path: Path) -> None:
    with MailServer() as mail_server:
        served = Server(tmp_path, WORKERS="1", EMAIL_URL=f"smtp://127.0.0.1:{mail_server.port}")
        with served, served.client() as client:
            left = served.manage("shell", "-c", LEFT_OVER.format(to=TWO_IN_ONE))
            visitor = Visitor(client)
            answers = [
                visitor.post("/account/signup/", {"email": text, "password1": PASSWORD})
                for text in [*REFUSED, "New@Example.net"]
            ]
            poll(lambda: mail_server.letters)
            poll(lambda: served.rows("SELECT count(*) FROM post_office_email WHERE status NOT IN (0, 1)") == [(0,)])

        kept = served.rows("SELECT status, subject FROM post_office_email ORDER BY id")

    assert left.returncode == 0, left.stderr
    assert [answer.status_code for answer in answers] == [200] * len(REFUSED) + [302]
    refusals = zip(REFUSED, answers, strict=False)
    assert all(REASONS.get(text, INVALID) in answer.text for text, answer in refusals)
    assert mail_server.recipients == ["<new@example.net>"]
    assert kept == [(1, "Left over"), (0, "Confirm your email for BotPenguin")]
    assert "Traceback" not in served.output
