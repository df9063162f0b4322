"""`python -m tests.postgresql COMMAND ...` runs a command beside a PostgreSQL of its own.

The server keeps its files in a temporary folder, listens on a free port of 127.0.0.1 and
ends with the command. `DATABASE_URL` tells the command where it is.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server import free_port

# PostgreSQL refuses to run as root.
ACCOUNT = "postgres"


@contextmanager
def postgresql() -> Iterator[str]:
    """Start a server, and give the URL of its database until the block ends."""
    user = ACCOUNT if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="botpenguin-postgresql-") as name:
        folder, port = Path(name), free_port()
        if user:
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [str(program_path(program)), "--pgdata", str(folder / "data"), *arguments],
                cwd=folder,
                user=user,
                stdout=subprocess.DEVNULL,
                check=True,
                # Ctrl-C is for the command; the server ends after it.
                start_new_session=True,
            )

        run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=300"
        run("pg_ctl", "start", "--wait", f"--log={folder / 'log'}", f"--options={options}")
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "--wait", "--mode=immediate")


def program_path(program: str) -> Path:
    """Find a program of PostgreSQL: on PATH, or where Debian keeps those of every version."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(program) or (debian[-1] if debian else None)
    if found is None:
        sys.exit(f"{program} is missing. Run: sudo apt-get install --no-install-recommends postgresql")
    return Path(found)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with postgresql() as url:
            command = subprocess.run(sys.argv[1:], env=os.environ | {"DATABASE_URL": url}, check=False)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    sys.exit(command.returncode)


if __name__ == "__main__":
    main()
