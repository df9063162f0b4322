import base64
import secrets
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from accounts import keyring
from accounts.keyring import Purpose
from accounts.mfa import encryption
from developers import tokens, vault
from developers.outbound import sealing
from developers.vault import Sealed

GOOD = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
OTHER = base64.urlsafe_b64encode(bytes(range(32, 64))).decode()
API = "66f0c0de66f0c0de66f0c0de"
# Ciphertexts and digests of an earlier version under each of two keys. Version 0.1.0 had no binding.
MADE: list[dict[str, Any]] = [
    {
        "key": GOOD,
        "key_id": "2b2ee307",
        "digest": "add6c1bb73e1a629e9fa4608c3d9f62eb88ad10f93d48bb3a296e2593c5f716e",
        "binding": "3c1abb513585d6321087d688fffd5d11a48654e714fdbf0be5d2c97c5e009ac1",
        "token": (
            "gAAAAABrDS9C2DvtwoViUi3WkAKAmfytvKzo19LKOvM-EXucRbK-OyU6u474YhLJ73w1OcAv-Mqgu1ImISWczTf_OV"
            "IFzdVWgAer_qjpqyURjKG-Jo7yyZY="
        ),
        "call": (
            "gAAAAABrDS9CJoSWvEOG-ze9a2pxX3dZjLD3jzNm3MTRIzWE7A65fmeJAZK3O2A5o287pPCz1aBF4j_kiuGCKyByfY"
            "76CnrGLYHt_vmFxcD4q-atFzjnYTkR3K-0YKk8l-uEkhlT-oYH"
        ),
        "factor": (
            "gAAAAABrDS9Cpp3PTEZ2howqslqf4s1_rYjqNZPb3jxdr4fDZyQl3Tg_Qi61x4uXj_wPJh68kH4rC2tAPBTmrordGr"
            "ixEW0o5R4OsGA1OIu-I4gsepFIOOg="
        ),
    },
    {
        "key": OTHER,
        "key_id": "cd24b4d2",
        "digest": "89a7ca4eef901a76195608c78661ceb2bd7d40799efaca3a5f54abe73c18c2f3",
        "binding": "5b66f6bc246b7b8642c1a6d24434a7056f45474b1ca0621dc1000593f524ab92",
        "token": (
            "gAAAAABrDS9CQ51S-p1Q5MYFw6pQ3wawZ5DEfe82imTU8c0ySFNJfap84XDsBTw9mzT9BSL99-KB5DkGTj_S7kFGUa"
            "Z35UhJhv0cTVXUKO44mVLsxbYGyJc="
        ),
        "call": (
            "gAAAAABrDS9CJdwr_uv3XKvYCG3m_GeXKH1dggxdWts5SBRjSTkz3dul7b7DXGNtjE5sFo9VoLxWqTq4KoL_wkMnCf"
            "l33AbmC_HoNy6p6RsOOcvribA_jmA5SUtljGc5SOqdnQ7ESjco"
        ),
        "factor": (
            "gAAAAABrDS9CgSFfWqH6v9sKhELGVer2xf9YOiTR6Rn6QDfU69D4QtrJCVWhaCZN3YataTQehDtf9A3hMLVz1CqVt2"
            "UATfJukSZ3s_z5og9a_ssEO9OQ_DY="
        ),
    },
]


@pytest.mark.parametrize("made", MADE, ids=["an unpadded key", "a padded key"])
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
def test_earlier_ciphertexts_and_digests_are_read_and_found(
    settings: Settings, made: dict[str, Any], is_first: bool
) -> None:
    other = next(each["key"] for each in MADE if each is not made)
    settings.TOKEN_KEYS = [made["key"], other] if is_first else [other, made["key"]]
    secret = tokens.Secret("a token of a vector")
    digest, binding = bytes.fromhex(made["digest"]), bytes.fromhex(made["binding"])

    assert vault.digests(secret)[not is_first] == digest
    assert vault.is_bound(7, 3, digest, made["key_id"], binding)
    assert vault.unseal(7, 3, Sealed(digest, made["token"], made["key_id"], binding)) == secret
    assert sealing.unseal(7, API, made["call"], made["key_id"]) == "a call, with.dots"
    assert encryption.decrypt(made["factor"]) == "JBSWY3DPEHPK3PXP"


def test_each_purpose_has_a_key_of_its_own(settings: Settings) -> None:
    settings.TOKEN_KEYS = [GOOD, OTHER]

    derived = [keyring.derive(key, purpose) for key in keyring.ring() for purpose in Purpose]

    assert len({*derived, *(key.material for key in keyring.ring())}) == len(derived) + 2


def test_a_key_of_the_ring_shows_nothing_of_itself(settings: Settings) -> None:
    settings.TOKEN_KEYS = [GOOD]

    assert GOOD not in repr(keyring.ring())
    assert repr(bytes(range(32)))[2:-1] not in repr(keyring.ring())


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "changeme",
        GOOD[:-2],
        "a" * 43,
        "0123456789" * 5,
        "correct horse battery staple, said somebody who had read a comic",
        GOOD[:-1] + "é",
        GOOD[:-1] + "=",
    ],
)
def test_a_weak_key_is_refused_with_a_sentence_that_says_how_to_make_one(settings: Settings, weak: str) -> None:
    settings.TOKEN_KEYS = [OTHER, weak]

    with pytest.raises(ImproperlyConfigured) as caught:
        keyring.ring()

    assert str(caught.value) == (
        "A key in TOKEN_KEYS is not 32 random bytes in URL-safe base64. "
        "Make one with `python -c 'import secrets; print(secrets.token_urlsafe(32))'`."
    )


def test_padded_and_longer_keys_are_accepted(settings: Settings) -> None:
    settings.TOKEN_KEYS = [base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(), secrets.token_urlsafe(48)]

    assert len({key.id for key in keyring.ring()}) == 2
