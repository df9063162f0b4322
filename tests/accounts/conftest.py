import time

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from pytest_django.fixtures import Settings

from accounts.models import User


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


@pytest.fixture
def start_of_a_period(clock: list[float]) -> None:
    """An app's period of 30 seconds has just begun, so that the code of the one before is accepted for a while."""
    clock[0] = 30 - time.time() % 30


@pytest.fixture
def secret(alice: User) -> str:
    """The secret of Alice's app. She has recovery codes too."""
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    return secret


@pytest.fixture
def recovery_codes(alice: User, secret: str) -> list[str]:
    codes = Authenticator.objects.get(user=alice, type=Authenticator.Type.RECOVERY_CODES)
    return codes.wrap().get_unused_codes()  # type: ignore[no-any-return]
