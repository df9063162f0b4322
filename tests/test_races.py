"""Races of many threads, and processes that are killed, on the database that the tests run on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Barrier, BrokenBarrierError, Lock
from typing import TypeVar

import pytest
from django.db import DatabaseError, connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from post_office.models import Email

from accounts.models import User
from accounts.security_log import Kind
from developers import issuance
from developers.bearer import verification
from developers.bearer.verification import RefusalReason, TokenRefused
from developers.issuance import Outcome, Verdict
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PHONE, token_events, token_text
from tests.lock_timeouts import LOCK_TIMEOUT
from tests.server import COVERAGE, sqlite_url

pytestmark = pytest.mark.django_db(transaction=True)
Result = TypeVar("Result")
# On a slow machine, too, no thread of a race gives up waiting for a lock.
PATIENCE_MS = 60_000


def at_once(times: int, act: Callable[[], Result]) -> list[Result]:
    """Do one thing in so many threads, each with a connection of its own, starting together."""
    barrier, connecting = Barrier(times), Lock()
    _, set_timeout = LOCK_TIMEOUT[connection.vendor]

    def run(_: int) -> Result:
        try:
            try:
                # One after the other: only then do they wait longer for a lock than usual.
                with connecting, connection.cursor() as cursor:
                    cursor.execute(set_timeout.format(PATIENCE_MS))
            except BaseException:
                # The others would wait for it forever.
                barrier.abort()
                raise
            barrier.wait()
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        # In the order in which they finish.
        begun = [threads.submit(run, number) for number in range(times)]
        done = list(as_completed(begun))
    errors = [error for future in done if (error := future.exception())]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, BrokenBarrierError))
    return [future.result() for future in begun]


def events(user: User) -> dict[str, int]:
    kinds = list(token_events().filter(user=user).values_list("kind", flat=True))
    return {kind: kinds.count(kind) for kind in kinds}


def check(token: str) -> int | RefusalReason:
    """Return the generation of a good token, or why it is refused."""
    try:
        return verification.check(RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"})).generation
    except TokenRefused as refused:
        return refused.refusal


def database_url() -> str:
    """The address of this test's database, for another process."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return sqlite_url(database["NAME"])
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


def revoke_until_killed(mode: str, *users: User) -> "subprocess.Popen[str]":
    """Start processes that will be killed, on this test's database."""
    settings = {"DJANGO_SETTINGS_MODULE": "botpenguin.settings", "DATABASE_URL": database_url()}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.revoke_until_killed", mode, *[str(user.pk) for user in users]],
        # Other tests run the same lines in their own process.
        env=os.environ | settings | {COVERAGE: ""},
        stdout=subprocess.PIPE,
        text=True,
    )


def assert_whole(user: User) -> int:
    """Assert that a person has exactly one token, with a whole history; return its generation."""
    [row] = ApiToken.objects.filter(user=user)
    generation = row.generation
    assert check(token_text(user)) == generation
    kept = sorted(RevokedToken.objects.filter(user=user).values_list("generation", flat=True))
    assert kept == list(range(max(1, generation - issuance.REVOKED_KEPT_AT_MOST), generation))
    replaced = {Kind.TOKEN_REVOKED.value: generation - 1} if generation > 1 else {}
    assert events(user) == {Kind.TOKEN_ISSUED.value: generation, **replaced}
    # Each revoke is mailed once, alone or together with others.
    assert sum(mail.context["count"] for mail in Email.objects.filter(to=user.email)) == generation - 1
    return generation


def test_what_goes_wrong_in_one_of_many_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once(20, lambda: 1 / 0)


def test_what_goes_wrong_before_they_start_keeps_none_of_them_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOCK_TIMEOUT, connection.vendor, ("", "no SQL"))

    with pytest.raises(DatabaseError):
        at_once(20, lambda: None)


def test_twenty_first_visits_at_once_make_one_token() -> None:
    carol = User.objects.create_user("carol@example.net")

    found = at_once(20, lambda: issuance.token_of(carol, LAPTOP))

    row = ApiToken.objects.get()
    assert {bytes(token.digest) for token in found} == {bytes(row.digest)}
    assert assert_whole(carol) == 1


def test_fifty_revokes_of_one_generation_at_once_replace_the_token_once(alice: User) -> None:
    old = token_text(alice)

    outcomes = at_once(50, lambda: issuance.revoke(alice, 1, PHONE, even_if_used=False))

    verdicts = [outcome.verdict for outcome in outcomes]
    assert (verdicts.count(Verdict.REPLACED), verdicts.count(Verdict.ALREADY_REPLACED)) == (1, 49)
    row, revoked = ApiToken.objects.get(), RevokedToken.objects.get()
    assert {(bytes(outcome.token.digest), outcome.revoked) for outcome in outcomes} == {(bytes(row.digest), revoked)}
    assert assert_whole(alice) == 2
    assert check(old) is RefusalReason.REVOKED


def test_uses_and_revokes_at_once_ask_or_replace_but_never_both(alice: User) -> None:
    """A first use at the same time turns a revoke into a question."""
    token = token_text(alice)
    turns = iter(range(20))

    def use_or_revoke() -> int | RefusalReason | Outcome:
        return issuance.revoke(alice, 1, PHONE, even_if_used=False) if next(turns) == 10 else check(token)

    results = at_once(20, use_or_revoke)

    [outcome] = [result for result in results if isinstance(result, Outcome)]
    row = ApiToken.objects.get()
    if outcome.verdict is Verdict.REPLACED:
        assert (row.generation, row.last_used_at) == (2, None)
        assert RevokedToken.objects.get().last_used_at is None
        assert check(token) is RefusalReason.REVOKED
    else:
        assert outcome.verdict is Verdict.IN_USE
        assert (row.generation, row.last_used_ip) == (1, "127.0.0.1")
        assert check(token) == 1


@pytest.mark.matrix
def test_a_process_killed_after_any_statement_of_a_revoke_leaves_the_old_token_or_the_new() -> None:
    dan = User.objects.create_user("dan@example.net")
    issuance.issue(dan, LAPTOP)
    with CaptureQueriesContext(connection) as queries:
        issuance.revoke(dan, 1, LAPTOP, even_if_used=True)
    users = [User.objects.create_user(f"user{number}@example.net") for number in range(len(queries) + 5)]
    for user in users:
        issuance.issue(user, LAPTOP)
    old = [token_text(user) for user in users]

    endings, _ = revoke_until_killed("step", *users).communicate()

    generations = [assert_whole(user) for user in users]
    killed = endings.split().count(str(-signal.SIGKILL))
    assert killed >= len(queries)
    assert endings.split() == [str(-signal.SIGKILL)] * killed + ["0"] * (len(users) - killed)
    assert generations == [1] * killed + [2] * (len(users) - killed)
    assert generations[-1] == 2
    assert [check(token) for token in old] == [
        1 if generation == 1 else RefusalReason.REVOKED for generation in generations
    ]


@pytest.mark.matrix
@pytest.mark.release
def test_a_process_killed_in_the_middle_of_many_revokes_loses_none_that_was_answered(alice: User) -> None:
    with revoke_until_killed("many", alice) as process:
        assert process.stdout is not None
        answered = [int(process.stdout.readline()) for _ in range(25)][-1]
        process.kill()
        answered = max([answered, *map(int, process.stdout.read().split())])

    assert process.returncode == -signal.SIGKILL
    assert assert_whole(alice) >= answered
