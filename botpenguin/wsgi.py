"""The WSGI application that Granian serves."""

import logging
import os
from collections.abc import MutableMapping
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.http.request import MediaType
from django.utils.functional import cached_property
from django.utils.http import parse_header_parameters

from accounts import keyring
from botpenguin.database import write_probe
from botpenguin.database.deadline import OF_A_REQUEST, AnswerDeadline
from developers.bearer import use_counts

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botpenguin.settings")


class Request(WSGIRequest):
    """A request with any `Content-Type` and `Accept`.

    Python's parser of mail headers raises many exceptions for malformed values; for `Content-Type` even before
    the first middleware.
    """

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
    def accepted_types(self) -> list[MediaType]:
        try:
            return super().accepted_types
        except Exception:  # noqa: BLE001 - see above
            return []


# Log lines do not use these: https://docs.python.org/3/howto/logging.html#optimization
for unused in ("logThreads", "logMultiprocessing", "logAsyncioTasks"):
    setattr(logging, unused, False)

application = get_wsgi_application()
application.request_class = Request

# Django's checks do not run under WSGI, and weak keys must fail the start, not the first request.
keyring.ring()

# Each process that serves writes whose programs use tokens.
use_counts.Timing.is_on = True

# Each process measures whether the database confirms writes, from its first request on.
write_probe.Serving.is_on = True
request_started.connect(write_probe.probe.start)

AnswerDeadline.seconds = OF_A_REQUEST
