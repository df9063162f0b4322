"""Rows of tokens are moved in the database of a running server: no token works for another account."""

from pathlib import Path

import pytest

from tests.platform.calls import accounts_on
from tests.server import Server, ask

pytestmark = [pytest.mark.server, pytest.mark.resilience, pytest.mark.release]

MOVE = [
    # The row itself.
    "DELETE FROM developers_apitoken WHERE user_id = {victim}",
    "UPDATE developers_apitoken SET user_id = {victim} WHERE user_id = {thief}",
]
SWAP = [
    # All of its secret columns.
    "CREATE TEMPORARY TABLE taken AS SELECT digest, ciphertext, key_id, binding FROM developers_apitoken"
    " WHERE user_id = {thief}",
    "DELETE FROM developers_apitoken WHERE user_id = {thief}",
    "UPDATE developers_apitoken SET (digest, ciphertext, key_id, binding) = (SELECT * FROM taken)"
    " WHERE user_id = {victim}",
]


def status_of(server: Server, token: str) -> int:
    return ask(f"{server.url}/api/v7/token", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_whose_row_was_moved_while_the_server_runs_is_refused(tmp_path: Path) -> None:
    with Server(tmp_path, WORKERS="2", MAIL_WORKER="off") as server:
        tokens = accounts_on(server, 5)
        before = [status_of(server, token) for token in tokens]
        people = [
            pk for (pk,) in server.rows("SELECT user_id FROM developers_apitoken ORDER BY issued_at, user_id")[-5:]
        ]
        with server.database() as database:
            for statements, thief, victim in ((MOVE, people[0], people[1]), (SWAP, people[2], people[3])):
                for statement in statements:
                    database.execute(statement.format(thief=thief, victim=victim))

        answered = [status_of(server, token) for token in tokens]

    assert before == [200] * 5
    assert answered == [401, 401, 401, 401, 200]
    for victim in (people[1], people[3]):
        assert f"The token of user {victim}, generation 1, is refused: its row was changed by something else" in (
            server.output
        )
