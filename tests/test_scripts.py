"""The scripts have no texts of their own: the page brings each in the language of its reader."""

import re
from pathlib import Path

import pytest

SCRIPTS = sorted(Path("static/js").glob("*.js"))
STRING = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`""")
# A word of a sentence, and a blank or the end after it: not "Content-Type" and no selector.
SENTENCE = re.compile(r"(?<![\w#.\[-])[A-Z][a-z]+(?= [a-z])|[a-z]{3,} [a-z]{2,} [a-z]{2,}|[a-z]{2,}\.$")
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)


def sentences(script: str) -> list[str]:
    return [text for text in STRING.findall(COMMENT.sub("", script)) if SENTENCE.search(text[1:-1])]


def test_a_text_in_a_script_is_found() -> None:
    script = 'say("copied"); say("Nothing is lost"); say(`${n} of all that is`); fetch("/a/b"); // Not this text.'

    assert sentences(script) == ['"Nothing is lost"', "`${n} of all that is`"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_shows_no_text_of_its_own(script: Path) -> None:
    found = sentences(script.read_text())

    assert found == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_writes_numbers_in_the_language_of_the_page(script: Path) -> None:
    formats = re.findall(r"toFixed|toLocale\w+|Intl\.NumberFormat\(.*", script.read_text())

    assert formats == (["Intl.NumberFormat(document.documentElement.lang, {"] if script.name == "numbers.js" else [])
