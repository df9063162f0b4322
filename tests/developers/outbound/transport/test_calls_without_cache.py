"""The cache fails during a call: what was sent was sent, so its response is shown and logged."""

from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection

from accounts.models import User
from developers.outbound import running
from developers.outbound.models import ApiLog
from developers.outbound.recipe import Recipe
from developers.outbound.transport import cancelling
from tests.cast import LAPTOP
from tests.developers.outbound.servers import LocalServer, Peer, response

pytestmark = [pytest.mark.matrix, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("loopback")]

TABLE = '"accounts_cachedvalue"'


@pytest.mark.parametrize("verb", ["SELECT", "DELETE", ""])
def test_a_call_during_which_the_cache_fails_ends_as_usual(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, verb: str
) -> None:
    monkeypatch.setattr(cancelling, "SECONDS_BETWEEN_LOOKS", 0)
    is_asked, has_looked, looks = Event(), Event(), list[str]()

    def answer(peer: Peer) -> None:
        peer.read_request()
        is_asked.set()
        # The call looks into the cache while it waits, and deletes from it at its end.
        if verb == "SELECT":
            has_looked.wait(60)
        peer.send(response(b'"sunny"'))

    def execute(run: Any, sql: str, *arguments: Any) -> Any:
        if is_asked.is_set() and TABLE in sql and sql.startswith(verb):
            looks.append(sql)
            has_looked.set()
            raise OperationalError("the cache is full")
        return run(sql, *arguments)

    with LocalServer(answer) as server, connection.execute_wrapper(execute):
        recipe = Recipe("GET", server.url)
        found = running.try_out(alice, "Weather", recipe, {}, client=LAPTOP, test_id="a" * 32)

    assert found.response.data == "sunny"
    assert looks
    assert ApiLog.objects.get().status == 200
    waits = f"The next outbound call of user {alice.pk} waits for the time-out of this one: the cache is full"
    assert caplog.messages == ([] if verb == "SELECT" else [waits])
