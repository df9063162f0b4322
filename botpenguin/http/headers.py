"""Headers of every page that Django and its libraries leave to the project."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

HEADERS = {
    # Pages are about the person who asked; only static files, served before this, are kept.
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Copy writes the clipboard, and passkeys are asked for; nothing else is of use to any page or script.
    "Permissions-Policy": (
        "camera=(), clipboard-write=(self), display-capture=(), geolocation=(), microphone=(), payment=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self), usb=()"
    ),
}


def page_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Set what a view has not set itself."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware
