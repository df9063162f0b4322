"""The requests that pages and the API get."""

import re
from collections.abc import MutableMapping
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict
from django.http.request import MediaType
from django.utils.functional import cached_property
from django.utils.http import parse_header_parameters

# Immutable. To parse an empty query takes twice as long as to make a request.
NOTHING = QueryDict("", encoding="utf-8")
LENGTH = re.compile("[0-9]{1,18}")


class Request(WSGIRequest):
    """A request with any `Content-Type`, `Accept` and `Content-Length`.

    Python's parser of mail headers raises many exceptions for malformed values; for `Content-Type` even before
    the first middleware.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        length = environ.get("CONTENT_LENGTH", "")
        # Django would read no body, and fail when a view asks for one. Granian itself refuses such lengths.
        if length and not LENGTH.fullmatch(length):
            environ["CONTENT_LENGTH"] = "0"
        super().__init__(environ)

    def _set_content_type_params(self, meta: MutableMapping[str, Any]) -> None:
        """Ignore the charset: forms and JSON are in UTF-8, and Python accepts charsets such as `hex`."""
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except Exception:  # noqa: BLE001 - see above
            media_type = meta["CONTENT_TYPE"].partition(";")[0].strip().lower()
            self.content_type, self.content_params = media_type, {}
            # Django parses it again when it reads a form.
            meta["CONTENT_TYPE"] = media_type

    @cached_property
    def GET(self) -> QueryDict:  # type: ignore[override]  # noqa: N802 - Django's name
        return super().GET if self.environ.get("QUERY_STRING") else NOTHING

    @cached_property
    def accepted_types(self) -> list[MediaType]:
        try:
            return super().accepted_types
        except Exception:  # noqa: BLE001 - see above
            return []
