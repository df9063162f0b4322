"""One primary, directly and through PgBouncer: `GET /token` with more processes, and its look-up without Python."""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from tests import pgbouncer, postgresql
from tests.benchmarks import scaling
from tests.benchmarks.measure import medians
from tests.benchmarks.scaling import CONNECTIONS, PROCESSES, SECONDS
from tests.postgresql import PostgreSQL, program_path

SIZE = 10_000
# As in deploy/.
POOL_SIZE = "default_pool_size = 20"
# A row by a digest that `fill` has given it, as a bearer check reads it.
LOOK_UP = """
\\set i random(1, :rows)
SELECT t.generation, t.digest, t.key_id, t.binding, t.last_used_at, u.id, u.email, u.is_active
FROM developers_apitoken t JOIN accounts_user u ON u.id = t.user_id
WHERE t.digest IN (sha256(CAST(CAST(:i AS text) AS bytea)));
"""


def main() -> None:
    print(f"\nOne PostgreSQL, {os.cpu_count()} cores, {CONNECTIONS} connections\n")
    print("| requests a second | directly | through PgBouncer | ratio |\n|---|---:|---:|---:|")
    with (
        tempfile.TemporaryDirectory(prefix="botpenguin-pooler-") as name,
        postgresql.server() as behind,
        pgbouncer.pooler(behind, POOL_SIZE) as pooler,
    ):
        place = Path(name)
        direct = scaling.settings(place, DATABASE_URL=behind.url)
        through = direct | pgbouncer.addresses(pooler, behind.url)
        tokens = scaling.fill(direct, SIZE)
        pgbouncer.set_timeouts(**pgbouncer.addresses(pooler, behind.url))
        script = scaling.write_script(place, tokens)
        for processes in PROCESSES:
            with ExitStack() as servers:
                found = {
                    kind: scaling.load(servers.enter_context(scaling.granian(environment, processes)), script)
                    for kind, environment in (("directly", direct), ("through", through))
                }
                print_row(f"`GET /api/v7/token`, {processes} process{'es' * (processes > 1)}", medians(found))
        print_row("the look-up alone (`pgbench`)", medians(look_ups(place, behind, pooler.url(behind.url))))


def look_ups(place: Path, behind: PostgreSQL, through: str) -> dict[str, Callable[[], float]]:
    script = place / "look-up.sql"
    script.write_text(LOOK_UP)
    # As a bearer check, which prepares its statement only without a pooler.
    return {
        "directly": pgbench(behind.url, script, "prepared"),
        "through": pgbench(through, script, "extended"),
    }


def pgbench(url: str, script: Path, protocol: str) -> Callable[[], float]:
    """Return a function that measures the transactions a second of a script."""
    command = [str(program_path("pgbench")), "-n", "-M", protocol, "-D", f"rows={SIZE - scaling.SAMPLED}"]
    command += [f"-c{CONNECTIONS}", f"-T{SECONDS}", "-f", str(script), url]

    def measure() -> float:
        report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        match = re.search(r"tps = ([\d.]+)", report)
        assert match, report
        return float(match[1])

    return measure


def print_row(name: str, found: Mapping[str, float]) -> None:
    direct, through = found.values()
    print(f"| {name} | {direct:,.0f} | {through:,.0f} | {through / direct:.2f} |", flush=True)
