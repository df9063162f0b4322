import time

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture
def queued_mail(settings: Settings) -> None:
    """Django's test runner keeps mail in memory; we want the project's own way."""
    settings.EMAIL_BACKEND = "post_office.EmailBackend"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How many seconds later it is than it is."""
    ahead, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + ahead[0])
    return ahead
