"""API Logs: requests and responses, with secrets masked."""

import json

from django.db.models import Count, Sum
from django.db.models.functions import Left
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.quotas import QuotaUsage
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from developers.outbound import quotas
from developers.outbound.models import KEPT_OF_A_BODY, ApiLog, OutboundApi
from developers.outbound.transport.responses import writable

# Characters of a body in the list.
EXCERPT = 120
# The list does not read these: a log may be 200 KB.
LONG = ("url", "request_headers", "request_body", "response_headers", "response_body")
# Offered in the filter.
MOST_APIS = 1_000
# Characters of an indented body.
MOST_INDENTED = 4 * KEPT_OF_A_BODY


@require_safe
@never_cache
def logs(request: LoggedInRequest) -> HttpResponse:
    of_user = OutboundApi.objects.owned_by(request.user).only("id", "name")
    apis = list(of_user[:MOST_APIS])
    asked_for = request.GET.get("api", "")
    chosen = of_user.with_id(asked_for).first()
    rows = ApiLog.objects.owned_by(request.user).defer(*LONG).annotate(excerpt=Left("response_body", EXCERPT + 1))
    page = paged(request, rows.filter(api=chosen) if chosen else rows)
    context = {"apis": apis, "chosen": chosen, "excerpt": EXCERPT, "usages": _usages(request.user)}
    return render(request, "developers/outbound/logs.html", page | context)


@require_safe
@never_cache
def log(request: LoggedInRequest, log_id: int) -> HttpResponse:
    log = get_object_or_404(ApiLog.objects.owned_by(request.user), pk=log_id)
    return render(request, "developers/outbound/log.html", {"log": log, "body": _indented(log.response_body)})


def _usages(owner: User) -> list[QuotaUsage]:
    held = ApiLog.objects.owned_by(owner).aggregate(logs=Count("pk"), size=Sum("size", default=0))
    return [quotas.LOGS.usage(held["logs"]), quotas.LOG_BYTES.usage(held["size"])]


def _indented(text: str) -> str:
    """Indent JSON unless it becomes too long: deeply nested lines begin with many blanks."""
    parts, length = [], 0
    try:
        for part in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(json.loads(text)):
            parts.append(part)
            length += len(part)
            if length > MOST_INDENTED:
                return text
    except (ValueError, RecursionError):
        return text
    return writable("".join(parts))
