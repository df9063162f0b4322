"""Django's test client as a WSGI server: it gives requests under `/api/` to the API's application.

`tests.conftest` puts it in place of Django's own handler, so every client of the tests is one. Each client makes its
own application, by the settings of its first request, as Django's handler loads its middleware.
"""

from collections.abc import Callable
from typing import Any
from wsgiref.types import StartResponse

from django.http import HttpResponse
from django.http.response import ResponseHeaders
from django.test.client import ClientHandler, conditional_content_removal
from django.utils.functional import cached_property

from botpenguin.http.requests import Request
from botpenguin.platform.api import application
from botpenguin.platform.api.application import PREFIX, ApiApplication

# As Django's client does: it would close the connection of the test.
vars(application)["close_old_connections"] = bool


def serve(application: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return status line, headers and body as a server would send them."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], error: Any = None, /) -> Callable[[bytes], object]:
        started.append((status, headers))
        return bytes.__len__

    answer = application(environ, start)
    try:
        body = b"".join(answer)
    finally:
        answer.close()
    [(status, headers)] = started
    return status, headers, body


class ServerHandler(ClientHandler):
    @cached_property
    def api(self) -> ApiApplication:
        return ApiApplication(self.page)

    def page(self, environ: dict[str, Any], start_response: StartResponse) -> Any:
        response = super().__call__(environ)
        cookies = [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items(), *cookies])
        # Django's handler has closed it.
        vars(response)["close"] = bool
        return response

    def __call__(self, environ: dict[str, Any]) -> Any:
        if not environ["PATH_INFO"].startswith(PREFIX):
            return super().__call__(environ)
        request = Request(environ.copy())
        status, headers, body = serve(self.api, environ)
        response = HttpResponse(body, status=int(status[:3]))
        response.headers = ResponseHeaders(dict(headers))
        for cookie in [value for name, value in headers if name == "Set-Cookie"]:
            response.cookies.load(cookie)
        response.headers.pop("Set-Cookie", None)
        response.wsgi_request = request  # type: ignore[attr-defined]  # Django's client expects it
        return conditional_content_removal(request, response)
