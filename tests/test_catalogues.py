"""The catalogues of `locale/` are complete, agree with the source, and are compiled."""

import io
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from django.utils.translation import to_locale

from botpenguin.settings import LANGUAGES
from tests.server import ROOT
from tests.test_translatable import PLACEHOLDER

TRANSLATED = [code for code, _name in LANGUAGES if code != "en"]
FORMS = {"ar": 6}
# What stays as it is in a translation: tags, header fields, statuses.
TAG = re.compile(r"</?[a-z][^>]*>")
BRACES = re.compile(r"\{\w*\}")
BLANKS = re.compile(r"^(\s*).*?(\s*)$", re.DOTALL)
SCRIPTS = {"ar": re.compile("[\u0620-\u064a]"), "hi": re.compile("[\u0900-\u097f]")}
WORDS = re.compile(r"[A-Za-z]{2,}")
# Marks of direction would be read out and copied. Isolates do their work.
MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Arabic says "a contact" and "two contacts" without a number, as the forms of one do elsewhere.
WITHOUT_NUMBER = {"ar": 3}


def path_of(code: str) -> Path:
    return ROOT / "locale" / to_locale(code) / "LC_MESSAGES" / "django.po"


@cache
def catalogue(code: str) -> Catalog:
    with path_of(code).open("rb") as file:
        return read_po(file, abort_invalid=True)


def messages(code: str) -> Iterator[tuple[Message, list[str], list[str]]]:
    """Yield each message with its English texts and its translations."""
    for message in catalogue(code):
        if message.id:
            yield message, _texts(message.id), _texts(message.string)


def _texts(found: Any) -> list[str]:
    return list(found) if isinstance(found, tuple | list) else [found]


def keys(found: Catalog) -> set[tuple[str | None, object]]:
    return {(message.context, message.id) for message in found if message.id}


def texts_of(found: Catalog) -> dict[tuple[str | None, str], object]:
    return {(message.context, str(message.id)): message.string for message in found if message.id}


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What `make messages` finds in the source."""
    copy = tmp_path_factory.mktemp("source")
    for folder in ("accounts", "botpenguin", "developers", "templates"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "locale").mkdir()
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "makemessages", "--locale", "de", "--no-wrap"],
        cwd=copy,
        env={**os.environ, "STATE_DIR": str(copy / "state")},
        check=True,
        capture_output=True,
    )
    return read_po(io.BytesIO((copy / "locale/de/LC_MESSAGES/django.po").read_bytes()))


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_has_the_messages_of_the_source(code: str, extracted: Catalog) -> None:
    assert len(keys(extracted)) > 1_000
    assert keys(extracted) ^ keys(catalogue(code)) == set()


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_message_is_translated_in_all_forms(code: str) -> None:
    found = catalogue(code)
    missing = [
        english
        for message, english, translated in messages(code)
        if not all(text.strip() for text in translated)
        or (message.pluralizable and len(translated) != FORMS.get(code, 2))
    ]

    assert found.num_plurals == FORMS.get(code, 2)
    assert missing == []
    assert [message.id for message in found if message.fuzzy] == []
    assert dict(found.obsolete) == {}


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_keep_placeholders_tags_and_blanks(code: str) -> None:
    wrong = []
    for _message, english, translated in messages(code):
        for form, text in enumerate(translated):
            for pattern in (PLACEHOLDER, BRACES, TAG):
                source = Counter(pattern.findall(english[-1]))
                kept = Counter(pattern.findall(text))
                lost = source - kept
                may_lose_one = len(translated) > 1 and form < WITHOUT_NUMBER.get(code, 1) and lost.total() <= 1
                if kept - source or (lost and not may_lose_one):
                    wrong.append(f"{text}: {source} became {kept}")
            if BLANKS.match(text).groups() != BLANKS.match(english[-1]).groups():  # type: ignore[union-attr]
                wrong.append(f"{text!r} begins or ends otherwise than {english[-1]!r}")

    assert wrong == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_sentences_are_not_left_in_english(code: str) -> None:
    left = [
        english[0]
        for _message, english, translated in messages(code)
        if len(WORDS.findall(PLACEHOLDER.sub("", TAG.sub("", english[0])))) >= 4 and set(english) & set(translated)
    ]

    assert left == []


def test_sentences_are_in_the_script_of_their_language() -> None:
    foreign = [
        text
        for code in SCRIPTS.keys() & TRANSLATED
        for _message, english, translated in messages(code)
        for text in translated
        if len(WORDS.findall(PLACEHOLDER.sub("", TAG.sub("", english[0])))) >= 4 and not SCRIPTS[code].search(text)
    ]

    assert foreign == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_translation_has_marks_of_direction(code: str) -> None:
    assert [
        text for _message, _english, translated in messages(code) for text in translated if MARKS.search(text)
    ] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_compiled_catalogues_match_their_sources(code: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(code))
    compiled.seek(0)

    with path_of(code).with_suffix(".mo").open("rb") as file:
        stored = read_mo(file)

    assert texts_of(stored) == texts_of(read_mo(compiled))
    assert stored.plural_expr == catalogue(code).plural_expr
