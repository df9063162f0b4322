"""Content codings that a client accepts (RFC 9110, section 12.5.3)."""

import re

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import gzip

# Codings that the server has, the one that compresses better first.
CODINGS = ("br", "gzip")
IDENTITY = "identity"
ELEMENT = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q=(0(?:\.\d*)?|1(?:\.0*)?)\s*)?", re.ASCII | re.IGNORECASE)


def accepted(header: str) -> list[str]:
    """Return the server's codings that an `Accept-Encoding` header accepts, the preferred one first.

    Elements that cannot be parsed are ignored. A coding with a lower weight than `identity` is left out.
    """
    elements = (ELEMENT.fullmatch(element) for element in header.split(","))
    weights = {element[1].lower(): float(element[2] or 1) for element in elements if element}
    ours = {coding: weights.get(coding, weights.get("*", 0)) for coding in CODINGS}
    least = weights.get(IDENTITY, 0)
    return sorted((coding for coding in CODINGS if ours[coding] > 0 and ours[coding] >= least), key=lambda c: -ours[c])


class GZipMiddleware(gzip.GZipMiddleware):
    """Does not compress a page if the client refuses gzip. Django's middleware ignores `q=0`."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        request.META["HTTP_ACCEPT_ENCODING"] = ", ".join(accepted(request.META.get("HTTP_ACCEPT_ENCODING", "")))
        return super().process_response(request, response)
