import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP

from accounts.models import User
from tests.accounts.views.second_step import stored


@pytest.fixture
def secret(alice: User) -> str:
    """The secret of Alice's app. She has recovery codes too."""
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    return secret


@pytest.fixture
def recovery_codes(alice: User, secret: str) -> list[str]:
    return stored(alice, Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()  # type: ignore[no-any-return]
