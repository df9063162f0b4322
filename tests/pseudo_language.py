"""A pseudo-language: each message stands in ⟦brackets⟧, so that what stands in none was never translated."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path

import allauth
import django
from babel import Locale
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from pytest_django.fixtures import Settings

from tests.server import ROOT

# Django knows it, and has next to no texts in it.
PSEUDO = "en-gb"
# Their texts are in no catalogue of ours where they have their own translations.
LIBRARIES = [
    Path(django.__file__).parent / "conf",
    Path(django.__file__).parent / "contrib/auth",
    Path(allauth.__file__).parent,
]
LETTERS = re.compile(r"[^\W\d_]{2,}")
# Their content is code, somebody's own words, or a time.
FOREIGN = {"bdi", "code", "kbd", "pre", "samp", "script", "style", "template", "textarea", "time"}
ATTRIBUTES = {"alt", "aria-description", "aria-label", "label", "placeholder", "title"}
VOID = {"br", "hr", "img", "input", "link", "meta", "wbr", "source", "col"}


def speak_pseudo(settings: Settings, folder: Path) -> None:
    """Let the program speak the pseudo-language: what a catalogue that is in step with the source has."""
    pseudo = Catalog(locale="en_GB")
    for message in chain(*map(_catalogue, [ROOT, *LIBRARIES])):
        if message.id:
            texts = message.id if message.pluralizable else (message.id,)
            bracketed = tuple(f"⟦{text}⟧" for text in texts)
            pseudo.add(message.id, bracketed if message.pluralizable else bracketed[0], context=message.context)
    compiled = folder / "en_GB" / "LC_MESSAGES" / "django.mo"
    compiled.parent.mkdir(parents=True)
    with compiled.open("wb") as file:
        write_mo(file, pseudo)
    settings.LOCALE_PATHS = [folder]
    settings.LANGUAGES = [("en", "English"), (PSEUDO, "Pseudo")]


def _catalogue(folder: Path) -> Catalog:
    with (folder / "locale/es/LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file)


def outside_of_brackets(text: str, depth: int = 0) -> tuple[str, int]:
    """Return what stands in no brackets, and in how many brackets the text ends."""
    outside = []
    for character in text:
        if character == "⟦":
            depth += 1
        elif character == "⟧":
            depth -= 1
        elif not depth:
            outside.append(character)
    return "".join(outside), depth


_NAMES = [
    getattr(Locale("en"), names)["format"][width] for names in ("days", "months") for width in ("wide", "abbreviated")
]
# What CLDR writes: dates, sizes, time zones.
CLDR = re.compile(rf"\b(?:{'|'.join(chain(*(names.values() for names in _NAMES)))}|UTC|bytes?|KB|MB)\b")


class _Page(HTMLParser):
    def __init__(self, known: Iterable[str]) -> None:
        super().__init__()
        self.known = sorted(known, key=len, reverse=True)
        self.open: list[tuple[str, bool]] = []
        self.depth = 0
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        is_marked = tag != "html" and (attributes.get("dir") == "ltr" or "lang" in attributes)
        is_foreign = tag in FOREIGN or is_marked or attributes.get("translate") == "no"
        if not is_foreign and not any(foreign for _tag, foreign in self.open):
            is_sentence = attributes.get("name") == "description" or attributes.get("type") in ("submit", "button")
            texts = [
                value for name, value in attributes.items() if name in ATTRIBUTES or _is_text_for_scripts(name, value)
            ]
            texts += [attributes[name] for name in ("content", "value") if is_sentence and name in attributes]
            self.found += [text for text in texts if self._is_untranslated(text)]
        if tag not in VOID:
            self.open.append((tag, is_foreign))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        outside, self.depth = outside_of_brackets(data, self.depth)
        if not any(foreign for _tag, foreign in self.open) and self._is_untranslated(outside):
            self.found.append(" ".join(outside.split()))

    def _is_untranslated(self, text: str) -> bool:
        outside, _depth = outside_of_brackets(text)
        for word in self.known:
            outside = outside.replace(word, "")
        return LETTERS.search(CLDR.sub("", outside)) is not None


def _is_text_for_scripts(name: str, value: str) -> bool:
    return name.startswith("data-") and not name.startswith("data-hx-") and " " in value.strip()


def untranslated_in(html: str, known: Iterable[str]) -> list[str]:
    """Return the texts and attributes of a page that are in no brackets, but for known words such as names."""
    page = _Page(known)
    page.feed(html)
    page.close()
    return page.found
