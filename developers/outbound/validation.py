"""Validates the recipe of an API, before it is saved and before it is sent."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from accounts.web import formats
from developers.outbound import mapping, url_rules
from developers.outbound.body import BOUNDARY, MULTIPART, body_of, boundary_of
from developers.outbound.recipe import (
    ATTRIBUTE_NAME,
    BODY_KINDS,
    JSON_PARTS,
    METHODS,
    NOT_IN_HEADERS,
    Recipe,
    RecipeField,
    read_parameter,
)
from developers.outbound.sentences import gettext as _
from developers.outbound.sentences import ngettext
from developers.outbound.token_search import holds_token

MOST_FIELDS = 50
LONGEST_VALUE = 8_000
LONGEST_BODY = 100_000
HALF = re.compile("[\ud800-\udfff]")
# RFC 9110, section 5.6.2.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}", re.ASCII)
# As curl reads what follows ";type=".
MEDIA_TYPE = re.compile(r"[^/\s]{1,100}/[^;,\s]{1,100}[^\x00-\x1f\x7f]{0,100}")
# Headers that frame a request, name its server or address proxies: only the sender writes them.
OWN_HEADERS = {
    *("accept-encoding", "connection", "content-length", "expect", "host", "http2-settings", "keep-alive"),
    *("proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "via"),
}


class ValidationProblem(NamedTuple):
    """A sentence about a problem, and its field, such as "url" or "headers.0.name"."""

    where: str
    sentence: str


def find_problems(recipe: Recipe) -> Iterator[ValidationProblem]:
    """Yield every problem of a recipe, in the order of the page. Placeholders are allowed."""
    if recipe.method not in METHODS:
        yield ValidationProblem("method", _("Choose one of the methods."))
    if recipe.body_kind not in BODY_KINDS:
        yield ValidationProblem("body_kind", _("Choose one of the kinds."))
    sentence = url_rules.problem(recipe.url)
    if sentence:
        yield ValidationProblem("url", sentence)
    yield from _check_fields(recipe)
    if recipe.sent_text or recipe.body_kind == "text":
        sentence = body_problem(recipe.body_kind, recipe.body)
        if sentence:
            yield ValidationProblem("body", sentence)
    yield from _check_body_fields(recipe)
    yield from _check_mappings(recipe)
    yield from _check_own_tokens(recipe)


def _body_too_long() -> str:
    sentence = ngettext("Keep the body to %(most)s character.", "Keep the body to %(most)s characters.", LONGEST_BODY)
    return sentence % {"most": formats.number(LONGEST_BODY)}


def own_token_sent() -> str:
    return _("This call holds an API access token of BotPenguin, which is never sent anywhere. Take it out.")


def first_problem(recipe: Recipe) -> str | None:
    """Return the sentence of the first problem, or None."""
    return next((problem.sentence for problem in find_problems(recipe)), None)


def _parts(recipe: Recipe) -> tuple[tuple[str, tuple[RecipeField, ...]], ...]:
    return ("parameters", recipe.parameters), ("headers", recipe.headers), ("body_fields", recipe.sent_fields)


def _check_fields(recipe: Recipe) -> Iterator[ValidationProblem]:
    for kind, fields in _parts(recipe):
        if len(fields) > MOST_FIELDS:
            # Translators: at most so many parameters, headers or fields of a body.
            sentence = ngettext("At most %(most)s can be sent.", "At most %(most)s can be sent.", MOST_FIELDS)
            yield ValidationProblem(kind, sentence % {"most": formats.number(MOST_FIELDS)})
        for position, part in enumerate(fields):
            where = f"{kind}.{position}"
            if not part.name:
                yield ValidationProblem(f"{where}.name", _("Give it a name."))
            elif kind == "headers" and not TOKEN.fullmatch(part.name):
                yield ValidationProblem(f"{where}.name", _("A header's name has letters, digits and hyphens only."))
            elif kind == "headers" and part.name.lower() in OWN_HEADERS:
                # Translators: %(name)s is the name of a header, such as Content-Length.
                sentence = _("%(name)s is written by the sender itself.")
                yield ValidationProblem(f"{where}.name", sentence % {"name": part.name})
            if HALF.search(part.name + part.value):
                yield ValidationProblem(f"{where}.value", _("It holds half a character, which cannot be sent."))
            if part.raw and read_parameter(part.raw) != (part.name, part.value):
                yield ValidationProblem(f"{where}.value", _("Type it again: it was spelled otherwise in its URL."))
            if len(part.value) > LONGEST_VALUE:
                sentence = ngettext("Keep it to %(most)s character.", "Keep it to %(most)s characters.", LONGEST_VALUE)
                yield ValidationProblem(f"{where}.value", sentence % {"most": formats.number(LONGEST_VALUE)})
            elif kind == "headers" and NOT_IN_HEADERS.search(part.value):
                yield ValidationProblem(f"{where}.value", _("A header's value has no line breaks."))


def _check_body_fields(recipe: Recipe) -> Iterator[ValidationProblem]:
    if any(HALF.search(part.name + part.value) for part in recipe.sent_fields):
        return
    if recipe.sent_fields and len(body_of(recipe)) > LONGEST_BODY:
        yield ValidationProblem("body_fields", _body_too_long())
    if recipe.body_kind == "multipart":
        yield from _check_multipart(recipe)


def _check_multipart(recipe: Recipe) -> Iterator[ValidationProblem]:
    if not recipe.body_fields:
        # Translators: "None" is a kind of a body.
        yield ValidationProblem("body_kind", _("Add a field to the body, or choose None."))
    named, boundary = recipe.content_type, boundary_of(recipe)
    if named is not None:
        sentence = None
        if named.partition(";")[0].strip().lower() != MULTIPART:
            # Translators: %(type)s is multipart/form-data. "Text" is a kind of a body.
            sentence = _("The body is sent as %(type)s: remove this header, or choose Text.") % {"type": MULTIPART}
        elif boundary and not BOUNDARY.fullmatch(boundary):
            sentence = _("A boundary has up to 70 letters and digits. Without one, each call gets its own.")
        if sentence:
            where = next(n for n, header in enumerate(recipe.headers) if header.name.lower() == "content-type")
            yield ValidationProblem(f"headers.{where}.value", sentence)
    for position, part in enumerate(recipe.body_fields):
        if boundary and f"--{boundary}" in part.value:
            sentence = _("It holds the boundary that the header Content-Type names, which would end it.")
            yield ValidationProblem(f"body_fields.{position}.value", sentence)
        if part.content_type and not MEDIA_TYPE.fullmatch(part.content_type):
            sentence = _("Write a Content-Type such as application/json, or leave it empty.")
            yield ValidationProblem(f"body_fields.{position}.content_type", sentence)


def body_problem(kind: str, body: str) -> str | None:
    """Return a sentence about what is wrong with a body of a kind, or None. Placeholders are allowed."""
    if len(body) > LONGEST_BODY:
        return _body_too_long()
    if kind == "json":
        return _check_json(body)
    return _("The body holds half a character, which cannot be sent.") if HALF.search(body) else None


def _check_json(body: str) -> str | None:
    is_inside = False

    def sample(match: re.Match[str]) -> str:
        nonlocal is_inside
        if match[1] is None:
            is_inside ^= match[0] == '"'
            return match[0]
        # As long as the placeholder, so that the column in the message is right.
        return ("x" if is_inside else "1") * len(match[0])

    try:
        json.loads(JSON_PARTS.sub(sample, body))
    except json.JSONDecodeError as error:
        # As beside the lines: without a mark for thousands.
        place = {"line": error.lineno, "column": error.colno}
        return _("The body is not JSON: see line %(line)d, column %(column)d.") % place
    except (RecursionError, ValueError):
        return _("The body is JSON that cannot be read: it is nested too deeply, or has a number that is too long.")
    return None


def _check_mappings(recipe: Recipe) -> Iterator[ValidationProblem]:
    if len(recipe.mappings) > MOST_FIELDS:
        # Translators: at most so many values of a response.
        text = ngettext("At most %(most)s can be mapped.", "At most %(most)s can be mapped.", MOST_FIELDS)
        yield ValidationProblem("mappings", text % {"most": formats.number(MOST_FIELDS)})
    for position, mapped in enumerate(recipe.mappings):
        sentence = mapping.check(mapped.path)
        if sentence:
            yield ValidationProblem(f"mappings.{position}.path", sentence)
        if not re.fullmatch(ATTRIBUTE_NAME, mapped.attribute, re.ASCII):
            sentence = _("Use letters, digits and underscores, and start with no digit.")
            yield ValidationProblem(f"mappings.{position}.attribute", sentence)


def _check_own_tokens(recipe: Recipe) -> Iterator[ValidationProblem]:
    places = [("url", recipe.url)]
    for kind, fields in _parts(recipe):
        for position, part in enumerate(fields):
            places += [(f"{kind}.{position}.name", part.name), (f"{kind}.{position}.value", part.value)]
            places += [(f"{kind}.{position}.value", part.raw)] if part.raw else []
            places += [(f"{kind}.{position}.content_type", part.content_type)] if part.content_type else []
    places.append(("body", recipe.sent_text))
    yield from (ValidationProblem(where, own_token_sent()) for where, text in places if holds_token(text))
