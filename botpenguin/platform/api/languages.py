"""The language of an answer: what `Accept-Language` prefers of the languages that the program speaks.

A language is set for each call and reset after it, because threads keep the language of the page before. The most
frequent calls have no sentence in their answer, and set none.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

ENGLISH = "en"
ANY = "*"


def of(environ: Mapping[str, Any]) -> str:
    """Return the code of the language that a request prefers (RFC 9110, section 12.5.4); English by default."""
    accepted = environ.get("HTTP_ACCEPT_LANGUAGE")
    return _preferred(accepted) if accepted else ENGLISH


def _preferred(accepted: str) -> str:
    for code, priority in parse_accept_lang_header(accepted.lower()):
        if code == ANY or not priority:
            break
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return ENGLISH
