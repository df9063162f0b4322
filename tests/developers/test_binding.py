"""Changes to the rows of tokens by somebody who can write to the database and has no key."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from accounts.keyring import Unreadable
from accounts.models import User
from accounts.security_log import Kind
from developers import issuance, vault
from developers.bearer import verification
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PHONE, token_events, token_text
from tests.developers.test_vault import NEW

SECRETS = ("digest", "ciphertext", "key_id", "binding")
Change = Callable[[User, User], object]


def call(token: str) -> tuple[int, str]:
    response = Browser().get("/api/v7/token", headers={"Authorization": f"Bearer {token}"})
    return response.status_code, response.json()["message"]


UNKNOWN = (401, "This API access token does not exist.")


def row(user: User, *columns: str) -> dict[str, Any]:
    return dict(ApiToken.objects.filter(user=user).values(*columns).get())


def put(user: User, **columns: Any) -> None:
    ApiToken.objects.filter(user=user).update(**columns)


def take(user: User, *columns: str) -> dict[str, Any]:
    """Move columns out of a row, since some are unique, and leave values of nobody in it."""
    taken = row(user, *columns)
    put(user, digest=bytes(32))
    return taken


def move_row(alice: User, bob: User) -> None:
    ApiToken.objects.filter(user=bob).delete()
    ApiToken.objects.filter(user=alice).update(user=bob)


def put_back_a_revoked_digest(alice: User, bob: User) -> None:
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    revoked = RevokedToken.objects.get(user=alice)
    RevokedToken.objects.all().delete()
    put(alice, digest=revoked.digest, key_id=revoked.key_id, generation=1)


def lend_binding(alice: User, bob: User) -> None:
    """Put Alice's token into Bob's row, and keep the binding of Bob's token."""
    put(bob, **take(alice, "digest"))


CHANGES: dict[str, Change] = {
    "the row has another owner": move_row,
    "the digest is in the row of another": lend_binding,
    "all that is secret is in the row of another": lambda alice, bob: put(bob, **take(alice, *SECRETS)),
    "another generation": lambda alice, bob: put(alice, generation=2),
    "another key of the ring": lambda alice, bob: put(alice, key_id=vault.ring()[1].id),
    "a key that is not in the ring": lambda alice, bob: put(alice, key_id="0badc0de"),
    "no binding": lambda alice, bob: put(alice, binding=None),
    "an empty binding": lambda alice, bob: put(alice, binding=b""),
    "a binding cut short": lambda alice, bob: put(alice, binding=row(alice, "binding")["binding"][:-1]),
    "the binding of another": lambda alice, bob: put(alice, **row(bob, "binding")),
    "a digest in place of the binding": lambda alice, bob: put(alice, binding=row(alice, "digest")["digest"]),
    "a digest put back": put_back_a_revoked_digest,
}


@pytest.fixture
def ring_of_two(settings: Settings) -> None:
    settings.TOKEN_KEYS = [*settings.TOKEN_KEYS, NEW]


@pytest.mark.usefixtures("ring_of_two")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_token_of_a_changed_row_is_unknown_and_the_row_is_left_alone(
    change: Change, alice: User, bob: User, caplog: pytest.LogCaptureFixture
) -> None:
    token = token_text(alice)
    change(alice, bob)
    changed, events = list(ApiToken.objects.order_by("pk").values()), token_events().count()

    responses = [call(token) for _ in range(3)]

    assert responses == [UNKNOWN] * 3
    assert (list(ApiToken.objects.order_by("pk").values()), token_events().count()) == (changed, events)
    [line] = [record for record in caplog.records if record.name == verification.__name__]
    assert line.levelname == "ERROR"
    assert "is refused: its row was changed by something else than this program." in line.getMessage()
    assert token[5:-4] not in caplog.text


def test_it_is_counted_as_unknown_tokens_are(alice: User, settings: Settings) -> None:
    settings.API_REFUSED_LIMIT = 2
    token = token_text(alice)
    assert call(token)[0] == 200
    put(alice, binding=None)

    assert [call(token)[0] for _ in range(3)] == [401, 401, 429]


def test_each_changed_row_is_logged_by_its_owner_and_generation(
    alice: User, bob: User, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = [token_text(alice), token_text(bob)]
    ApiToken.objects.update(binding=None)

    for token in tokens * 2:
        call(token)

    assert [record.getMessage() for record in caplog.records if record.name == verification.__name__] == [
        f"The token of user {user.pk}, generation 1, is refused: its row was changed by something else than this "
        "program."
        for user in (alice, bob)
    ]


def test_a_changed_row_is_not_shown_and_a_revoke_makes_a_good_one_of_it(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    put(alice, binding=None)

    with pytest.raises(Unreadable):
        issuance.reveal(alice, Kind.TOKEN_COPIED, PHONE)
    outcome = issuance.revoke(alice, 1, PHONE, even_if_used=True)

    assert caplog.messages == [
        f"The token of user {alice.pk}, generation 1, is not shown: its binding is not of this row."
    ]
    assert outcome.verdict is issuance.Verdict.REPLACED
    assert call(issuance.reveal(alice, Kind.TOKEN_COPIED, PHONE).open())[0] == 200


def test_a_row_put_back_whole_works_again_as_security_md_says(alice: User) -> None:
    """No record of a revoke exists outside the database."""
    token, old = token_text(alice), row(alice, *SECRETS, "generation")
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    revoked = call(token)

    put(alice, **old)

    assert (revoked[0], call(token)[0]) == (401, 200)
