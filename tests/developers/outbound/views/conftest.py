"""APIs of other people."""

import pytest

from accounts.models import User
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe


@pytest.fixture
def shop(bob: User) -> OutboundApi:
    """Somebody else's."""
    return OutboundApi.objects.make(bob, "Shop", Recipe("GET", "https://shop.example.com"))
