"""`make run`: prepares everything, then serves pages and sends mail until a signal stops it.

The preparations run in this one process, because each start of Python and Django takes half
a second. Django's checks do not run under WSGI, so they run here.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import NoReturn

import django
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from botpenguin import bootstrap
from botpenguin.configuration import database
from botpenguin.database import direct
from botpenguin.database.deadline import deadline
from botpenguin.http import static_files
from botpenguin.http.drain import drain
from developers.metrics import FOLDER

STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
BACKLOG = 1024
# A stopping worker has this time to finish its requests.
SECONDS_FOR_REQUESTS = 25
SECONDS_TO_STOP = 30
# The advisory lock of PostgreSQL for nodes that start simultaneously: an arbitrary number.
STARTING = 0x626F_7470
# Ninja's reference pages and the other scripts of django-htmx: megabytes that no page uses.
UNUSED_STATIC_FILES = ["ninja", "ext", "htm*x-4.*"]
ANY_ADDRESS = ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


def main() -> None:
    # The preparation may be interrupted anywhere. A KeyboardInterrupt could get lost: Python drops one that is
    # raised while it finalizes an object.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        prepare()
        sys.exit(supervise())
    except (bootstrap.SecretsMissing, ImproperlyConfigured) as error:
        refuse(str(error))
    except DatabaseError as error:
        refuse(f"The database cannot be used: {error}")


def refuse(sentence: str) -> NoReturn:
    # In one write, unlike `sys.exit`: threads of the database pool may still be logging.
    sys.stderr.write(f"{sentence}\n")
    sys.exit(1)


def prepare() -> None:
    """Create what is missing: secrets, database, static files and the first account."""
    # Database, mails and counters are for the owner only.
    os.umask(0o077)
    written = bootstrap.ensure_secrets()
    if written:
        print(f"Wrote fresh secrets to {written}. Keep it as safe as the database.", flush=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botpenguin.settings")
    django.setup()
    create_state_dir()
    # 0.1.0 left them to the umask.
    database.make_private(*settings.STATE_DIR.glob("logging-*.json"), *settings.STATE_DIR.glob("mail/*.log"))
    refuse_taken_port(settings.HOST, settings.PORT, "PORT=8001 make run")
    if settings.METRICS_PORT:
        if settings.METRICS_PORT == settings.PORT:
            raise ImproperlyConfigured("METRICS_PORT is the port of the pages. Choose another, such as 9101.")
        refuse_taken_port(settings.METRICS_HOST, settings.METRICS_PORT, "METRICS_PORT=9101 make run")
    drain.withdraw()
    with alone_at_the_database():
        refuse_bad_configuration()
        migrate()
        call_command("create_first_account")
    with bootstrap.alone_in(settings.STATE_DIR):
        static_files.collect(UNUSED_STATIC_FILES)
    connection.close()
    # This process needs the database no more.
    getattr(connection, "close_pool", bool)()


def create_state_dir() -> None:
    try:
        settings.STATE_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"STATE_DIR cannot be created: {error.filename}: {error.strerror}.") from error


@contextmanager
def alone_at_the_database() -> Iterator[None]:
    """Let one node at a time prepare the database. The others wait."""
    if connection.vendor == "sqlite":
        name = str(settings.DATABASES["default"]["NAME"])
        folder = database.file_of(name).parent
        if not folder.is_dir():
            raise ImproperlyConfigured(f"The folder of the database is missing: {folder}.")
        with bootstrap.alone_in(folder):
            database.make_private(*database.files_of(name))
            yield
        return
    with deadline.of_this_thread(None), direct.connected() as preparing:
        direct.refuse_pooler(preparing)
        with preparing.cursor() as cursor:
            # The timeouts are meant for requests. Waiting here and migrating may take longer.
            cursor.execute(
                "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0"
            )
            # PostgreSQL releases the lock when the connection ends.
            cursor.execute("SELECT pg_advisory_lock(%s)", [STARTING])
            yield
            cursor.execute("SELECT pg_advisory_unlock(%s)", [STARTING])


def refuse_taken_port(host: str, port: int, instead: str) -> None:
    """Fail early: Granian would share a port with another server that allows sharing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise ImproperlyConfigured(
                f"Cannot listen on {host}:{port} ({error}). Stop what uses that port, or choose another: {instead}"
            ) from error


