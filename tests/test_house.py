"""Names and sizes: no retired word in a name, one class a name, modules and functions that fit a screen."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.server import ROOT

# In one process, which parses each module once.
pytestmark = pytest.mark.xdist_group("house")

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
PRODUCT = ("accounts", "botpenguin", "developers")
MOST_LINES_OF_A_MODULE = 300
MOST_LINES_OF_A_FUNCTION = 40
# Playwright answers these from the page as it is, which may still be the one before. `expect` waits.
UNWAITED = re.compile(r"\.(all_inner_texts|all_text_contents|is_(visible|hidden|enabled|disabled|checked|editable))\(")
# They wait themselves, or their callers do. In Firefox without scripts, `expect` does not work.
WAITING = ("people.py", "windows.py", "test_firefox.py")
# One long list of values, read from top to bottom.
SETTINGS = "botpenguin/settings.py"

# Words of a name, and what stands for each today.
RETIRED = {
    "act on": "action",
    "acts": "actions",
    "bookkeeping": "best_effort",
    "buried": "archived",
    "bury": "archive",
    "caseless": "casefold",
    "fresh proof": "recently_authenticated",
    "guess": "attempt",
    "guesses": "attempts",
    "guessed": "attempted",
    "guesser": "attacker",
    "guessers": "attackers",
    "is news": "is_new_browser",
    "moment": "time",
    "moments": "times",
    "outbox": "mail queue",
    "proof": "reauthentication",
    "sighting": "refusal count",
    "sightings": "refusal counts",
    "sign in": "log in",
    "sign out": "log out",
    "signed in": "logged in",
    "signed out": "logged out",
    "stranger": "unknown browser, visitor",
    "strangers": "unknown browsers, visitors",
    "tell": "serialize, notify, log, report",
    "telling": "serializing, notifying, logging, reporting",
    "tells": "serializes, notifies, logs, reports",
    "told": "serialized, notified, logged, reported",
    "two step": "second_step",
}
# Wrong for a module alone: in other names they are the plain word.
RETIRED_MODULES = {
    "answers": "responses",
    "bodies": "request_bodies",
    "faults": "validation",
    "identity": "reauthentication",
    "limits": "rate_limits",
    "reports": "error_reports",
    "scrape": "prometheus",
    "storage": "static_files",
    "targets": "url_rules",
    "tree": "response_tree",
    "turns": "concurrency",
}
RETIRED_CLASSES = {"Later": "RetryLater", "Taken": "Attempt"}
RETIRED_TEMPLATES = {
    "entrance": "auth_base",
    "mark": "logo",
    "news": "auth_message",
    "other_proofs": "other_methods",
    "pages": "pagination",
}


def paths(suffix: str, *folders: str) -> list[Path]:
    """The files of the repository, but for migrations: their names stay."""
    found = (path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}"))
    return sorted(path for path in found if "migrations" not in path.parts)


@cache
def definitions(path: Path) -> list[Definition]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Definition)]


def retired_in(name: str) -> list[str]:
    """Return the retired words in a name, however its words are joined."""
    spaced = f" {re.sub(r'(?<=[a-z0-9])(?=[A-Z])|[_.-]+', ' ', name).lower().strip()} "
    return [word for word in RETIRED if f" {word} " in spaced]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_a_mail_is_told_once", ["told"]),
        ("StrangersForm", ["strangers"]),
        ("still_signed_in", ["signed in"]),
        ("is_sold", []),
        ("signing_up", []),
    ],
)
def test_retired_words_are_found_in_names(name: str, words: list[str]) -> None:
    assert retired_in(name) == words


def test_no_module_or_template_has_a_retired_name() -> None:
    modules = {path: path.stem for path in paths(".py", *PRODUCT, "tests")}
    templates = {path: path.stem for path in paths(".html", "templates") + paths(".txt", "templates")}

    wrong = [path for path, stem in (modules | templates).items() if retired_in(stem)]
    wrong += [path for path, stem in modules.items() if stem.removeprefix("test_") in RETIRED_MODULES]
    wrong += [path for path, stem in templates.items() if stem in RETIRED_TEMPLATES]

    assert [str(path.relative_to(ROOT)) for path in wrong] == []


def test_no_class_or_function_has_a_retired_name() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in [*paths(".py", *PRODUCT, "tests"), ROOT / "manage.py"]
        for node in definitions(path)
        if retired_in(node.name) or node.name in RETIRED_CLASSES
    ]

    assert found == []


def test_no_two_classes_of_the_product_have_one_name() -> None:
    names = Counter(
        node.name
        for path in paths(".py", *PRODUCT)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    )

    assert [name for name, count in names.items() if count > 1 and name != "Command"] == []


def test_no_module_is_too_long_to_read_at_once() -> None:
    long = {
        name: lines
        for path in paths(".py", *PRODUCT, "tests")
        if (name := str(path.relative_to(ROOT))) != SETTINGS
        and (lines := len(path.read_text().splitlines())) > MOST_LINES_OF_A_MODULE
    }

    assert long == {}


def test_no_function_is_too_long_to_see_at_once() -> None:
    long = {
        f"{path.relative_to(ROOT)} {node.name}": lines
        for path in paths(".py", *PRODUCT, "tests")
        for node in definitions(path)
        if not isinstance(node, ast.ClassDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    }

    assert long == {}


def test_no_test_in_a_browser_reads_without_waiting() -> None:
    modules = [path for path in paths(".py", "tests/browser") if path.name not in WAITING]

    found = [f"{path.name}: {match[1]}" for path in modules for match in UNWAITED.finditer(path.read_text())]

    assert found == []
