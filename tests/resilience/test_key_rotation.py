"""The ring's keys are changed while tokens are used and revoked, as README says to."""

import random
import secrets
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.cast import PASSWORD
from tests.resilience.conftest import Serve
from tests.resilience.load import PATH, Hammer, Person, Program
from tests.server import Server, poll

pytestmark = [pytest.mark.resilience, pytest.mark.long, pytest.mark.xdist_group("rotation")]

TOKENS, CLIENTS, REVOKERS = 2_000, 8, 2
# One that is read long before its turn comes is the likelier to be revoked in between.
BATCH = 500
# Far more than it takes on the slowest machine.
SECONDS = 600
# Who revokes on the page, of all that are rotated after the first batch.
PEOPLE = range(BATCH + 101, TOKENS, 300)
MANY = """
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts.models import User
from developers import tokens, vault
from developers.models import ApiToken

password = make_password({password!r})
users = User.objects.bulk_create(
    [User(email=f"person{{n}}@example.com", password=password) for n in range({count})]
)
EmailAddress.objects.bulk_create(
    [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users]
)
secrets = [tokens.generate() for user in users]
sealed = [vault.seal(user.pk, 1, secret) for user, secret in zip(users, secrets)]
ApiToken.objects.bulk_create([
    ApiToken(user=user, digest=s.digest, ciphertext=s.ciphertext, key_id=s.key_id, hint=secret.hint)
    for user, secret, s in zip(users, secrets, sealed)
])
print(*(secret.open() for secret in secrets), sep="\\n")
"""


def make_many(server: Server, key: str) -> list[str]:
    """Make people, each with a token under the key, and return the tokens in the order of their rotation."""
    code = MANY.format(count=TOKENS, password=PASSWORD)
    made = server.manage("shell", "--command", code, TOKEN_KEYS=key)
    assert made.returncode == 0, made.stderr
    tokens = [line for line in made.stdout.split() if line.startswith("bpat_")]
    assert len(tokens) == TOKENS
    return tokens


def rotate(server: Server) -> "subprocess.Popen[str]":
    """Start a rotation that tells of each batch at once."""
    return server.manage_in_background("rotate_token_keys", "--batch", str(BATCH), PYTHONUNBUFFERED="1")


def has_revoked(person: Person) -> bool:
    answer = person.revoke()
    assert answer.status_code == 503 or answer.json()["verdict"] == "replaced"
    return answer.is_success


def is_complete(output: str) -> bool:
    return output.endswith("\n0 rows left.\n")


def test_two_thousand_tokens_move_to_a_new_key_while_they_are_used_and_revoked(serve: Serve) -> None:
    old_key, new_key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    # The second step of the change: all processes hold both keys, and the new one seals.
    server = serve(WORKERS="2", TOKEN_KEYS=f"{new_key},{old_key}")
    tokens = make_many(server, old_key)
    people = [Person(server.url, number) for number in PEOPLE]
    to_revoke = [token for number, token in enumerate(tokens) if number >= BATCH and number % 3 == 0]
    random.Random(1).shuffle(to_revoke)  # noqa: S311 - in which order is no secret
    used = sorted({*tokens} - {*to_revoke} - {tokens[number] for number in PEOPLE})
    revoked: dict[str, float] = {}
    is_over = threading.Event()

    def revoke_some(program: Program) -> None:
        while not is_over.is_set() and to_revoke:
            call = program.send(to_revoke.pop(), "POST", f"{PATH}/revoke")
            # Who has waited too long for the lock is told to come back, and its token stays.
            assert call.status in (204, 503)
            if call.status == 204:
                revoked[call.token] = call.ended_at

    with (
        Hammer([Program(server.port) for _ in range(CLIENTS)], lambda chance: chance.choice(used)).running() as hammer,
        ThreadPoolExecutor(REVOKERS) as pool,
    ):
        rotating = rotate(server)
        assert rotating.stdout
        assert rotating.stdout.readline().startswith(f"{BATCH} rows moved")
        revoking = [pool.submit(revoke_some, Program(server.port)) for _ in range(REVOKERS)]
        for person in people:
            poll(partial(has_revoked, person), SECONDS)
        output, _ = rotating.communicate(timeout=SECONDS)
        # One that has waited too long for the lock ends, and the next goes on from there.
        poll(lambda: is_complete(output) or is_complete(rotate(server).communicate(timeout=SECONDS)[0]), SECONDS)
        rotated_at = time.monotonic()
        is_over.set()
        for done in revoking:
            done.result()
        seen = len(hammer.calls)
        poll(lambda: len(hammer.calls) > seen + 100, SECONDS)

    copied = [person.copy() for person in people]
    assert hammer.statuses == {200}
    assert sum(at < rotated_at for at in revoked.values()) >= 10

    # The third step: the old key is gone, and nothing is missed.
    server.stop()
    server.environment["TOKEN_KEYS"] = new_key
    server.start()
    server.wait_until_ready()
    program = Program(server.port)
    replaced = {*revoked} | {tokens[number] for number in PEOPLE}
    statuses = {token: program.send(token).status for token in [*tokens, *copied]}
    assert {token for token in statuses if statuses[token] == 401} == replaced
    assert {token for token in statuses if statuses[token] == 200} == {*tokens, *copied} - replaced
