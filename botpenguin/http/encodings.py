"""Content codings that a client accepts (RFC 9110, section 12.5.3)."""

import re

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import gzip

# Those of ours, the one that packs better first.
CODINGS = ("br", "gzip")
IDENTITY = "identity"
ELEMENT = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q=(0(?:\.\d*)?|1(?:\.0*)?)\s*)?", re.ASCII | re.IGNORECASE)


def accepted(header: str) -> list[str]:
    """Return the codings of ours that an `Accept-Encoding` header accepts, the preferred one first.

    What cannot be read is not accepted. A coding that weighs less than `identity` is left out.
    """
    elements = (ELEMENT.fullmatch(element) for element in header.split(","))
    weights = {element[1].lower(): float(element[2] or 1) for element in elements if element}
    ours = {coding: weights.get(coding, weights.get("*", 0)) for coding in CODINGS}
    least = weights.get(IDENTITY, 0)
    return sorted((coding for coding in CODINGS if ours[coding] > 0 and ours[coding] >= least), key=lambda c: -ours[c])


class GZipMiddleware(gzip.GZipMiddleware):
    """Leave a page as it is for a client that refuses gzip. Django's middleware ignores `q=0`."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        request.META["HTTP_ACCEPT_ENCODING"] = ", ".join(accepted(request.META.get("HTTP_ACCEPT_ENCODING", "")))
        return super().process_response(request, response)
