"""Measuring side by side: each round runs every candidate once, so that a slow moment slows all of them."""

import statistics
import time
from collections.abc import Callable, Mapping

ROUNDS = 7


def microseconds(candidates: Mapping[str, Callable[[], object]], calls: int) -> dict[str, float]:
    """Return the median CPU time of one call of each candidate, over interleaved rounds of so many calls."""
    rounds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, call in candidates.items():
            start = time.process_time()
            for _ in range(calls):
                call()
            rounds[name].append((time.process_time() - start) / calls * 1e6)
    return {name: statistics.median(times) for name, times in rounds.items()}


def medians(candidates: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Return the median of what each candidate itself reports, over interleaved rounds."""
    rounds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, measure in candidates.items():
            rounds[name].append(measure())
    return {name: statistics.median(values) for name, values in rounds.items()}


def print_table(title: str, unit: str, values: Mapping[str, float], *, is_time: bool) -> None:
    """Print each value, and its ratio to the first value, which is ours."""
    print(f"\n{title}\n")
    print(f"| | {unit} | ours is … times as fast |\n|---|---:|---:|")
    ours = next(iter(values.values()))
    for name, value in values.items():
        print(f"| {name} | {value:,.1f} | {value / ours if is_time else ours / value:.2f} |")


def print_aims(title: str, ratios: Mapping[str, tuple[float, float]]) -> None:
    """Print each ratio and the aim for it, which is the least."""
    print(f"\n{title}\n\n| | measured | aim | |\n|---|---:|---:|---|")
    for name, (measured, aim) in ratios.items():
        print(f"| {name} | {measured:.2f} | {aim:g} | {'met' if measured >= aim else 'missed'} |")
