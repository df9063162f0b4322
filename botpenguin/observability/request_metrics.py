"""Metrics of requests. developers.metrics explains how counting works, and that it is off by default."""

from collections.abc import Callable
from functools import cache

from developers.metrics import ignore, is_on

# Seconds. An API call takes a millisecond, a page a few, Argon2 some hundred, an outbound call up to 10 seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def request_counter() -> Callable[[str, str, int, float], None]:
    """Return a function that counts a request by method, route, status and duration in seconds.

    Clients cannot add labels: methods and routes are those that the code knows. Client errors (4xx) are not timed,
    because they would add histograms for methods that no route has.
    """
    if not is_on():
        return ignore
    from prometheus_client import Counter, Histogram  # noqa: PLC0415 - see developers.metrics

    requests = cache(Counter("botpenguin_http_requests", "Answered requests.", ["method", "route", "status"]).labels)
    durations = cache(
        Histogram(
            "botpenguin_http_request_duration_seconds",
            "Time to the answer of requests that were not refused (4xx), in the application.",
            ["method", "route"],
            buckets=BUCKETS,
        ).labels
    )

    def count(method: str, route: str, status: int, seconds: float) -> None:
        requests(method, route, status).inc()
        if status // 100 != 4:  # noqa: PLR2004 - as above
            durations(method, route).observe(seconds)

    return count


count_request = request_counter()
