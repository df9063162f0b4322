"""Encrypted secrets of second factors, and the QR code of a key."""

import re
import secrets

import pyotp
import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import TOTP
from pytest_django.fixtures import Settings

from accounts.keyring import Unreadable
from accounts.mfa import encryption
from accounts.mfa.factors import qr_squares, use_code
from accounts.models import User
from accounts.throttling.models import CachedValue, now

pytestmark = pytest.mark.matrix

OTHER_KEY = secrets.token_urlsafe(32)


def test_a_seed_is_read_under_every_key_of_the_ring_and_sealed_under_the_first(settings: Settings) -> None:
    sealed = encryption.encrypt("seed")
    old = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = [OTHER_KEY, *old]

    resealed = encryption.reencrypt(sealed)

    assert (encryption.decrypt(sealed), encryption.decrypt(resealed)) == ("seed", "seed")
    settings.TOKEN_KEYS = [OTHER_KEY]
    assert encryption.decrypt(resealed) == "seed"
    with pytest.raises(Unreadable, match=r"^no key in TOKEN_KEYS opens it$"):
        encryption.decrypt(sealed)


def test_a_qr_code_is_drawn_with_its_quiet_zone() -> None:
    drawn = qr_squares("otpauth://totp/alice")

    columns = [int(x) for x in re.findall(r"M(\d+) \d+h1v1h-1z", drawn["path"])]
    rows = [int(y) for y in re.findall(r"M\d+ (\d+)h1v1h-1z", drawn["path"])]
    assert (min(columns), min(rows), max(columns), max(rows)) == (4, 4, drawn["size"] - 5, drawn["size"] - 5)
    assert (drawn["size"] - 8 - 17) % 4 == 0


def test_another_app_can_set_itself_up_from_the_picture(alice: User) -> None:
    key = pyotp.random_base32()

    app = pyotp.parse_uri(get_adapter().build_totp_url(alice, key))

    assert isinstance(app, pyotp.TOTP)
    assert (app.issuer, app.name, app.secret) == ("BotPenguin", "alice@example.com", key)
    assert TOTP.activate(alice, key).validate_code(app.now())


def test_a_used_code_is_kept_while_it_would_be_accepted_and_not_as_it_is(alice: User) -> None:
    # Accepted in its own period of 30 seconds, and in the one before and after.
    accepted_until = now() + 3 * 30_000

    are_first = [use_code(alice, "123456") for _ in range(2)]

    [(key, ends_at)] = CachedValue.objects.values_list("key", "ends_at")
    assert (are_first, "123456" in key, ends_at >= accepted_until) == ([True, False], False, True)
