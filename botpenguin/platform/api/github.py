"""Reports of GitHub's secret scanning. GitHub sends them to an address of its own, and signs them.

No operation of the API: what it takes and answers is GitHub's, and token holders do not need it. Nothing is parsed or
looked up before the signature is verified, so whoever cannot sign learns nothing.
"""

from allauth.core import ratelimit
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from ninja.errors import Throttled
from pydantic_core import to_json

from accounts.web.clients import Client
from botpenguin.platform.api import envelope, errors
from botpenguin.platform.api.body import JsonParser, UnreadableBody
from botpenguin.platform.api.call_limits import WINDOW, body_at_most
from botpenguin.platform.api.error_keys import ErrorKey
from developers.scanning import github

LARGEST_REPORT = 1024 * 1024
RETRY_AFTER = 300


@body_at_most(LARGEST_REPORT)
def report_exposed(request: HttpRequest) -> HttpResponse:
    """Revoke the tokens of a signed report, and answer with GitHub's feedback."""
    if not settings.GITHUB_KEYS_URL:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not ratelimit.consume(request, action="report_of_github"):
        return errors.throttled(request, Throttled(WINDOW))
    try:
        return _take(request)
    except github.NoKeys:
        refusal = envelope.error(ErrorKey.KEYS_UNKNOWN)
        refusal["Retry-After"] = RETRY_AFTER
        return refusal
    except UnreadablePostError as exception:
        return errors.cut_off(request, exception)
    except UnreadableBody as unreadable:
        return envelope.error(unreadable.key, str(unreadable))


@sensitive_variables("rows")
def _take(request: HttpRequest) -> HttpResponse:
    if not github.is_signed(request.headers, request.body):
        return envelope.error(ErrorKey.NOT_SIGNED)
    rows = JsonParser().parse_body(request)
    if not isinstance(rows, list):
        return envelope.error(ErrorKey.VALIDATION_FAILED, _("The body should be a list."))
    return HttpResponse(to_json(github.report(rows, Client.of(request))), content_type=envelope.JSON)
