"""Reads `fetch(…)`: literals of JavaScript, and the variables that hold them. No code is run."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from developers.outbound.curl.javascript_values import Form, FormParts, Literals, Variable, as_text, pairs_of
from developers.outbound.curl.pasted import Pasted
from developers.outbound.curl.problems import InvalidCommand, listed

CALL = re.compile(r"(?<![\w.$])(?:(?:window|globalThis|self)\.)?fetch\s*\(")
TURNED = dict.fromkeys(map(ord, "“”„‟"), '"') | dict.fromkeys(map(ord, "‘’‚‛"), "'")
# They concern the browser only.
LEFT_OUT = (
    *("referrerPolicy", "mode", "credentials", "cache", "integrity", "keepalive", "signal", "priority", "duplex"),
    *("window", "next", "dispatcher", "agent", "timeout", "compress"),
)
FORM = "application/x-www-form-urlencoded;charset=UTF-8"


def parse(text: str) -> Pasted:
    """Read the first call of fetch in a text. Raises `InvalidCommand` for what is no literal."""
    if not set("'\"`") & set(text):
        # Documents turned all of them.
        text = text.translate(TURNED)
    start, end = next(match.span() for match in CALL.finditer(text))
    reader = Literals(text)
    reader.read_variables(start)
    reader.place = end
    address = reader.part(_("In fetch(…) the URL cannot be read. Write it as text or as an object."))
    if isinstance(address, Variable) or not isinstance(address, str):
        raise InvalidCommand(_("fetch(…) names no URL as text. Write the URL itself in its place."))
    options: Any = {}
    if reader.takes(","):
        options = {} if reader.takes(")") else reader.options()
    if isinstance(body := options.get("body"), FormParts):
        if not body:
            raise InvalidCommand(_("In fetch(…) body cannot be read. Write it as text or as an object."))
        reader.variables += [value[2:-1] for _name, value in body if isinstance(value, Variable)]
    pasted = Pasted("fetch", [("globoff", ""), ("url", address), *_options_of(options)])
    _add_sentences(pasted, options, reader.variables)
    if CALL.search(text, reader.place):
        pasted.left_out.append(_("Only the first call of fetch(…) is read. Paste the others one at a time."))
    return pasted


def _options_of(options: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the options of curl. Fetch follows redirects, and sends a text as plain text."""
    headers = pairs_of(options.get("headers"))
    names = {name.lower() for name, _value in headers}
    if options.get("method"):
        yield "request", str(options["method"])
    for name, value in headers:
        yield "header", f"{name}: {value}" if value else f"{name};"
    referrer = str(options.get("referrer") or "")
    if referrer.startswith("http") and "referer" not in names:
        yield "header", f"Referer: {referrer}"
    body = options.get("body")
    if isinstance(body, FormParts):
        yield from (("form-string", f"{name}={value}") for name, value in body)
    elif body is not None:
        if "content-type" not in names:
            yield "header", f"Content-Type: {FORM if isinstance(body, Form) else 'text/plain;charset=UTF-8'}"
        yield "data-raw", urlencode(body) if isinstance(body, Form) else as_text(body)
    if options.get("redirect", "follow") == "follow":
        yield "location", ""


def _add_sentences(pasted: Pasted, options: dict[str, Any], variables: list[str]) -> None:
    names = [name for name in LEFT_OUT if name in options]
    if names:
        sentence = ngettext(
            "%(names)s is left out: that concerns only browsers.",
            "%(names)s are left out: that concerns only browsers.",
            len(names),
        )
        pasted.left_out.append(sentence % {"names": ", ".join(names)})
    headers = options.get("headers")
    if options.get("credentials") == "include" and not any(
        name.lower() == "cookie" for name, _value in pairs_of(headers)
    ):
        pasted.to_do.append(_("The browser would add its cookies, which are not in the text. Add a header Cookie."))
    if variable_names := listed(variables):
        pasted.to_do.append(_("Replace these variables by values: %(names)s.") % {"names": variable_names})
