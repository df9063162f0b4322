"""Reads an HTTP request as text: RFC 9112, section 2.1, or the pseudo headers of HTTP/2 as browsers copy them."""

import re

from django.utils.translation import gettext as _

from developers.outbound.curl.pasted import Pasted
from developers.outbound.curl.problems import InvalidCommand, excerpt_of_url

# Without a version the method stands in capitals.
REQUEST_LINE = re.compile(
    r"(?P<method>[A-Z]{3,20}(?=[ \t]+(?:https?://|/))|[A-Za-z]{3,20}(?=.*[ \t]HTTP/))[ \t]+(?P<target>\S+)"
    r"(?:[ \t]+HTTP/[\d.]+)?[ \t]*"
)
PSEUDO = re.compile(r":(authority|method|path|scheme):[ \t]*(.*)")
ADDRESS = re.compile(r"https?://\S+")


def begins(line: str) -> bool:
    """Return whether a line begins a request."""
    return any(pattern.fullmatch(line) for pattern in (REQUEST_LINE, PSEUDO, ADDRESS))


def parse(lines: list[str]) -> Pasted:
    """Read a request, whose first line is its request line, a pseudo header or a URL alone."""
    first = lines[0]
    if ADDRESS.fullmatch(first):
        return Pasted("url", [("globoff", ""), ("url", first)])
    line = REQUEST_LINE.fullmatch(first)
    head = lines[1:] if line else lines
    end = next((number for number, each in enumerate(head) if not each.strip()), len(head))
    headers = _unfolded(head[:end])
    pseudo = {match[1]: match[2].strip() for each in headers if (match := PSEUDO.fullmatch(each))}
    method, target = (
        (line["method"], line["target"]) if line else (pseudo.get("method", "GET"), pseudo.get("path", "/"))
    )
    options = [("globoff", ""), ("request", method), ("url", _address(target, headers, pseudo))]
    options += [("header", text) for each in headers if (text := _header(each)) and not PSEUDO.fullmatch(each)]
    body = "\n".join(head[end + 1 :]).strip("\n")
    pasted = Pasted("http", options)
    if body:
        options.append(("data-raw", body))
        if not any(each.lower().startswith("content-type:") for each in headers):
            kind = "application/json" if body.startswith(("{", "[")) else "text/plain"
            options.append(("header", f"Content-Type: {kind}"))
            pasted.to_do.append(_("The request names no Content-Type. It is read as %(kind)s.") % {"kind": kind})
    return pasted


def _unfolded(lines: list[str]) -> list[str]:
    """Return the headers, each on one line: a line that begins with a blank goes on with the one before."""
    headers: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and headers:
            headers[-1] = f"{headers[-1].rstrip()} {line.strip()}"
        else:
            headers.append(line.strip())
    return headers


def _header(text: str) -> str:
    name, colon, value = text.partition(":")
    return f"{name};" if colon and name and not value.strip() else text


def _address(target: str, headers: list[str], pseudo: dict[str, str]) -> str:
    if ADDRESS.match(target):
        return target
    hosts = [each.partition(":")[2].strip() for each in headers if each.lower().startswith("host:")]
    host = next(iter(hosts), pseudo.get("authority", ""))
    if not host or not target.startswith("/"):
        sentence = _("The request names no server: after %(target)s a line such as Host: api.example.com is missing.")
        raise InvalidCommand(sentence % {"target": excerpt_of_url(target)})
    scheme = pseudo.get("scheme", "http" if host.endswith(":80") else "https")
    return f"{scheme}://{host}{target}"
