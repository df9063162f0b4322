"""What the documents say is so."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands
from hypothesis import given
from hypothesis import strategies as st

from developers import tokens
from tests.server import ROOT

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
    assert [module for module in modules if not (ROOT / f"{module.replace('.', '/')}.py").exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    text = document.read_text()

    linked = [document.parent / path for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", text)]
    folders = "accounts|botpenguin|developers|docs|static|templates|tests"
    named = [ROOT / path for path in re.findall(rf"(?<![\w/])((?:{folders})/[\w./-]+\w/?)", text)]

    assert [str(path) for path in linked + named if not path.exists() and "webhooks" not in str(path)] == []


def test_every_setting_is_in_the_readme() -> None:
    settings = set(re.findall(r'(?:env\.\w+|secret|address)\(\s*"([A-Z_]+)"', read("botpenguin/settings.py")))

    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", read("README.md"), re.MULTILINE)
    told = re.findall("[A-Z_]+", " ".join(rows))

    assert sorted(told) == sorted(settings)


def test_the_published_pattern_is_the_one_that_is_checked() -> None:
    published = re.findall(r"^\^(bpat_.*)\$$", read("SECURITY.md"), re.MULTILINE)

    assert published == [tokens.PATTERN.pattern]


def test_the_published_check_takes_every_token(is_token: Callable[[str], bool]) -> None:
    fresh = [tokens.generate().open() for _ in range(100)]

    assert [token for token in fresh if not is_token(token)] == []


@given(text=st.from_regex(tokens.PATTERN, fullmatch=True) | st.text())
def test_the_published_check_agrees_with_ours(is_token: Callable[[str], bool], text: str) -> None:
    assert is_token(text) == tokens.is_well_formed(text)
