"""A node that stops answers every request on a connection that it has let in."""

import http.client
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.server import Server, poll

pytestmark = [pytest.mark.release, pytest.mark.server, pytest.mark.matrix]


@pytest.mark.parametrize("time", range(2))
def test_no_connection_is_broken_off_under_load(tmp_path: Path, time: int) -> None:
    """A proxy sends a GET on a broken connection again, but no POST."""
    node = Server(tmp_path, WORKERS="2", MAIL_WORKER="off", DRAIN_SECONDS="2")
    seen: Counter[str] = Counter()
    is_over = threading.Event()

    def post() -> None:
        while not is_over.is_set():
            client = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
            try:
                client.connect()
            except OSError:
                seen["refused"] += 1
                is_over.wait(0.02)
                continue
            try:
                client.request("POST", "/account/login/", "login=somebody")
                seen[str(client.getresponse().status)] += 1
            except (OSError, http.client.HTTPException) as error:
                seen[repr(error)] += 1
            finally:
                client.close()

    posting = [threading.Thread(target=post) for _ in range(12)]
    with node:
        for thread in posting:
            thread.start()
        poll(lambda: seen["403"] > 200)
        status = node.stop()
        poll(lambda: seen["refused"] > 20)
        is_over.set()
        for thread in posting:
            thread.join()

    assert status == 0
    assert set(seen) == {"403", "refused"}
