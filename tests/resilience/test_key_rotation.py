"""Keys of the ring change while tokens are used and revoked, as docs/operations.md describes."""

import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from tests import postgresql
from tests.cast import PASSWORD
from tests.resilience.conftest import Serve
from tests.resilience.load import PATH, Hammer, Person, Program
from tests.server import Server, poll

pytestmark = [pytest.mark.resilience, pytest.mark.long, pytest.mark.xdist_group("rotation")]

CLIENTS, REVOKERS = 8, 2
# Seconds. There are still hundreds of calls a second, and the rotation gets processor time.
PAUSE = 0.01
USED, REVOKED = 100, 120
# A token that is read long before it is moved is more likely to be revoked in between.
BATCHES = 4
KILLS = 5
# More than the slowest machine takes.
SECONDS = 600
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
    ApiToken(
        user=user, digest=s.digest, ciphertext=s.ciphertext, key_id=s.key_id, binding=s.binding, hint=secret.hint
    )
    for user, secret, s in zip(users, secrets, sealed)
])
print(*(secret.open() for secret in secrets), sep="\\n")
"""


def make_many(server: Server, count: int, key: str) -> list[str]:
    """Make people, each with a token under the key, and return the tokens in the order of their rotation."""
    code = MANY.format(count=count, password=PASSWORD)
    made = server.manage("shell", "--command", code, TOKEN_KEYS=key)
    assert made.returncode == 0, made.stderr
    tokens = [line for line in made.stdout.split() if line.startswith("bpat_")]
    assert len(tokens) == count
    return tokens


def rotate(server: Server, batch: int) -> "subprocess.Popen[str]":
    """Start a rotation that reports each batch at once."""
    return server.manage_in_background("rotate_token_keys", "--batch", str(batch), PYTHONUNBUFFERED="1")


def has_revoked(person: Person) -> bool:
    answer = person.revoke()
    assert answer.status_code == 503 or answer.json()["verdict"] == "replaced"
    return answer.is_success


def statuses_under(key: str, server: Server, tokens: list[str]) -> dict[str, int]:
    """Take the third step of the change, which removes the old key; return the status of each token."""
    server.stop()
    server.environment["TOKEN_KEYS"] = key
    server.start()
    server.wait_until_ready()
    program = Program(server.port)
    return {token: program.send(token).status for token in tokens}


def rotate_a_batch(server: Server, batch: int) -> "subprocess.Popen[str]":
    """Start a rotation, and wait until it has moved its first batch."""
    rotating = rotate(server, batch)
    assert rotating.stdout
    assert rotating.stdout.readline().startswith(f"{batch} rows moved")
    return rotating


@contextmanager
def revoking(server: Server, tokens: list[str]) -> Iterator[dict[str, float]]:
    """Revoke tokens by several programs until the block ends; yield when each revoke was answered."""
    is_over = threading.Event()
    revoked: dict[str, float] = {}

    def revoke(program: Program) -> None:
        while not is_over.is_set() and tokens:
            call = program.send(tokens.pop(), "POST", f"{PATH}/revoke")
            # 503 where it has waited too long for the lock: the token stays.
            assert call.status in (204, 503)
            if call.status == 204:
                revoked[call.token] = call.ended_at

    with ThreadPoolExecutor(REVOKERS) as pool:
        running = [pool.submit(revoke, Program(server.port)) for _ in range(REVOKERS)]
        try:
            yield revoked
        finally:
            is_over.set()
        for done in running:
            done.result()


def output_of(rotating: "subprocess.Popen[str]") -> str:
    return rotating.communicate(timeout=SECONDS)[0]


def is_complete(output: str) -> bool:
    return output.endswith("\n0 rows left.\n")


def database_of_its_own(kind: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the setting of a database that no other test fills: each has keys of its own."""
    if kind == "sqlite":
        return {}
    return {"DATABASE_URL": postgresql.new_database(request.getfixturevalue("database"))}


@pytest.mark.release
@pytest.mark.parametrize(("kind", "count"), [("sqlite", 2_000), ("postgresql", 600)])
def test_tokens_move_to_a_new_key_while_they_are_used_and_revoked(
    kind: str, count: int, serve: Serve, request: pytest.FixtureRequest
) -> None:
    batch = count // BATCHES
    old_key, new_key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    # The second step of the change: all processes hold both keys, and the new one seals.
    server = serve(WORKERS="2", TOKEN_KEYS=f"{new_key},{old_key}", **database_of_its_own(kind, request))
    tokens = make_many(server, count, old_key)
    # All of these are rotated after the first batch.
    people = {tokens[number]: Person(server.url, number) for number in range(batch + 1, count, batch // 2)}
    others = sorted({*tokens[batch:]} - people.keys())
    to_revoke = others[:REVOKED]
    # Few, so that each is in use while it moves, and most uses are not the first in a minute, which is recorded.
    used = others[REVOKED : REVOKED + USED]

    rotating = rotate_a_batch(server, batch)
    programs = [Program(server.port) for _ in range(CLIENTS)]
    with Hammer(programs, lambda chance: chance.choice(used), PAUSE).running() as hammer:
        with revoking(server, to_revoke) as revoked:
            for person in people.values():
                poll(partial(has_revoked, person), SECONDS)
            output = output_of(rotating)
            # A command that has waited too long for the lock ends, and the next goes on from there.
            poll(lambda: is_complete(output) or is_complete(output_of(rotate(server, batch))), SECONDS)
            rotated_at = time.monotonic()
        seen = len(hammer.calls)
        poll(lambda: len(hammer.calls) > seen + 100, SECONDS)

    copied = [person.copy() for person in people.values()]
    replaced = revoked.keys() | people.keys()
    assert hammer.statuses == {200}
    assert sum(at < rotated_at for at in revoked.values()) >= 10
    assert statuses_under(new_key, server, [*tokens, *copied]) == {
        token: 401 if token in replaced else 200 for token in [*tokens, *copied]
    }


@pytest.mark.release
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_rotation_that_is_killed_again_and_again_goes_on_and_loses_no_token(
    kind: str, serve: Serve, request: pytest.FixtureRequest
) -> None:
    where = database_of_its_own(kind, request)
    old_key, new_key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    server = serve(WORKERS="2", TOKEN_KEYS=f"{new_key},{old_key}", **where)
    tokens = make_many(server, 600, old_key)
    used, revoked = tokens[:500], tokens[-KILLS:]
    program = Program(server.port)

    with Hammer(
        [Program(server.port) for _ in range(4)], lambda chance: chance.choice(used), PAUSE
    ).running() as hammer:
        for token in revoked:
            rotating = rotate_a_batch(server, 10)
            rotating.kill()
            rotating.communicate()
            assert rotating.returncode == -signal.SIGKILL
            assert [program.send(token, *act).status for act in (["POST", f"{PATH}/revoke"], [])] == [204, 401]
        output = output_of(rotate(server, 10))

    assert is_complete(output), output
    assert hammer.statuses == {200}
    statuses = statuses_under(new_key, server, tokens)
    assert {token for token in tokens if statuses[token] == 401} == {*revoked}
    assert {*statuses.values()} == {200, 401}
