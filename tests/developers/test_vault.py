import base64
import hashlib
import hmac
import secrets
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.keyring import Unreadable
from developers import tokens, vault
from developers.vault import Sealed

OLD, NEW = (secrets.token_urlsafe(32) for _ in range(2))


def unreadable(owner_id: int, generation: int, sealed: Sealed) -> str:
    with pytest.raises(Unreadable) as caught:
        vault.unseal(owner_id, generation, sealed)
    return str(caught.value)


def test_a_sealed_token_opens_for_its_owner_and_generation() -> None:
    secret = tokens.generate()

    sealed = vault.seal(7, 3, secret)

    assert vault.unseal(7, 3, sealed) == secret


def test_sealing_twice_gives_one_digest_and_two_ciphertexts() -> None:
    secret = tokens.generate()

    one, other = vault.seal(7, 3, secret), vault.seal(7, 3, secret)

    assert one.digest == other.digest
    assert one.ciphertext != other.ciphertext


def test_what_is_sealed_shows_no_token() -> None:
    secret = tokens.generate()

    sealed = vault.seal(7, 3, secret)

    assert secret.open() not in f"{sealed.ciphertext} {base64.urlsafe_b64decode(sealed.ciphertext)!r} {sealed.digest!r}"
    assert sealed.ciphertext not in repr(sealed)


def test_digest_is_hmac_sha256_under_a_key_derived_for_digests(settings: Settings) -> None:
    settings.TOKEN_KEYS = [NEW]
    secret = tokens.generate()
    material = base64.urlsafe_b64decode(NEW + "=")
    key = HKDF(SHA256(), 32, salt=None, info=b"botpenguin token digest v1").derive(material)

    sealed = vault.seal(7, 3, secret)

    assert sealed.digest == hmac.new(key, secret.open().encode(), hashlib.sha256).digest()
    assert vault.digests(secret) == [sealed.digest]


def test_each_purpose_has_its_own_key(settings: Settings) -> None:
    settings.TOKEN_KEYS = [NEW]
    material = base64.urlsafe_b64decode(NEW + "=")

    key = vault.ring()[0]
    sealing = key.fernet._signing_key + key.fernet._encryption_key

    assert len({material, key.digest_key, sealing}) == 3
    assert not key.digest_key.startswith(bytes.fromhex(key.id))
    assert not sealing.startswith(bytes.fromhex(key.id))
    assert not material.startswith(bytes.fromhex(key.id))


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=64))
def test_an_hmac_with_its_key_hashed_before_is_that_of_the_standard_library(message: bytes, key: bytes) -> None:
    assert vault.Hmac(key).digest(message) == hmac.digest(key, message, "sha256")


def test_the_binding_is_hmac_sha256_over_owner_generation_and_digest_under_a_key_of_its_own(
    settings: Settings,
) -> None:
    settings.TOKEN_KEYS = [NEW]
    material = base64.urlsafe_b64decode(NEW + "=")
    key = HKDF(SHA256(), 32, salt=None, info=b"botpenguin token binding v1").derive(material)

    sealed = vault.seal(7, 3, tokens.generate())

    message = (7).to_bytes(8, "big") + (3).to_bytes(8, "big") + sealed.digest
    assert sealed.binding == hmac.new(key, message, hashlib.sha256).digest()
    assert vault.is_bound(7, 3, sealed.digest, sealed.key_id, sealed.binding)
    assert vault.binding(7, 3, replace(sealed, binding=None)) == sealed.binding


@given(st.integers(-1, 2**64), st.integers(-1, 2**64))
def test_a_binding_is_of_no_other_owner_or_generation(owner: int, generation: int) -> None:
    sealed = vault.seal(7, 3, tokens.generate())

    is_bound = vault.is_bound(owner, generation, sealed.digest, sealed.key_id, sealed.binding)

    assert is_bound == ((owner, generation) == (7, 3))


@pytest.mark.parametrize(
    "changed",
    [
        {"binding": "é"},
        {"binding": 7},
        {"binding": None},
        {"generation": "one"},
        {"generation": None},
        {"owner_id": "alice"},
        {"digest": "text"},
        {"key_id": b"\xff"},
        {"key_id": 7},
    ],
)
def test_values_of_other_types_which_sqlite_takes_too_are_not_bound(changed: dict[str, Any]) -> None:
    sealed = vault.seal(7, 3, tokens.generate())
    row: dict[str, Any] = {"owner_id": 7, "generation": 3, "digest": sealed.digest, "key_id": sealed.key_id}

    assert not vault.is_bound(**row | {"binding": sealed.binding} | changed)


