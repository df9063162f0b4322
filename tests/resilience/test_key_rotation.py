"""The ring's keys are changed while tokens are used and revoked, as README says to."""

import random
import secrets

import pytest

from tests.resilience.conftest import Serve
from tests.resilience.load import Hammer, Person, Program, make_people
from tests.server import poll

pytestmark = [pytest.mark.resilience, pytest.mark.long, pytest.mark.xdist_group("rotation")]

TOKENS, CLIENTS, REVOKED = 2_000, 8, 5
MANY = """
from accounts.models import User
from developers import tokens, vault
from developers.models import ApiToken

users = User.objects.bulk_create([User(email=f"many{{n}}@example.com", password="!") for n in range({count})])
secrets = [tokens.generate() for user in users]
sealed = [vault.seal(user.pk, 1, secret) for user, secret in zip(users, secrets)]
ApiToken.objects.bulk_create([
    ApiToken(user=user, digest=s.digest, ciphertext=s.ciphertext, key_id=s.key_id, hint=secret.hint)
    for user, secret, s in zip(users, secrets, sealed)
])
print(*(secret.open() for secret in secrets), sep="\\n")
"""


def test_two_thousand_tokens_move_to_a_new_key_while_they_are_used_and_revoked(serve: Serve) -> None:
    old_key, new_key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    # The second step of the change: all processes hold both keys, and the new one seals.
    ring = f"{new_key},{old_key}"
    server = serve(WORKERS="2", TOKEN_KEYS=ring)
    made = server.manage("shell", "--command", MANY.format(count=TOKENS), TOKEN_KEYS=old_key)
    assert made.returncode == 0, made.stderr
    tokens = [line for line in made.stdout.split() if line.startswith("bpat_")]
    assert len(tokens) == TOKENS
    make_people(server, REVOKED)
    people = [Person(server.url, number) for number in range(REVOKED)]
    revoked, copied = [], []

    with Hammer(
        [Program(server.port) for _ in range(CLIENTS)], lambda chance: chance.choice(tokens)
    ).running() as hammer:
        rotating = server.manage_in_background("rotate_token_keys", "--batch", "100")
        for person in people:
            revoked.append(person.copy())
            assert person.revoke().json()["verdict"] == "replaced"
            copied.append(person.copy())
        output, _ = rotating.communicate(timeout=120)
        seen = len(hammer.calls)
        poll(lambda: len(hammer.calls) > seen + 100)

    program = Program(server.port)
    assert rotating.returncode == 0
    assert output.splitlines()[-1] == "0 rows left."
    assert hammer.statuses == {200}
    assert [program.send(token).status for token in revoked] == [401] * REVOKED
    assert [program.send(token).status for token in copied] == [200] * REVOKED
    # Without the old key nothing is missed.
    left = server.manage("check", "--database", "default", TOKEN_KEYS=new_key)
    assert left.returncode == 0, left.stderr
    sample = random.Random(1).sample(tokens, 50)  # noqa: S311 - which are looked at is no secret
    assert {program.send(token).status for token in sample} == {200}
