import secrets
from io import StringIO

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client as Browser
from pytest_django import Settings

from accounts.mfa import encryption
from accounts.models import User
from developers import issuance, vault
from developers.models import ApiToken
from tests.cast import LAPTOP, token_text

FACTORS = "secrets of second factors moved to the first key.\n"
CALLS = "outbound calls, drafts and webhooks moved to the first key.\n"


@pytest.fixture
def old_and_new(settings: Settings) -> tuple[str, str]:
    """The key in use and the next one."""
    return settings.TOKEN_KEYS[0], secrets.token_urlsafe(32)


def rotate(batch: int = 500) -> str:
    output = StringIO()
    call_command("rotate_token_keys", batch=batch, stdout=output)
    return output.getvalue()


def status_of(token: str) -> int:
    return Browser().get("/api/v7/token", headers={"Authorization": f"Bearer {token}"}).status_code


def test_tokens_move_to_the_new_key_and_stay_what_they_are(
    alice: User, bob: User, settings: Settings, old_and_new: tuple[str, str]
) -> None:
    before = [token_text(person) for person in (alice, bob)]
    settings.TOKEN_KEYS = [*reversed(old_and_new)]

    output = rotate(batch=1)

    assert output.endswith("0 rows left.\n")
    settings.TOKEN_KEYS = [old_and_new[1]]
    assert [token_text(person) for person in (alice, bob)] == before
    assert [status_of(token) for token in before] == [200, 200]


def test_tokens_are_good_before_and_in_the_middle_of_a_rotation(
    alice: User, bob: User, settings: Settings, old_and_new: tuple[str, str]
) -> None:
    tokens = [token_text(person) for person in (alice, bob)]

    settings.TOKEN_KEYS = [*old_and_new]
    with_the_new_key_last = [status_of(token) for token in tokens]
    settings.TOKEN_KEYS = [*reversed(old_and_new)]
    issuance.reseal(ApiToken.objects.get(user=alice))
    half_way = [status_of(token) for token in tokens]

    assert (with_the_new_key_last, half_way) == ([200, 200], [200, 200])


def test_a_token_that_its_owner_revokes_meanwhile_is_left_alone(
    alice: User, settings: Settings, old_and_new: tuple[str, str]
) -> None:
    settings.TOKEN_KEYS = [*reversed(old_and_new)]
    as_read = ApiToken.objects.get(user=alice)
    old = token_text(alice)
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    new = token_text(alice)

    changed = issuance.reseal(as_read)

    assert (changed, token_text(alice)) == (False, new)
    assert [status_of(token) for token in (old, new)] == [401, 200]


def test_what_cannot_be_read_is_counted_and_keeps_the_old_key_needed(
    alice: User, bob: User, settings: Settings, old_and_new: tuple[str, str]
) -> None:
    ApiToken.objects.filter(user=bob).update(ciphertext="damaged")
    settings.TOKEN_KEYS = [*reversed(old_and_new)]

    output = rotate()

    assert "1 rows moved to key" in output
    assert "1 rows left.\nThey cannot be read under any key of TOKEN_KEYS" in output
    assert ApiToken.objects.get(user=alice).key_id == vault.ring()[0].id


def test_rows_without_a_binding_get_one_and_moved_ones_do_not(alice: User, bob: User) -> None:
    token = token_text(alice)
    ApiToken.objects.filter(user=bob).update(ciphertext=ApiToken.objects.get(user=alice).ciphertext)
    ApiToken.objects.update(binding=None)

    output = rotate()

    assert "1 rows moved to key" in output
    assert "1 rows left.\n" in output
    assert status_of(token) == 200
    assert ApiToken.objects.get(user=bob).binding is None


def test_a_second_run_has_nothing_to_do(alice: User, settings: Settings, old_and_new: tuple[str, str]) -> None:
    settings.TOKEN_KEYS = [*reversed(old_and_new)]
    rotate()

    assert rotate() == f"0 {FACTORS}0 {CALLS}0 rows left.\n"


def test_a_database_that_fails_in_the_middle_is_reported_and_the_next_run_continues(
    alice: User, bob: User, settings: Settings, old_and_new: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOKEN_KEYS = [*reversed(old_and_new)]
    reseal = issuance.reseal

    def locked_for_bob(row: ApiToken) -> bool:
        if row.user_id == bob.pk:
            raise OperationalError("database is locked")
        return reseal(row)

    with monkeypatch.context() as patched:
        patched.setattr(issuance, "reseal", locked_for_bob)
        with pytest.raises(CommandError) as failed:
            rotate(batch=1)

    assert str(failed.value) == (
        "The database could not be used: database is locked. What was moved stays so; run this again for the rest."
    )
    assert ApiToken.objects.get(user=alice).key_id == vault.ring()[0].id
    assert rotate() == f"1 rows moved to key {vault.ring()[0].id}.\n0 {FACTORS}0 {CALLS}0 rows left.\n"


def test_second_factors_move_too_and_stay_what_they_are(
    alice: User, settings: Settings, old_and_new: tuple[str, str]
) -> None:
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    codes = RecoveryCodes.activate(alice).get_unused_codes()
    settings.TOKEN_KEYS = [*reversed(old_and_new)]

    output = rotate()

    assert output.endswith(f"2 {FACTORS}0 {CALLS}0 rows left.\n")
    settings.TOKEN_KEYS = [old_and_new[1]]
    stored = {factor.type: factor for factor in Authenticator.objects.filter(user=alice)}
    assert encryption.decrypt(stored["totp"].data["secret"]) == secret
    assert stored["recovery_codes"].wrap().get_unused_codes() == codes


def test_a_second_factor_that_cannot_be_read_is_counted(
    alice: User, settings: Settings, old_and_new: tuple[str, str]
) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    Authenticator.objects.update(data={"secret": "damaged"})
    settings.TOKEN_KEYS = [*reversed(old_and_new)]

    assert f"0 {FACTORS}0 {CALLS}1 rows left.\n" in rotate()
