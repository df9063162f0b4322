"""Which keys a passkey may have, how long its id may be, and what is stored of it."""

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from fido2.cose import CoseKey

from accounts.models import PasskeyCredential, UsedChallenge, User
from tests.accounts.mfa.ceremonies import logs_in
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import ADD, REFUSED, add_passkey, options_on
from tests.cast import logged_in

pytestmark = pytest.mark.matrix


def ecdsa(curve: ec.EllipticCurve, digest: Any) -> tuple[Any, Callable[[Any, bytes], bytes]]:
    return ec.generate_private_key(curve), lambda key, message: key.sign(message, ec.ECDSA(digest))


def plain(key: Any) -> tuple[Any, Callable[[Any, bytes], bytes]]:
    return key, lambda key, message: key.sign(message)


def rsa_key(pad: Any) -> tuple[Any, Callable[[Any, bytes], bytes]]:
    return rsa.generate_private_key(65537, 2048), lambda key, message: key.sign(message, pad, SHA256())


MAKERS: dict[int, Callable[[], tuple[Any, Callable[[Any, bytes], bytes]]]] = {
    -7: lambda: ecdsa(ec.SECP256R1(), SHA256()),
    -8: lambda: plain(ed25519.Ed25519PrivateKey.generate()),
    -35: lambda: ecdsa(ec.SECP384R1(), SHA384()),
    -36: lambda: ecdsa(ec.SECP521R1(), SHA512()),
    -37: lambda: rsa_key(padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH)),
    -257: lambda: rsa_key(padding.PKCS1v15()),
    -47: lambda: ecdsa(ec.SECP256K1(), SHA256()),
    -48: lambda: plain(mldsa.MLDSA44PrivateKey.generate()),
    -49: lambda: plain(mldsa.MLDSA65PrivateKey.generate()),
    -50: lambda: plain(mldsa.MLDSA87PrivateKey.generate()),
}


class OtherKey(SecurityKey):
    """A security key of any algorithm that fido2 knows."""

    def __init__(self, algorithm: int, key: Any, sign: Callable[[Any, bytes], bytes]) -> None:
        kind: Any = CoseKey.for_alg(algorithm)
        super().__init__(key=key, public_key=kind.from_cryptography_key(key.public_key()))
        self.sign = lambda message: sign(key, message)  # type: ignore[method-assign]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "chosen",
    # Each kind of key: Edwards curve, another curve, RSA, ML-DSA.
    [{-8, -35, -257, -48}, pytest.param({*MAKERS}, marks=pytest.mark.release)],
    ids=["each kind", "all"],
)
def test_every_algorithm_that_is_offered_is_accepted(alice: User, chosen: set[int]) -> None:
    offered = [parameters["alg"] for parameters in options_on(logged_in(alice).get(ADD))["pubKeyCredParams"]]

    for algorithm in chosen.intersection(offered):
        key = OtherKey(algorithm, *MAKERS[algorithm]())
        assert add_passkey(alice, key).status_code == 302
        cache.clear()
        assert logs_in(alice, key)

    assert len(MAKERS.keys() & offered) == len(offered) >= 7
    assert PasskeyCredential.objects.count() == len(chosen.intersection(offered)) >= 3


P256 = dict(OtherKey(-7, *MAKERS[-7]()).public_key)
OKP = dict(OtherKey(-8, *MAKERS[-8]()).public_key)
RSA = dict(OtherKey(-257, *MAKERS[-257]()).public_key)
UNUSABLE: dict[str, dict[Any, Any]] = {
    # Known to the library, and not offered.
    "RS1": RSA | {3: -65535},
    "ESP256": P256 | {3: -9},
    "Ed25519 by another number": OKP | {3: -19},
    "Ed448": dict(OtherKey(-53, *plain(ed448.Ed448PrivateKey.generate())).public_key),
    "ARKG": {1: -65537, 3: -65700, -1: P256, -2: P256},
    # Unknown.
    "-999": P256 | {3: -999},
    "a positive number": P256 | {3: 7},
    "text": P256 | {3: "ES256"},
    "a list": P256 | {3: [-7]},
    "true": P256 | {3: True},
    # Offered, but unusable.
    "another curve": P256 | {-1: 2},
    "no point of the curve": P256 | {-3: bytes(32)},
    "no y": {number: value for number, value in P256.items() if number != -3},
    "a short key": OKP | {-2: b"short"},
    "numbers for bytes": P256 | {-2: 5},
    "an even modulus of 8 bits": RSA | {-1: b"\x80"},
    "an exponent of 1": RSA | {-2: b"\x01"},
    "an exponent of 0": RSA | {-2: b""},
}


