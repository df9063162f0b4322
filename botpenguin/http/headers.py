"""Headers of every page that Django and its libraries do not set, and what Django sets for security."""

from collections.abc import Callable
from io import BytesIO

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware

from accounts.web import languages

HEADERS = {
    # Pages hold personal data. Static files, which are served before this, may be cached.
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Copy writes to the clipboard, and passkeys need credentials. Pages use nothing else.
    "Permissions-Policy": (
        "camera=(), clipboard-write=(self), display-capture=(), geolocation=(), microphone=(), payment=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self), usb=()"
    ),
}


def page_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Set the headers that a view has not set itself."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        languages.add_headers(request, response)
        return response

    return middleware


def security_headers(*, is_secure: bool) -> dict[str, str]:
    """Return the headers that `SecurityMiddleware` sets. They are the same for all responses."""
    scheme = "https" if is_secure else "http"
    request = WSGIRequest({"REQUEST_METHOD": "GET", "wsgi.url_scheme": scheme, "wsgi.input": BytesIO()})
    response = SecurityMiddleware(lambda request: HttpResponse()).process_response(request, HttpResponse())
    return {name: value for name, value in response.items() if name != "Content-Type"}
