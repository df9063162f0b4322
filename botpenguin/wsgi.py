"""The WSGI application that Granian serves: the API, and beside it Django's handler for pages."""

import logging
import os
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import django
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_started

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botpenguin.settings")
django.setup(set_prefix=False)

# They import models, which need the settings first.
from accounts import keyring  # noqa: E402
from botpenguin.database import write_probe  # noqa: E402
from botpenguin.database.deadline import OF_A_REQUEST, AnswerDeadline  # noqa: E402
from botpenguin.http.requests import Request  # noqa: E402
from botpenguin.platform.api import application as api  # noqa: E402
from developers.bearer import use_counts  # noqa: E402


class Application(WSGIHandler):
    request_class = Request

    def __init__(self) -> None:
        super().__init__()
        self.api = api.ApiApplication(pages=super().__call__)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        if environ["PATH_INFO"].startswith(api.PREFIX):
            return self.api(environ, start_response)
        return super().__call__(environ, start_response)


# Log lines do not use these: https://docs.python.org/3/howto/logging.html#optimization
for unused in ("logThreads", "logMultiprocessing", "logAsyncioTasks"):
    setattr(logging, unused, False)

application = Application()

# Django's checks do not run under WSGI, and weak keys must fail the start, not the first request.
keyring.ring()

# Each process that serves writes whose programs use tokens.
use_counts.Timing.is_on = True

# Each process measures whether the database confirms writes, from its first request on.
write_probe.Serving.is_on = True
request_started.connect(write_probe.probe.start)

AnswerDeadline.seconds = OF_A_REQUEST