def test_no_binding_is_made_for_a_row_that_does_not_open() -> None:
    sealed = replace(vault.seal(7, 3, tokens.generate()), binding=None)

    for owner, generation in ((8, 3), (7, 4)):
        with pytest.raises(Unreadable, match="its ciphertext belongs to another row"):
            vault.binding(owner, generation, sealed)


def test_a_key_shows_nothing_of_itself() -> None:
    key = vault.ring()[0]

    assert key.digest_key.hex() not in repr(key)
    assert repr(key.digest_key) not in repr(key)


def test_ciphertexts_swapped_between_two_rows_do_not_open() -> None:
    alices, bobs = vault.seal(1, 1, tokens.generate()), vault.seal(2, 1, tokens.generate())

    swapped = replace(alices, ciphertext=bobs.ciphertext)

    assert unreadable(1, 1, swapped) == "its ciphertext belongs to another row"


def test_whole_pairs_swapped_between_two_rows_do_not_open() -> None:
    bobs = vault.seal(2, 1, tokens.generate())

    assert unreadable(1, 1, bobs) == "its ciphertext belongs to another row"


def test_a_ciphertext_of_another_generation_does_not_open() -> None:
    sealed = vault.seal(1, 1, tokens.generate())

    assert unreadable(1, 2, sealed) == "its ciphertext belongs to another row"


def test_a_ciphertext_beside_another_digest_does_not_open() -> None:
    sealed = vault.seal(1, 1, tokens.generate())

    swapped = replace(sealed, digest=vault.seal(1, 1, tokens.generate()).digest)

    assert unreadable(1, 1, swapped) == "its ciphertext and its digest differ"


def test_a_ciphertext_cut_short_does_not_open() -> None:
    sealed = vault.seal(1, 1, tokens.generate())

    assert unreadable(1, 1, replace(sealed, ciphertext=sealed.ciphertext[:-1])) == "its ciphertext is damaged"


@given(st.text(max_size=300))
def test_any_damaged_ciphertext_is_reported_as_such(damaged: str) -> None:
    sealed = vault.seal(1, 1, tokens.generate())

    assert unreadable(1, 1, replace(sealed, ciphertext=damaged)) == "its ciphertext is damaged"


@given(st.binary(max_size=80).filter(lambda payload: payload.count(b".") != 2))
def test_any_other_payload_under_the_right_key_is_reported_as_damaged(payload: bytes) -> None:
    sealed = vault.seal(1, 1, tokens.generate())

    foreign = vault.ring()[0].fernet.encrypt(payload).decode()

    assert unreadable(1, 1, replace(sealed, ciphertext=foreign)) == "its ciphertext is damaged"


def test_a_key_that_is_not_in_the_ring_is_named() -> None:
    sealed = replace(vault.seal(1, 1, tokens.generate()), key_id="0badc0de")

    assert unreadable(1, 1, sealed) == "its key 0badc0de is not in TOKEN_KEYS"


def test_the_first_key_of_the_ring_seals_and_all_of_them_open(settings: Settings) -> None:
    settings.TOKEN_KEYS = [OLD]
    old_secret = tokens.generate()
    under_old = vault.seal(1, 1, old_secret)
    settings.TOKEN_KEYS = [NEW, OLD]
    new_secret = tokens.generate()

    under_new = vault.seal(2, 1, new_secret)

    assert [key.id for key in vault.ring()] == [under_new.key_id, under_old.key_id]
    assert vault.unseal(1, 1, under_old) == old_secret
    assert vault.unseal(2, 1, under_new) == new_secret
    assert vault.digests(old_secret)[1] == under_old.digest
    assert vault.digests(new_secret)[0] == under_new.digest


def test_a_ring_without_the_key_of_a_row_does_not_open_it(settings: Settings) -> None:
    settings.TOKEN_KEYS = [OLD]
    sealed = vault.seal(1, 1, tokens.generate())
    settings.TOKEN_KEYS = [NEW]

    assert unreadable(1, 1, sealed) == f"its key {sealed.key_id} is not in TOKEN_KEYS"
