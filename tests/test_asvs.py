"""docs/asvs.md holds every requirement of levels 1 and 2 of OWASP's ASVS 5.0.0 once, and names tests that exist."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tests.server import ROOT

INDEX = ROOT / "docs/asvs.md"
# How many requirements a section of the standard has, and which of them are of level 3 only.
SECTIONS: dict[str, tuple[int, set[int]]] = {
    "1.1": (2, set()),
    "1.2": (10, {10}),
    "1.3": (12, {12}),
    "1.4": (3, set()),
    "1.5": (3, {3}),
    "2.1": (3, set()),
    "2.2": (3, set()),
    "2.3": (5, {5}),
    "2.4": (2, {2}),
    "3.1": (1, {1}),
    "3.2": (3, {3}),
    "3.3": (5, {5}),
    "3.4": (8, {7, 8}),
    "3.5": (8, {6, 7, 8}),
    "3.6": (1, {1}),
    "3.7": (5, {3, 4, 5}),
    "4.1": (5, {4, 5}),
    "4.2": (5, {2, 3, 4, 5}),
    "4.3": (2, set()),
    "4.4": (4, set()),
    "5.1": (1, set()),
    "5.2": (6, {4, 5, 6}),
    "5.3": (3, {3}),
    "5.4": (3, set()),
    "6.1": (3, set()),
    "6.2": (12, set()),
    "6.3": (8, {5, 6, 7, 8}),
    "6.4": (6, {5, 6}),
    "6.5": (8, {6, 7, 8}),
    "6.6": (4, {4}),
    "6.7": (2, {1, 2}),
    "6.8": (4, set()),
    "7.1": (3, set()),
    "7.2": (4, set()),
    "7.3": (2, set()),
    "7.4": (5, set()),
    "7.5": (3, {3}),
    "7.6": (2, set()),
    "8.1": (4, {3, 4}),
    "8.2": (4, {4}),
    "8.3": (3, {2, 3}),
    "8.4": (2, {2}),
    "9.1": (3, set()),
    "9.2": (4, set()),
    "10.1": (2, set()),
    "10.2": (3, {3}),
    "10.3": (5, {5}),
    "10.4": (16, {12, 13, 14, 15, 16}),
    "10.5": (5, set()),
    "10.6": (2, set()),
    "10.7": (3, set()),
    "11.1": (4, {3, 4}),
    "11.2": (5, {4, 5}),
    "11.3": (5, {4, 5}),
    "11.4": (4, set()),
    "11.5": (2, {2}),
    "11.6": (2, {2}),
    "11.7": (2, {1, 2}),
    "12.1": (5, {4, 5}),
    "12.2": (2, set()),
    "12.3": (5, {5}),
    "13.1": (4, {2, 3, 4}),
    "13.2": (6, {6}),
    "13.3": (4, {3, 4}),
    "13.4": (7, {6, 7}),
    "14.1": (2, set()),
    "14.2": (8, {5, 6, 7, 8}),
    "14.3": (3, set()),
    "15.1": (5, {4, 5}),
    "15.2": (5, {4, 5}),
    "15.3": (7, set()),
    "15.4": (4, {1, 2, 3, 4}),
    "16.1": (1, set()),
    "16.2": (5, set()),
    "16.3": (4, set()),
    "16.4": (3, set()),
    "16.5": (4, {4}),
    "17.1": (2, {2}),
    "17.2": (8, {5, 6, 7, 8}),
    "17.3": (2, set()),
}
REQUIRED = {
    f"{section}.{number}"
    for section, (count, of_level_3) in SECTIONS.items()
    for number in set(range(1, count + 1)) - of_level_3
}
OF_LEVEL_3 = {f"{section}.{number}" for section, (_, of_level_3) in SECTIONS.items() for number in of_level_3}
STATES = ["met", "partly", "not met", "n/a"]


class Row(NamedTuple):
    chapter: str
    numbers: str
    state: str
    how: str
    tests: str


def rows() -> Iterator[Row]:
    for path in sorted((ROOT / "docs/asvs").glob("*.md")):
        chapter = ""
        for line in path.read_text().splitlines():
            if line.startswith("## "):
                chapter = line.removeprefix("## ")
            elif re.match(r"\| \d", line):
                numbers, _, state, how, tests = (cell.strip() for cell in line.strip("|").split("|"))
                yield Row(chapter, numbers, state, how, tests)


def numbers_of(row: Row) -> list[str]:
    return re.findall(r"\d+\.\d+\.\d+", row.numbers)


def test_the_standard_has_253_requirements_of_levels_1_and_2_and_92_of_level_3() -> None:
    assert (len(REQUIRED), len(OF_LEVEL_3)) == (253, 92)


def test_every_requirement_of_levels_1_and_2_stands_there_once() -> None:
    shown = Counter(number for row in rows() for number in numbers_of(row))

    assert sorted(REQUIRED - set(shown)) == []
    assert [number for number, times in shown.items() if times > 1] == []
    assert sorted(set(shown) - REQUIRED - OF_LEVEL_3) == []


def test_level_3_is_marked() -> None:
    marked = {number for row in rows() if row.numbers.endswith("(L3)") for number in numbers_of(row)}

    assert marked == {number for row in rows() for number in numbers_of(row)} & OF_LEVEL_3


def test_each_has_a_state_and_says_how() -> None:
    assert [row.numbers for row in rows() if row.state not in STATES or not row.how] == []


def test_every_test_that_is_named_exists() -> None:
    written = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }

    named = {name for row in rows() for name in re.findall(r"`(test_\w+)`", row.tests)}

    assert named
    assert sorted(named - written) == []
    assert [row.numbers for row in rows() if re.sub(r"`test_\w+`|[, ]", "", row.tests)] == []


def test_the_index_counts_right() -> None:
    counted: dict[str, Counter[str]] = {}
    for row in rows():
        counted.setdefault(row.chapter, Counter())[row.state] += len(numbers_of(row))
    counted["all"] = sum(counted.values(), Counter())

    shown = re.findall(
        r"^\| \[?([^|\]]+?)(?:\]\([^)]+\))? \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", INDEX.read_text(), re.M
    )

    assert {title: [int(number) for number in numbers] for title, *numbers in shown} == {
        title: [count[state] for state in STATES] for title, count in counted.items()
    }
