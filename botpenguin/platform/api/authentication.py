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

    def __init__(self, *, is_counted: bool = True) -> None:
        super().__init__()
        self.is_counted = is_counted

    def __call__(self, request: HttpRequest) -> Bearer:
        found = verification.check(request)
        if self.is_counted:
            call_limits.count(request.META, found)
        return found


class TokenToRevoke(AuthBase):
    """The same token, without a limit: an attacker who uses up the limit must not delay the revoke.

    The document names it apart. Postman, Bruno and generated clients do not fill it in from the token of all other
    calls, so that a whole collection can run and the token still works.
    """

    openapi_type = "apiKey"
    openapi_in = "header"
    openapi_name = "Authorization"
    openapi_description = "`Bearer`, a blank, and the API access token that is to stop working."

    def __call__(self, request: HttpRequest) -> Bearer:
        return verification.check(request)
