"""Authentication of the API: the API access token as a bearer token."""

from django.http import HttpRequest
from ninja.security.base import AuthBase

from botpenguin.platform.api import call_limits
from developers.bearer import verification
from developers.bearer.verification import Bearer


class BearerRequest(HttpRequest):
    """A request that passed the bearer check."""

    auth: Bearer


class ApiAccessToken(AuthBase):
    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_description = "The API access token from the Developers page."

    def __init__(self, *, is_limited: bool = True) -> None:
        super().__init__()
        self.is_limited = is_limited

    def __call__(self, request: HttpRequest) -> Bearer:
        found = verification.check(request)
        if self.is_limited:
            call_limits.count(request, found)
        return found
