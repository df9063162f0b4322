import pytest

from accounts.models import User
from tests.platform.calls import Caller, caller


@pytest.fixture
def as_alice(alice: User) -> Caller:
    return caller(alice)


@pytest.fixture
def as_bob(bob: User) -> Caller:
    return caller(bob)
