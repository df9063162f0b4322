"""Servers without coverage: other tests cover their code, and here speed matters."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import postgresql
from tests.resilience.load import make_people, opened
from tests.server import Server, write_secrets

Serve = Callable[..., Server]


@pytest.fixture(autouse=True)
def closed_connections() -> Iterator[None]:
    yield
    while opened:
        opened.pop()()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start a server on SQLite, or where `DATABASE_URL` says, with its limits off; stop it after the module."""
    with ExitStack() as stack:

        def start(folder: Path | None = None, **settings: str) -> Server:
            folder = folder or tmp_path_factory.mktemp("node")
            limits = {"API_RATE_LIMIT": "0", "MAIL_WORKER": "off", "WORKERS": "2"}
            if "DATABASE_URL" in settings:
                write_secrets(folder / ".env")
            server = Server(folder, **limits | settings)
            server.start()
            stack.callback(server.stop)
            server.wait_until_ready()
            return server

        yield start


@pytest.fixture(scope="session")
def node(node: Server) -> Server:
    """The shared server, with accounts that log in with a password."""
    make_people(node, 4)
    return node


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgresql.postgresql() as url:
        yield url
