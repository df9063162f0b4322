"""The rules for typed text: what people paste from documents, spreadsheets and phones.

`normalize` is for codes, numbers and emails, `keep` for names and notes, `searchable` for both sides of a search. URLs,
passwords and attributes' values go through none of them.
"""

import re
from functools import lru_cache
from unicodedata import category, decimal
from unicodedata import normalize as _form

# Not in Unicode's category of dashes: minus, modifier minus, hyphen bullet.
_OTHER_HYPHENS = "\u2212\u02d7\u2043"
IDEOGRAPHIC_FULL_STOP = "\u3002"
_BLANK_OF_BRAILLE = "\u2800"
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


def searchable(text: str) -> str:
    """Return what searches compare: normalized, in one case, each run of blanks as one."""
    folded = _form("NFKC", normalize(text).casefold())
    # As in a domain: people with a Chinese or Japanese keyboard type it for a dot.
    return " ".join(folded.replace(IDEOGRAPHIC_FULL_STOP, ".").split())


def is_visible(text: str) -> bool:
    """Return whether a text shows anything."""
    return bool(_VISIBLE.search(text))


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
