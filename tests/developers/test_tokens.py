import copy
import json
import logging
import pickle
import re
from pprint import pformat
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from developers import tokens
from developers.tokens import Secret

PUBLISHED = re.compile(r"^bpat_[0-9A-Za-z]{46}$")
CHARACTERS = st.characters(max_codepoint=0x2FFF)
generated = st.builds(lambda: tokens.generate().open())


def test_tokens_match_the_published_pattern_and_their_checksum() -> None:
    generated = [tokens.generate().open() for _ in range(200)]

    assert all(PUBLISHED.match(token) and len(token) == 51 for token in generated)
    assert all(tokens.is_well_formed(token) for token in generated)
    assert len(set(generated)) == 200


def test_checksum_is_crc32_in_base62_most_significant_digit_first() -> None:
    body = "bpat_" + "Az09" * 10
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    number = 0
    for digit in tokens.checksum(body):
        number = number * 62 + digits.index(digit)

    assert number == crc32(body.encode())


def test_checksum_keeps_its_leading_zeros() -> None:
    body = next(body for body in map(str, range(100_000)) if crc32(body.encode()) < 62**4)

    assert tokens.checksum(body).startswith("00")
    assert len(tokens.checksum(body)) == 6


@given(generated, st.integers(0, tokens.LENGTH - 1), CHARACTERS)
def test_any_one_changed_character_is_refused(token: str, position: int, character: str) -> None:
    changed = token[:position] + character + token[position + 1 :]

    assert tokens.is_well_formed(changed) is (changed == token)


@given(generated, st.integers(0, tokens.LENGTH - 1), st.integers(0, tokens.LENGTH - 1))
def test_any_two_swapped_characters_are_refused(token: str, one: int, other: int) -> None:
    characters = list(token)
    characters[one], characters[other] = characters[other], characters[one]
    swapped = "".join(characters)

    assert tokens.is_well_formed(swapped) is (swapped == token)


@given(generated, st.integers(0, tokens.LENGTH - 1))
def test_any_truncated_token_is_refused(token: str, length: int) -> None:
    assert not tokens.is_well_formed(token[:length])
    assert not tokens.is_well_formed(token[tokens.LENGTH - length :])


@given(generated, st.text(CHARACTERS, min_size=1, max_size=3))
def test_any_extended_token_is_refused(token: str, more: str) -> None:
    assert not tokens.is_well_formed(token + more)
    assert not tokens.is_well_formed(more + token)


@pytest.mark.parametrize("digit", ["\u0663", "\uff13", "\u00b2", "\u00df"])
def test_digits_and_letters_of_other_scripts_are_refused(digit: str) -> None:
    assert not tokens.is_well_formed(f"bpat_{digit * 46}")


def test_a_line_end_after_a_token_is_refused() -> None:
    assert not tokens.is_well_formed(tokens.generate().open() + "\n")


def test_mask_is_as_long_as_a_token_and_ends_in_its_hint() -> None:
    secret = tokens.generate()

    assert str(secret) == "bpat_" + "•" * 42 + secret.open()[-4:]
    assert len(str(secret)) == len(secret.open())


def test_whatever_prints_a_secret_prints_its_mask() -> None:
    secret = tokens.generate()
    mask = tokens.mask(secret.hint)

    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{secret}", "%s" % secret, pformat(secret)]  # noqa: UP031

    assert shown == [mask] * 7
    assert f"{secret:>60}" == mask.rjust(60)
    assert str([secret]) == f"[{mask}]"
    assert str(ValueError(secret)) == mask


def test_logging_a_secret_writes_its_mask(caplog: pytest.LogCaptureFixture) -> None:
    secret = tokens.generate()

    logging.getLogger(__name__).warning("Seen %s and %r", secret, secret)

    assert caplog.messages == [f"Seen {secret.hint:•>46} and {secret.hint:•>46}".replace("•" * 42, "bpat_" + "•" * 42)]


def test_pickling_or_copying_a_secret_keeps_only_its_mask() -> None:
    secret = tokens.generate()

    pickled = pickle.dumps(secret)

    assert secret.open()[:-4].encode() not in pickled
    assert pickle.loads(pickled) == str(secret)  # noqa: S301 - our own bytes
    assert copy.copy(secret) == copy.deepcopy(secret) == str(secret)


def test_a_secret_is_no_json_and_has_no_attributes_to_list() -> None:
    secret = tokens.generate()

    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps({"token": secret})
    with pytest.raises(TypeError, match="__dict__"):
        vars(secret)


def test_secrets_are_equal_where_their_tokens_are() -> None:
    secret = tokens.generate()

    assert secret == Secret(secret.open())
    assert hash(secret) == hash(Secret(secret.open()))
    assert secret != tokens.generate()
    assert secret != secret.open()
