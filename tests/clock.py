"""Time that stands still until a test moves it."""


class Clock:
    """Replaces `time` in a module under test. Seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
