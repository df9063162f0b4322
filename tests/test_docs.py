"""The documents agree with the code."""

import ast
import importlib.util
import logging
import pkgutil
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands
from hypothesis import given
from hypothesis import strategies as st

from developers import tokens
from tests.leaked_texts import published_pattern
from tests.server import ROOT

# What the code reads of the environment, and what of it no operator sets.
ENVIRONMENTS = {"env", "os.environ"}
NO_SETTINGS = {"DJANGO_SETTINGS_MODULE"}
# Loggers that are named for what they log.
LOGGERS = {"botpenguin.requests"}
GROUPS = {"Upgrading", "Security", "Added", "Changed", "Removed", "Fixed"}
DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.fixture(scope="module")
def is_token() -> Callable[[str], bool]:
    """The function that SECURITY.md publishes for scanners."""
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", read("SECURITY.md"), re.DOTALL)[0], names)  # noqa: S102 - our own document
    function: Callable[[str], bool] = names["is_token"]
    return function


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_exists(document: Path) -> None:
    text = document.read_text()
    targets = re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE)

    made = set(re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", text, re.MULTILINE))
    managed = set(re.findall(r"manage\.py ([a-z_]+)", text))
    modules = set(re.findall(r"python -m ([a-z_]+\.[a-z_.]+)", text))

    assert {first or second for first, second in made} - set(targets) == set()
    assert managed - set(get_commands()) == set()
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    text = document.read_text()

    linked = [document.parent / path for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", text)]
    folders = "accounts|botpenguin|developers|docs|static|templates|tests"
    named = [ROOT / path for path in re.findall(rf"(?<![\w/])((?:{folders})/[\w./-]+\w/?)", text)]

    assert [str(path) for path in linked + named if not path.exists() and "webhooks" not in str(path)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_heading_that_is_linked_exists(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", document.read_text())

    headings = {path: headings_of(document.parent / path if path else document) for path, _ in links}

    assert [(path, heading) for path, heading in links if heading not in headings[path]] == []


def headings_of(document: Path) -> list[str]:
    """Write the headings of a document as GitHub's links do."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if path.name != "CHANGELOG.md"], ids=lambda path: path.name
)
def test_every_module_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"`((?:accounts|botpenguin|developers)(?:\.\w+)+)`", document.read_text())) - LOGGERS

    assert [name for name in sorted(named) if not is_there(name)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_import_in_a_sample_works(document: Path) -> None:
    samples = re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL)

    imported = [
        f"{node.module}.{name.name}"
        for sample in samples
        for node in ast.walk(ast.parse(sample))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    ]

    assert [name for name in imported if not is_there(name)] == []


def is_there(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def settings_read() -> dict[str, str | None]:
    """Name each setting that the code reads from the environment, and its default where that is a plain value."""
    found: dict[str, str | None] = {}
    for package in ("accounts", "botpenguin", "developers"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Name("secret" | "address"), args=[ast.Constant(str(name)), *_]):
                        found.setdefault(name, None)
                    case ast.Call(func=ast.Attribute(value=environment), args=[ast.Constant(str(name)), *_]) if (
                        ast.unparse(environment) in ENVIRONMENTS
                    ):
                        found[name] = found.get(name) or written_default(node)
                    case ast.Subscript(value=environment, slice=ast.Constant(str(name))) if (
                        ast.unparse(environment) in ENVIRONMENTS
                    ):
                        found.setdefault(name, None)
    return {name: default for name, default in found.items() if name not in NO_SETTINGS}


def written_default(call: ast.Call) -> str | None:
    """Write a default as docs/settings.md does."""
    for keyword in call.keywords:
        match keyword:
            case ast.keyword("default", ast.Constant(bool(value))):
                return "`on`" if value else "`off`"
            case ast.keyword("default", ast.Constant(int(value) | float(value))):
                return f"{value:.0f}"
            case ast.keyword("default", ast.Constant(str(value))) if value:
                return f"`{value}`"
            case ast.keyword("default", ast.List([])):
                return "none"
    return None


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    read_by_code = settings_read()

    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \| [^|]+ \|$", read("docs/settings.md"), re.MULTILINE)

    assert sorted(name for name, _ in rows) == sorted(read_by_code)
    assert {name: default for name, default in rows if read_by_code[name]} == {
        name: default for name, default in read_by_code.items() if default
    }


@pytest.mark.parametrize(("document", "most"), [("README.md", 130), ("SECURITY.md", 330)])
def test_the_first_documents_to_read_are_short(document: str, most: int) -> None:
    assert len(read(document).splitlines()) <= most


def test_the_published_pattern_is_the_one_that_is_checked() -> None:
    assert published_pattern() == rf"\b{tokens.PATTERN.pattern}\b"


def test_the_published_check_takes_every_token(is_token: Callable[[str], bool]) -> None:
    fresh = [tokens.generate().open() for _ in range(100)]

    assert [token for token in fresh if not is_token(token)] == []


@given(text=st.from_regex(tokens.PATTERN, fullmatch=True) | st.text())
def test_the_published_check_agrees_with_ours(is_token: Callable[[str], bool], text: str) -> None:
    assert is_token(text) == tokens.is_well_formed(text)


def test_the_changelog_groups_what_changed_by_release() -> None:
    headings = re.findall(r"^(##+) (.+)$", read("CHANGELOG.md"), re.MULTILINE)

    assert [title for level, title in headings if level == "##"] == ["Unreleased", "0.1.0 - 2026-11-26"]
    assert {title for level, title in headings if level == "###"} <= GROUPS


def test_the_decision_about_the_api_names_what_its_application_calls() -> None:
    text = read("docs/adr/0005-the-api-stands-beside-djangos-handler.md")
    source = read("botpenguin/platform/api/application.py")

    called = set(re.findall(r"^from ((?:accounts|botpenguin\.(?:http|database))\.[\w.]+) import", source, re.MULTILINE))
    assert [module for module in called if f"`{module}`" not in text] == []


def test_every_logger_that_the_changelog_names_is_ours() -> None:
    rows = re.findall(r"^  \| `([\w.]+)` \| `([\w.]+)` \|$", read("CHANGELOG.md"), re.MULTILINE)

    assert rows
    assert [now for _, now in rows if not isinstance(getattr(import_module(now), "logger", None), logging.Logger)] == []
