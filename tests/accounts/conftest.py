import time

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture
def queued_mail(settings: Settings) -> None:
    """Queues mail as the project does; Django's test runner would keep it in memory."""
    settings.EMAIL_BACKEND = "post_office.EmailBackend"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds by which the clock of the test is ahead."""
    ahead, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + ahead[0])
    return ahead