def refuse_bad_configuration() -> None:
    serious = [
        message
        for message in checks.run_checks(databases=["default"])
        if message.is_serious() and not message.is_silenced()
    ]
    if serious:
        raise ImproperlyConfigured("\n".join(f"{message.msg} {message.hint or ''}".rstrip() for message in serious))


def migrate() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        print(f"Updating the database: {len(plan)} migrations.")
        call_command("migrate", verbosity=0, interactive=False)


def supervise() -> int:
    """Run the web server and the mail worker until a signal says stop (0) or one of them ends by itself (1)."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # Signals arrive as bytes in a pipe, so none is lost and none interrupts this code.
    signal.set_wakeup_fd(writer)
    for number in (*STOP_SIGNALS, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)

    # Passkeys and secure cookies need a host name: they do not work at 127.0.0.1.
    name = "localhost" if settings.HOST in ANY_ADDRESS else settings.HOST
    print(f"BotPenguin is at http://{name}:{settings.PORT} - log in there with the email and password of an account.")
    print("Press Ctrl-C to stop.", flush=True)
    children = [start(web_server(), count_for_prometheus()), *([start(mail_worker())] if settings.MAIL_WORKER else [])]
    while all(child.poll() is None for child in children):
        received = os.read(reader, 1)[0]
        if received in STOP_SIGNALS:
            if received == signal.SIGTERM:
                serve_on(reader)
            stop(children)
            return 0
    print("One of the processes ended by itself, so the others are stopped too.", file=sys.stderr)
    stop(children)
    return 1


def serve_on(reader: int) -> None:
    """Announce the stop to load balancers, and wait `DRAIN_SECONDS`. Another signal ends the wait."""
    if settings.DRAIN_SECONDS:
        drain.announce()
        select.select([reader], [], [], settings.DRAIN_SECONDS)


def count_for_prometheus() -> Mapping[str, str]:
    """Serve metrics if a port is set; return the environment that makes the web server's processes count."""
    if not settings.METRICS_PORT:
        return {}
    # Imported here because it imports models, which need a configured Django.
    from botpenguin.observability import prometheus  # noqa: PLC0415

    prometheus.clear()
    prometheus.serve()
    return {FOLDER: str(prometheus.folder())}


def web_server() -> Sequence[str]:
    # Granian logs too, and reads its logging configuration from a file.
    logging = settings.STATE_DIR / f"logging-{settings.PORT}.json"
    logging.write_text(json.dumps(settings.LOGGING))
    return (
        *("botpenguin.server.granian", "botpenguin.wsgi:application", "--interface", "wsgi", "--http", "1", "--no-ws"),
        *("--host", settings.HOST, "--port", str(settings.PORT), "--backlog", str(BACKLOG)),
        *("--workers", str(settings.WORKERS), "--blocking-threads", str(settings.THREADS)),
        *("--workers-kill-timeout", str(SECONDS_FOR_REQUESTS), "--respawn-failed-workers"),
        # Errors only: on a busy machine Granian warns about workers that have already ended.
        *("--no-access-log", "--log-level", "error", "--log-config", str(logging)),
    )


def mail_worker() -> Sequence[str]:
    return ("django", "mail_worker")


def start(command: Sequence[str], more: Mapping[str, str] = MappingProxyType({})) -> subprocess.Popen[bytes]:
    """Start a module in a session of its own, so that Ctrl-C reaches only this process, which stops its children."""
    return subprocess.Popen(
        [sys.executable, "-m", *command], env=os.environ | more, stdin=subprocess.DEVNULL, start_new_session=True
    )


def stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        for _ in range(SECONDS_TO_STOP):
            try:
                child.wait(1)
                break
            except subprocess.TimeoutExpired:
                # Repeated, because Granian may miss it while it replaces a worker. Not sent to the workers: a
                # third SIGTERM would freeze a worker with its requests.
                child.terminate()
        # Workers that outlived Granian are still in its process group.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


if __name__ == "__main__":
    main()
