"""What second factors are made of: sealed secrets and the picture of a key."""

import re
import secrets

import pytest
from pytest_django.fixtures import Settings

from accounts import sealing
from accounts.factors import qr_squares

OTHER_KEY = secrets.token_urlsafe(32)


def test_a_seed_is_read_under_every_key_of_the_ring_and_sealed_under_the_first(settings: Settings) -> None:
    sealed = sealing.seal("seed")
    old = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = [OTHER_KEY, *old]

    resealed = sealing.reseal(sealed)

    assert (sealing.unseal(sealed), sealing.unseal(resealed)) == ("seed", "seed")
    settings.TOKEN_KEYS = [OTHER_KEY]
    assert sealing.unseal(resealed) == "seed"
    with pytest.raises(sealing.Unreadable, match=r"^no key in TOKEN_KEYS opens it$"):
        sealing.unseal(sealed)


def test_a_qr_code_is_drawn_with_its_quiet_zone() -> None:
    drawn = qr_squares("otpauth://totp/alice")

    columns = [int(x) for x in re.findall(r"M(\d+) \d+h1v1h-1z", drawn["path"])]
    rows = [int(y) for y in re.findall(r"M\d+ (\d+)h1v1h-1z", drawn["path"])]
    assert (min(columns), min(rows), max(columns), max(rows)) == (4, 4, drawn["size"] - 5, drawn["size"] - 5)
    assert (drawn["size"] - 8 - 17) % 4 == 0
