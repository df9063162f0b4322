"""API Logs: requests and responses, with secrets masked."""

import json

from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.quotas import QuotaUsage
from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from developers.outbound import quotas
from developers.outbound.call_lists import EXCERPT, logs_of
from developers.outbound.last_day import last_day
from developers.outbound.log_filter import LogFilter
from developers.outbound.models import KEPT_OF_A_BODY, ApiLog, OutboundApi
from developers.outbound.transport.responses import writable

# Characters of an indented body.
MOST_INDENTED = 4 * KEPT_OF_A_BODY


@require_safe
@never_cache
def logs(request: LoggedInRequest) -> HttpResponse:
    form, rows = LogFilter(request.GET, request.user), logs_of(request.user)
    context = paged(request, form.apply(rows)) | {"filter": form, "excerpt": EXCERPT, "usages": _usages(request.user)}
    context["last_day"] = last_day(form.by_api(ApiLog.objects.owned_by(request.user)))
    return render(request, "developers/outbound/logs.html", context)


@require_safe
@never_cache
def log(request: LoggedInRequest, log_id: int) -> HttpResponse:
    log = get_object_or_404(ApiLog.objects.owned_by(request.user), pk=log_id)
    api = OutboundApi.every.filter(pk=log.api_id).only("id", "name", "deleted_at").first()
    context = {"log": log, "api": api, "body": _indented(log.response_body)}
    return render(request, "developers/outbound/log.html", context)


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
