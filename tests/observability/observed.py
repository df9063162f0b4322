"""A server of two processes that logs JSON and counts for Prometheus."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from developers import tokens
from tests.server import CoveredServer, ask, free_port, poll
from tests.visitor import Visitor

PAGE = "/developers/api-access-token/"


class Observed(CoveredServer):
    """A server with a port for metrics. Its log is read as JSON."""

    def __init__(self, folder: Path) -> None:
        self.metrics_port = free_port()
        super().__init__(folder, LOG_FORMAT="json", METRICS_PORT=str(self.metrics_port), WORKERS="2", MAIL_WORKER="off")

    @property
    def sentences(self) -> list[str]:
        """The lines before the first JSON line."""
        return self.output.partition("\n{")[0].splitlines()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines."""
        return [json.loads(line) for line in self.output.splitlines()[len(self.sentences) :]]

    def lines_of(self, request_id: str, number: int = 1) -> list[dict[str, Any]]:
        """Return the lines with this id once there are so many: a request's own is written after its answer."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines if line["request_id"] == request_id]

        poll(lambda: len(found()) >= number)
        return found()

    def scrape(self) -> Counter[str]:
        """Return every sample, by its name and labels."""
        page = ask(f"http://127.0.0.1:{self.metrics_port}/metrics")
        page.raise_for_status()
        return Counter(
            {
                " ".join([sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))]): int(
                    sample.value
                )
                for family in text_string_to_metric_families(page.text)
                for sample in family.samples
                if not sample.name.endswith(("_bucket", "_sum"))
            }
        )


def shown(owner: Visitor) -> str:
    [token] = set(tokens.PATTERN.findall(owner.post(f"{PAGE}show/", {}, page=PAGE, discloses=True).text))
    return str(token)


def bearing(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} | headers
