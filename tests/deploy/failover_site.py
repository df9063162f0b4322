"""Two nodes behind nginx, each with a haproxy of its own in front of the cluster."""

import sys
from contextlib import ExitStack
from pathlib import Path

import psycopg

from tests.deploy.cluster import DEPLOY, PASSWORD, Cluster, Haproxy
from tests.deploy.failover_load import Load
from tests.nginx import HOST, Nginx
from tests.resilience.load import PATH, make_people, opened
from tests.server import Server, ask, poll, run, write_secrets

# What nginx adds.
AS_NGINX = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
ADDRESSES = ("127.0.0.1", "127.0.0.2")
# Beside those of the load, people whose tokens no program has used.
MORE_PEOPLE = 8


def settings_of_nodes() -> dict[str, str]:
    lines = (DEPLOY / "node.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


class Site:
    """All that docs/failover.md describes. `folder` may be entered by every user of this machine."""

    def __init__(self, folder: Path, cluster: Cluster, stack: ExitStack) -> None:
        self.cluster = cluster
        self.fences = [Haproxy(folder, address) for address in ADDRESSES]
        for fence in self.fences:
            stack.callback(fence.stop)
        self._create_database()
        self.nodes = [self._node(folder, address) for address in ADDRESSES]
        made = run(sys.executable, "-m", "botpenguin.bootstrap", "--new-database", env=self.nodes[0].environment)
        assert made.returncode == 0, made.stderr
        for node in self.nodes:
            stack.enter_context(node)
        make_people(self.nodes[0], 4 + MORE_PEOPLE)
        (folder / "nginx").mkdir()
        self.nginx = stack.enter_context(Nginx(folder / "nginx", *(node.port for node in self.nodes)))
        stack.callback(close_connections)
        self.load = Load(self.nginx)
        self.workers = self.processes()

    def _create_database(self) -> None:
        """Run the statements of docs/failover.md as the superuser, through haproxy."""
        web = settings_of_nodes()["DATABASE_URL"].split("//")[1].split("@")[0].split(":")
        url = f"postgres://postgres:{PASSWORD}@127.0.0.1:5000/postgres"
        with poll(lambda: connected(url)) as connection:
            connection.execute(f"CREATE ROLE {web[0]} LOGIN PASSWORD '{web[1]}'".encode())
            connection.execute(f"CREATE DATABASE panel OWNER {web[0]} ENCODING 'UTF8' TEMPLATE template0".encode())

    def _node(self, folder: Path, address: str) -> Server:
        own = folder / f"node-{address}"
        own.mkdir()
        write_secrets(folder / ".env")
        given = settings_of_nodes()
        given["DATABASE_URL"] = given["DATABASE_URL"].replace("127.0.0.1", address)
        return Server(
            own,
            ENV_FILE=str(folder / ".env"),
            HTTPS="on",
            PUBLIC_URL=f"https://{HOST}",
            TRUSTED_PROXIES="127.0.0.1",
            # Programs call with revoked tokens too, and as often as they can.
            API_RATE_LIMIT="0",
            MAIL_WORKER="off",
            **given,
        )

    def forgotten(self, since: float = 0) -> list[tuple[str, int, str]]:
        """Ask every node about each token whose revoke was answered, and return all that are not refused."""
        found = []
        for node in self.nodes:
            with node.client() as client:
                for token in [token for token, at in self.load.revoked.items() if at >= since]:
                    answer = client.get(PATH, headers=AS_NGINX | {"Authorization": f"Bearer {token}"})
                    found += [(node.url, answer.status_code, token)] if answer.status_code != 401 else []
        return found

    def statuses(self, path: str) -> list[int]:
        """Ask each node, and not by nginx."""
        return [ask(f"{node.url}{path}", headers=AS_NGINX).status_code for node in self.nodes]

    def processes(self) -> list[list[int]]:
        return [sorted(node.workers) for node in self.nodes]


def connected(url: str) -> "psycopg.Connection[tuple[object, ...]] | None":
    try:
        return psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError:
        return None


def close_connections() -> None:
    while opened:
        opened.pop()()
