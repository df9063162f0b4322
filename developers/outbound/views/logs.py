"""API Logs: what was sent and what came back, secrets masked."""

import json

from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.paging import paged
from accounts.quotas import Usage
from accounts.requests import SignedInRequest
from developers.outbound import quotas
from developers.outbound.answers import writable
from developers.outbound.models import KEPT_OF_A_BODY, ApiLog, OutboundApi

# What the list shows of a body, in characters.
EXCERPT = 120
# What a body may grow to by indenting it, in characters.
MOST_INDENTED = 4 * KEPT_OF_A_BODY


@require_safe
@never_cache
def logs(request: SignedInRequest) -> HttpResponse:
    apis = list(OutboundApi.objects.of(request.user).only("id", "name"))
    chosen = next((api for api in apis if api.pk == request.GET.get("api")), None)
    rows = ApiLog.objects.of(request.user).defer("request_headers", "request_body", "response_headers")
    page = paged(request, rows.filter(api=chosen) if chosen else rows)
    context = {"apis": apis, "chosen": chosen, "excerpt": EXCERPT, "usages": _usages(request.user)}
    return render(request, "developers/outbound/logs.html", page | context)


@require_safe
@never_cache
def log(request: SignedInRequest, log_id: int) -> HttpResponse:
    log = get_object_or_404(ApiLog.objects.of(request.user), pk=log_id)
    return render(request, "developers/outbound/log.html", {"log": log, "body": _indented(log.response_body)})


def _usages(owner: User) -> list[Usage]:
    held = ApiLog.objects.of(owner).aggregate(logs=Count("pk"), size=Sum("size", default=0))
    return [quotas.LOGS.usage(held["logs"]), quotas.LOG_BYTES.usage(held["size"])]


def _indented(text: str) -> str:
    """Indent JSON, where that makes no giant of it: each line of what is nested deeply begins with as many blanks."""
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
