"""Parses request bodies: JSON in UTF-8 of at most 1 MiB."""

import json
import math
from typing import Any, NoReturn

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.errors import HttpError
from ninja.parser import Parser

from botpenguin.platform.api.error_keys import ErrorKey

# Lists and objects in a body. A mebibyte of brackets would become 50 MiB of Python objects.
MOST_PARTS = 150_000
# The first bytes of gzip (RFC 1952, section 2.3.1).
GZIP = b"\x1f\x8b"
LONGEST_NAME = 40


class UnreadableBody(Exception):
    """The body cannot be read. ninja turns any exception of a parser into a 400 with this as its cause."""

    def __init__(self, sentence: str, key: ErrorKey = ErrorKey.BODY_UNREADABLE) -> None:
        super().__init__(sentence)
        self.key = key

    @classmethod
    def behind(cls, error: HttpError) -> "UnreadableBody | None":
        return error.__cause__ if isinstance(error.__cause__, cls) else None


class JsonParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        media_type = request.content_type or "application/json"
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise UnreadableBody(ErrorKey.MEDIA_TYPE_UNSUPPORTED.say(), ErrorKey.MEDIA_TYPE_UNSUPPORTED)
        if coding := _coding(request):
            raise UnreadableBody(ErrorKey.BODY_COMPRESSED.say(coding=coding), ErrorKey.BODY_COMPRESSED)
        if request.body.count(b"[") + request.body.count(b"{") > MOST_PARTS:
            raise UnreadableBody(
                _("The body has too many lists and objects. Send less at once."), ErrorKey.BODY_TOO_LARGE
            )
        try:
            return json.loads(request.body.decode("utf-8-sig"), parse_float=_number, parse_constant=_not_json)
        except UnicodeDecodeError as error:
            raise UnreadableBody(_("The body is not in UTF-8.")) from error
        except json.JSONDecodeError as error:
            sentence = _("The body is not JSON: see line %(line)d, column %(column)d.")
            raise UnreadableBody(sentence % {"line": error.lineno, "column": error.colno}) from error
        except RecursionError as error:
            raise UnreadableBody(_("The body is nested too deeply.")) from error
        except ValueError as error:
            raise UnreadableBody(_("The body has a number that is too large.")) from error


def _coding(request: HttpRequest) -> str:
    """Return what the body is compressed by, such as gzip; some clients compress it without a word in the headers."""
    named = f"{request.headers.get('Content-Encoding', '')},{request.headers.get('Transfer-Encoding', '')}".lower()
    codings = {coding.strip() for coding in named.split(",")} - {"", "identity", "chunked"}
    if codings:
        return ", ".join(sorted(codings))[:LONGEST_NAME]
    return "gzip" if request.body.startswith(GZIP) else ""


def _number(text: str) -> float:
    """Parse a number with a point or an exponent. In JSON Schema 1.0 is an integer."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    # Larger ones have lost digits already, and are no integers to us.
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _not_json(name: str) -> NoReturn:
    # Translators: %(name)s is NaN or Infinity, which JSON does not have.
    raise UnreadableBody(_("The body is not JSON: it has no %(name)s.") % {"name": name})
