"""The line of a request without a record of `logging` is the one that a record would give."""

import io
import json
import logging
import time
from logging.config import DictConfigurator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botpenguin.observability import log_config, request_ids, request_lines, request_log
from botpenguin.observability.request_lines import LineHandler, RequestLine

LINES = st.builds(
    RequestLine,
    request_id=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
    method=st.sampled_from([*sorted(request_log.METHODS), request_log.OTHER]),
    route=st.sampled_from(["/api/v7/bots/{bot_id}", "/static/{path}", "-", "/"]),
    status=st.integers(100, 599),
    seconds=st.floats(0, 100),
    client=st.one_of(st.ip_addresses().map(str), st.just("-")),
    user=st.one_of(st.integers(1, 2**63 - 1), st.just("-")),
)
LINE = RequestLine("call-1", "GET", "/api/v7/token", 200, 0.0012, "203.0.113.9", 7)
# Around the ends of seconds, where a rounding would show.
TIMES = st.floats(1.7e9, 2e9) | st.integers(1_700_000_000_000, 2_000_000_000_000).map(lambda number: number / 1000)


class Writer:
    """The project's handler, in one format, writing to a string."""

    def __init__(self, log_format: str) -> None:
        configurator = DictConfigurator(log_config.configuration(log_format))
        self.stream = io.StringIO()
        self.handler = LineHandler(self.stream)
        self.handler.setFormatter(configurator.configure_formatter(configurator.config["formatters"]["line"]))
        for name in configurator.config["handlers"]["stderr"]["filters"]:
            self.handler.addFilter(configurator.configure_filter(configurator.config["filters"][name]))

    def log(self, line: RequestLine) -> str:
        """Log while records reach this handler and no other, as in a server. Return all that was written."""
        root = logging.getLogger()
        others = root.handlers[:]
        root.handlers[:] = [self.handler]
        try:
            request_log.log(line)
        finally:
            root.handlers[:] = others
        return self.stream.getvalue()


@pytest.fixture(params=["text", "json"])
def writer(request: pytest.FixtureRequest) -> Writer:
    return Writer(request.param)


def with_record(line: RequestLine, writer: Writer, created: float) -> str:
    """Return what the handler writes of a record."""
    record = logging.makeLogRecord(
        {
            "name": request_lines.LOGGER,
            "levelno": logging.INFO,
            "levelname": "INFO",
            "msg": "%s",
            "args": (line.message,),
            "created": created,
            "msecs": int((created - int(created)) * 1000) + 0.0,
            **line.fields,
        }
    )
    start = len(writer.stream.getvalue())
    with request_ids.of(line.request_id):
        writer.handler.handle(record)
    return writer.stream.getvalue()[start:]


@pytest.mark.parametrize(("log_format", "write"), [("text", request_lines.as_text), ("json", request_lines.as_json)])
@given(line=LINES, created=TIMES)
def test_a_line_is_what_a_record_would_give(log_format: str, write: Any, line: RequestLine, created: float) -> None:
    written = with_record(line, Writer(log_format), created)

    assert f"{write(line, created)}\n" == written


def test_a_handler_that_nobody_filters_gets_the_line_without_a_record(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.Logger, "makeRecord", None)

    written = writer.log(LINE)

    assert "GET /api/v7/token 200 in 1.2 ms to 203.0.113.9, user 7" in written
    assert written.count("\n") == 1


def test_a_filter_of_somebody_else_sees_a_record(writer: Writer) -> None:
    seen: list[logging.LogRecord] = []

    def keep(record: logging.LogRecord) -> bool:
        seen.append(record)
        return False

    writer.handler.addFilter(keep)
    written = writer.log(LINE)

    assert [(record.getMessage(), vars(record)["request_id"]) for record in seen] == [(LINE.message, "call-1")]
    assert written == ""


@pytest.mark.parametrize("place", ["logger", "handler"])
def test_a_filter_or_handler_of_the_logger_sees_a_record(writer: Writer, place: str) -> None:
    other = io.StringIO()
    logger = logging.getLogger(request_lines.LOGGER)
    handler = logging.StreamHandler(other)
    add, remove = (
        (logger.addHandler, logger.removeHandler) if place == "handler" else (logger.addFilter, logger.removeFilter)
    )
    thing: Any = handler if place == "handler" else (lambda record: other.write(f"{record.getMessage()}\n"))

    add(thing)
    try:
        written = writer.log(LINE)
    finally:
        remove(thing)

    assert other.getvalue() == f"{LINE.message}\n"
    assert LINE.message in written


def test_another_formatter_gets_a_record(writer: Writer) -> None:
    writer.handler.setFormatter(logging.Formatter("%(name)s %(status)s %(message)s"))

    written = writer.log(LINE)

    assert written == f"botpenguin.requests 200 {LINE.message}\n"


@pytest.mark.parametrize("error", [OSError("No space left on device"), ValueError("I/O operation on closed file")])
def test_a_line_that_cannot_be_written_is_lost_without_an_error(writer: Writer, error: Exception) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    writer.handler.setStream(Full())
    writer.log(LINE)
    writer.handler.setStream(writer.stream)

    assert writer.log(LINE).count("\n") == 1


def test_the_time_is_that_of_the_clock(writer: Writer) -> None:
    before = time.time()

    text = writer.log(LINE)

    written = json.loads(text)["time"][:19].replace("T", " ") if text.startswith("{") else text[:19]
    times = [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)) for at in (before, time.time())]
    assert times[0] <= written <= times[1]
