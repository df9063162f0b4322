"""What Prometheus is told of requests. developers.metrics says how counting works, and that by default nothing is."""

from collections.abc import Callable
from functools import cache

from developers.metrics import ignore, is_on

# Seconds. A call of the API takes a millisecond, a page some, Argon2 some hundred, and an outbound call up to ten.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def request_counter() -> Callable[[str, str, int, float], None]:
    """Return a function that counts a request: its method, its route, its status and the seconds that it took.

    Of all of these there are only as many as our code knows, whatever clients send. What is the client's
    own fault (4xx) is not timed: it would let strangers fill the files with methods that no route takes.
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
