"""The sentences of libraries that our catalogues hold too."""

from pathlib import Path

import allauth
import django
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from accounts.web import library_texts

KEYWORDS = {"_": None, "ngettext_lazy": (1, 2)}


def test_sentences_of_libraries_are_theirs() -> None:
    """Where a library words one otherwise, ours would never be shown."""
    theirs = set()
    for package in (django, allauth):
        for path in Path(package.__path__[0]).glob("**/locale/en/LC_MESSAGES/django.po"):
            with path.open("rb") as file:
                theirs |= {first(message.id) for message in read_po(file)}

    with Path(library_texts.__file__).open("rb") as file:
        ours = {first(text) for _line, text, _comments, _context in extract("python", file, keywords=KEYWORDS)}

    assert len(ours) == len(library_texts.TEXTS + library_texts.COUNTED_TEXTS)
    assert ours - theirs == set()


def first(text: str | tuple[str, ...] | list[str]) -> str:
    """Return a text, or the first form of one with a plural."""
    return text if isinstance(text, str) else text[0]
