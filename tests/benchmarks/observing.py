"""What it costs a call to be logged and counted: `GET /api/v7/token` in process, with and without."""

import logging
import os
import tempfile
from collections.abc import Callable
from logging.config import DictConfigurator

from django.core.management import call_command

from accounts.models import User
from accounts.web.clients import Client
from botpenguin.observability import log_config, request_log, request_metrics
from botpenguin.wsgi import application
from developers import issuance, usage
from developers import metrics as counting
from developers.bearer import verification
from tests.benchmarks.measure import microseconds
from tests.benchmarks.token import caller
from tests.cast import token_text

CALLS = 1000
Count = Callable[..., None]


def main() -> None:
    call_command("migrate", verbosity=0)
    client = Client("127.0.0.1", "benchmark")
    person = User.objects.create_user("observed@example.com")
    issuance.issue(person, client)
    usage.record_use(person.pk, 1, client)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[counting.FOLDER] = folder
        counting.is_on.cache_clear()
        on = (
            request_metrics.request_counter(),
            counting.counter("botpenguin_bearer_checks", "As in the server.", "outcome"),
        )
        off = (counting.ignore, counting.ignore)
        authorization = f"Bearer {token_text(person)}"
        call = caller(application, "/api/v7/token", Authorization=authorization)
        print_table(
            microseconds(
                {
                    "neither": under(None, off, call),
                    "a line of text": under("text", off, call),
                    "a line of JSON": under("json", off, call),
                    "a line of JSON, and metrics": under("json", on, call),
                },
                CALLS,
            )
        )


def under(log_format: str | None, counts: tuple[Count, Count], call: Callable[[], None]) -> Callable[[], None]:
    """Return the call with the log in this format or without one, and with these counters."""
    configurator = DictConfigurator(log_config.configuration(log_format or "text"))
    level = logging.INFO if log_format else logging.WARNING
    formatter = configurator.configure_formatter(configurator.config["formatters"]["line"])
    [handler] = logging.getLogger().handlers

    def observed() -> None:
        handler.setFormatter(formatter)
        request_log.logger.setLevel(level)
        request_metrics.count_request, verification.count_check = counts
        call()

    return observed


def print_table(values: dict[str, float]) -> None:
    print("\nThe call in process, logged and counted\n")
    print("| | µs | of the call with neither |\n|---|---:|---:|")
    for name, value in values.items():
        print(f"| {name} | {value:,.1f} | {value / values['neither']:.2f} |")