# Not offered, unknown, of another type, not valid on the curve, and too weak.
SAMPLE = {"RS1", "-999", "text", "no point of the curve", "numbers for bytes", "an even modulus of 8 bits"}


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "public_key",
    [pytest.param(key, id=name, marks=[] if name in SAMPLE else pytest.mark.release) for name, key in UNUSABLE.items()],
)
def test_a_key_that_was_not_offered_or_can_verify_nothing_is_not_added(alice: User, public_key: dict[Any, Any]) -> None:
    response = add_passkey(alice, SecurityKey(public_key=public_key))

    assert response.status_code == 200
    assert REFUSED in response.content.decode()
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("id_", [b"", bytes(1024), bytes(9000)])
def test_an_id_of_no_byte_or_of_more_than_1023_is_not_added(alice: User, id_: bytes) -> None:
    response = add_passkey(alice, SecurityKey(id=id_))

    assert response.status_code == 200
    assert not Authenticator.objects.exists()


def test_an_id_of_1023_bytes_is_added(alice: User) -> None:
    key = SecurityKey(id=secrets.token_bytes(1023))

    assert add_passkey(alice, key).status_code == 302
    assert logs_in(alice, key)


def test_rows_of_passkeys_show_no_secret_by_their_names(alice: User) -> None:
    add_passkey(alice, SecurityKey(id=b"secret id"))

    names = [str(PasskeyCredential.objects.get()), str(UsedChallenge.objects.get())]

    assert re.fullmatch(r"the credential of passkey \d+ a challenge answered at [-\d]+ [:\d]+", " ".join(names))


def test_of_a_registration_only_what_is_needed_is_kept(alice: User) -> None:
    """A browser may add members, and PostgreSQL stores no NUL and no lone surrogate in JSON."""
    key = SecurityKey(extensions={"credProtect": 2}, says={"other": "\ud800\u0000"})
    browser = logged_in(alice)
    sent = json.loads(key.create(options_on(browser.get(ADD))))
    sent |= {"\u0000": "\ud800", "clientExtensionResults": {"\ud800": "\u0000"}, "authenticatorAttachment": "\udfff"}

    response = browser.post(ADD, {"credential": json.dumps(sent), "name": "My laptop"})

    assert response.status_code == 302
    kept = Authenticator.objects.get(type="webauthn").data["credential"]
    assert set(kept) == {"id", "rawId", "type", "clientExtensionResults", "response"}
    assert kept["clientExtensionResults"] == {}
    assert logs_in(alice, replace(key, says={}, extensions=None))


def test_passkeys_of_before_are_noted_by_the_migration(alice: User, bob: User) -> None:
    """The first of two passkeys with one id keeps it. Unreadable passkeys log nobody in, as before."""
    migration = import_module("accounts.migrations.0007_passkey_credentials")
    key = SecurityKey(count=5)
    add_passkey(alice, key)
    hers = Authenticator.objects.get(type="webauthn")
    Authenticator.objects.create(user=bob, type="webauthn", data=hers.data)
    for data in ({"name": "Broken", "credential": {}}, {}, {"credential": None}):
        Authenticator.objects.create(user=bob, type="webauthn", data=data)
    PasskeyCredential.objects.all().delete()

    for _ in range(2):
        migration.note_credentials(apps, SimpleNamespace(connection=connection))

    assert list(PasskeyCredential.objects.values_list("authenticator", "sign_count")) == [(hers.pk, 5)]
    assert logs_in(alice, replace(key, count=6))
