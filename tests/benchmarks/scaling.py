"""`GET /token` with more processes and with more tokens in the table: the check must not grow with the table."""

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import server
from tests.benchmarks.measure import medians
from tests.postgresql import postgresql
from tests.server import ROOT, free_port, poll, responds

SIZES = (10_000, 1_000_000)
PROCESSES = (1, 2, 4)
SAMPLED = 100
ROTATED = 100_000
CONNECTIONS, SECONDS = 16, 2
# wrk asks with one token after the other.
SCRIPT = """
local tokens, number = {{{tokens}}}, 0
request = function()
  number = number % #tokens + 1
  return wrk.format("GET", "/api/v7/token", {{["Authorization"] = "Bearer " .. tokens[number]}})
end
"""


def main() -> None:
    print(f"\nRequests a second of `GET /api/v7/token`, {os.cpu_count()} cores, {CONNECTIONS} connections\n")
    print("| database | processes | " + " | ".join(f"{size:,} tokens" for size in SIZES) + " | ratio |")
    print("|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="botpenguin-scaling-") as name:
        for engine in ("SQLite", "PostgreSQL"):
            bench_engine(engine, Path(name))
        compare_engines(Path(name))
        bench_key_rotation(Path(name))


def compare_engines(folder: Path) -> None:
    """Measure the engines in turns: two tables that are made one after the other cannot be compared."""
    with postgresql() as url, ExitStack() as servers:
        places = {"SQLite": folder / "sqlite", "PostgreSQL": folder / "postgresql"}
        urls = {"SQLite": server.sqlite_url(places["SQLite"] / "db.sqlite3"), "PostgreSQL": url}
        candidates = {}
        for engine, place in places.items():
            place.mkdir()
            environment = settings(place, DATABASE_URL=urls[engine])
            script = write_script(place, fill(environment, SIZES[0]))
            candidates[engine] = load(servers.enter_context(granian(environment, 1)), script)
        found = medians(candidates)
    rates = ", ".join(f"{engine} {rate:,.0f}" for engine, rate in found.items())
    print(f"\nOne process, in turns: {rates}. PostgreSQL against SQLite: {found['PostgreSQL'] / found['SQLite']:.2f}")


def write_script(place: Path, tokens: list[str]) -> Path:
    script = place / "tokens.lua"
    script.write_text(SCRIPT.format(tokens=", ".join(f'"{token}"' for token in tokens)))
    return script


def bench_engine(engine: str, folder: Path) -> None:
    with ExitStack() as stack:
        filled = []
        for size in SIZES:
            place = folder / f"{engine}-{size}"
            place.mkdir()
            url = server.sqlite_url(place / "db.sqlite3")
            if engine == "PostgreSQL":
                url = stack.enter_context(postgresql())
            environment = settings(place, DATABASE_URL=url)
            filled.append((size, environment, write_script(place, fill(environment, size))))
        for processes in PROCESSES:
            with ExitStack() as servers:
                candidates = {
                    f"{size}": load(servers.enter_context(granian(environment, processes)), script)
                    for size, environment, script in filled
                }
                found = [*medians(candidates).values()]
            row = [engine, str(processes), *(f"{value:,.0f}" for value in found), f"{found[1] / found[0]:.2f}"]
            print("| " + " | ".join(row) + " |", flush=True)


def bench_key_rotation(folder: Path) -> None:
    place = folder / "rotation"
    place.mkdir()
    old, new = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    environment = settings(place, DATABASE_URL=server.sqlite_url(place / "db.sqlite3"), TOKEN_KEYS=old)
    made = server.run(sys.executable, "-m", "tests.benchmarks.fill_sealed", str(ROTATED), env=environment)
    assert made.returncode == 0, made.stderr
    began_at = time.monotonic()
    command = [sys.executable, "manage.py", "rotate_token_keys"]
    subprocess.run(
        command, cwd=ROOT, env=environment | {"TOKEN_KEYS": f"{new},{old}"}, check=True, stdout=subprocess.DEVNULL
    )
    took = time.monotonic() - began_at
    print(f"\nrotate_token_keys on SQLite: {ROTATED:,} tokens in {took:,.0f} s, {ROTATED / took:,.0f} a second")


def settings(place: Path, **more: str) -> dict[str, str]:
    fresh = {"SECRET_KEY": secrets.token_urlsafe(48), "TOKEN_KEYS": secrets.token_urlsafe(32)}
    common = {"API_RATE_LIMIT": "0", "DJANGO_SETTINGS_MODULE": "botpenguin.settings", "PYTHONWARNINGS": "ignore"}
    return server.environment(place, **fresh | common | more)


def fill(environment: dict[str, str], rows: int) -> list[str]:
    command = [sys.executable, "-m", "tests.benchmarks.fill", str(rows), str(SAMPLED)]
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return made.stdout.split()


@contextmanager
def granian(environment: dict[str, str], processes: int) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--log-level", "error"]
    command += ["--workers", str(processes), "--blocking-threads", "4", "botpenguin.wsgi:application"]
    # Each request writes a line, as in production. The output is discarded.
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as running:
        try:
            poll(lambda: responds(port), 60)
            yield port
        finally:
            running.terminate()


def load(port: int, script: Path) -> Callable[[], float]:
    url = f"http://127.0.0.1:{port}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), url]

    def measure() -> float:
        report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in report, report
        match = re.search(r"Requests/sec:\s+([\d.]+)", report)
        assert match, report
        return float(match[1])

    return measure
