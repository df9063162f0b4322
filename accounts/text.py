"""The rules for typed text: what people paste from documents, spreadsheets and phones.

`normalize` is for codes, numbers and emails, `keep` for names and notes, `opaque` for passwords, `searchable` for both
sides of a search. URLs and attributes' values go through none of them.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal
from unicodedata import category, combining, decimal

# Not in Unicode's category of dashes: minus, modifier minus, hyphen bullet.
_OTHER_HYPHENS = "\u2212\u02d7\u2043"
IDEOGRAPHIC_FULL_STOP = "\u3002"
_BLANK_OF_BRAILLE = "\u2800"
# Unicode's category Zs beyond ASCII.
_OTHER_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_ASCII_BLANKS = dict.fromkeys(map(ord, "\t\n\v\f\r\x1c\x1d\x1e\x1f"), " ")

# What shows nothing: blanks, controls, Default_Ignorable_Code_Point (Unicode, UAX 44) and the blank of Braille, as the
# inside of a class in a regular expression, for Python and JSON Schema alike.
INVISIBLE = (
    r"\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
# JSON Schema spells characters beyond U+FFFF otherwise.
_INVISIBLE_BEYOND = "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
_VISIBLE = re.compile(f"[^{INVISIBLE}{_INVISIBLE_BEYOND}]")
# A letter with many accents stays as it is: Python sorts n accents in n² steps (see Unicode, UAX 15, section 13).
_ACCENTS = "".join(chr(each) for each in range(0x20000) if combining(chr(each)))
_MANY_ACCENTS = re.compile(f"(.?[{_ACCENTS}]{{30,}})", re.DOTALL)


def normalize(text: str) -> str:
    """Return a code, number or email in NFKC: without invisible characters, with one kind of blank and of hyphen."""
    # Twice: what is removed may have kept an accent from its letter, and NFKC makes dashes out of others.
    return _form("NFKC", _plain(_form("NFKC", _plain(text)))).strip()


def normalize_digits(text: str) -> str:
    """Normalize a code or number whose digits may be of any script, as of an Arabic keyboard."""
    return "".join(str(decimal(each)) if each.isdecimal() else each for each in normalize(text))


def keep(text: str) -> str:
    """Return a name or a note as it was typed, in NFC, without the blanks around it; nothing, if it shows nothing."""
    return _form("NFC", text).strip() if is_visible(text) else ""


def opaque(text: str) -> str:
    """Return a password as it is hashed and compared (RFC 8265, OpaqueString): in NFC, with one kind of blank.

    Control characters, which the RFC refuses, stay: passwords of before may have some.
    """
    return _form("NFC", _OTHER_BLANKS.sub(" ", text))


def searchable(text: str) -> str:
    """Return what searches compare: normalized, in one case, each run of blanks as one."""
    if text.isascii():
        return " ".join(text.lower().split())
    folded = _form("NFKC", normalize(text).casefold())
    # As in a domain: people with a Chinese or Japanese keyboard type it for a dot.
    return " ".join(folded.replace(IDEOGRAPHIC_FULL_STOP, ".").split())


def is_visible(text: str) -> bool:
    """Return whether a text shows anything."""
    return bool(_VISIBLE.search(text))


def _form(form: Literal["NFC", "NFKC"], text: str) -> str:
    if text.isascii():
        return text
    parts = _MANY_ACCENTS.split(text)
    parts[::2] = [unicodedata.normalize(form, part) for part in parts[::2]]
    return "".join(parts)


def _plain(text: str) -> str:
    return text.translate(_ASCII_BLANKS) if text.isascii() else "".join(map(_character, text))


# Imports read many letters of few alphabets.
@lru_cache(maxsize=4096)
def _character(character: str) -> str:
    kind = category(character)
    if kind == "Pd" or character in _OTHER_HYPHENS:
        return "-"
    if character.isspace() or character == _BLANK_OF_BRAILLE:
        return " "
    return "" if kind == "Cf" or not (kind == "Cc" or is_visible(character)) else character
