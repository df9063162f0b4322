"""The body of a call as it is sent, and the boundary of multipart/form-data (RFC 7578)."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import replace
from email.message import Message
from urllib.parse import quote_plus

from developers.outbound.recipe import CONTENT_TYPES, Recipe, RecipeField, encoded

MULTIPART = CONTENT_TYPES["multipart"]
# RFC 2046, section 5.1.1.
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", re.ASCII)
# As curl and browsers write a name: https://html.spec.whatwg.org/#multipart-form-data.
ESCAPED = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


def with_boundary(recipe: Recipe) -> Recipe:
    """Add the header that names the boundary of a multipart body, unless the headers name one.

    The boundary is random: nobody who writes an attribute can know it, and end a part with it.
    """
    if recipe.body_kind != "multipart" or boundary_of(recipe):
        return recipe
    named = f"boundary={'-' * 24}{secrets.token_hex(16)}"
    if recipe.content_type is None:
        return replace(recipe, headers=(*recipe.headers, RecipeField("Content-Type", f"{MULTIPART}; {named}")))
    # An empty boundary would hide the new one.
    kept = MULTIPART if "boundary" in recipe.content_type.lower() else recipe.content_type.rstrip("; ")
    headers = (
        replace(each, value=f"{kept}; {named}") if each.name.lower() == "content-type" else each
        for each in recipe.headers
    )
    return replace(recipe, headers=tuple(headers))


def boundary_of(recipe: Recipe) -> str:
    """Return the boundary that the headers name, or an empty text."""
    message = Message()
    message["Content-Type"] = recipe.content_type or ""
    return message.get_boundary("")


def body_of(recipe: Recipe) -> str:
    """Return the body that is sent. That of multipart/form-data needs its boundary (`with_boundary`)."""
    if recipe.body_kind == "form":
        return "&".join(encoded(each, quote_plus) for each in recipe.body_fields)
    if recipe.body_kind == "multipart":
        return multipart(recipe.body_fields, boundary_of(recipe))
    return recipe.sent_text


def multipart(fields: Iterable[RecipeField], boundary: str) -> str:
    """Write fields as multipart/form-data, byte for byte as curl does."""
    return "".join([*(_part(each, boundary) for each in fields), f"--{boundary}--\r\n"])


def _part(each: RecipeField, boundary: str) -> str:
    kind = f"\r\nContent-Type: {each.content_type}" if each.content_type else ""
    name = each.name.translate(ESCAPED)
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{kind}\r\n\r\n{each.value}\r\n'
