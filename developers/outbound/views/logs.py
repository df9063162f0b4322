"""API Logs: requests and responses, with secrets masked."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.web.pagination import paged
from accounts.web.requests import LoggedInRequest
from developers.outbound import quotas
from developers.outbound.call_lists import EXCERPT, logs_of
from developers.outbound.editor.exchange import exchange_of
from developers.outbound.last_day import last_day
from developers.outbound.log_filter import LogFilter
from developers.outbound.models import ApiLog, OutboundApi


@require_safe
@never_cache
def logs(request: LoggedInRequest) -> HttpResponse:
    form, rows = LogFilter(request.GET, request.user), logs_of(request.user)
    context = paged(request, form.apply(rows), form.total("found")) | {"filter": form, "excerpt": EXCERPT}
    context["usages"] = [quotas.LOGS.usage(form.total("logs")), quotas.LOG_BYTES.usage(form.total("bytes"))]
    context["last_day"] = last_day(form.by_api(ApiLog.objects.owned_by(request.user)))
    return render(request, "developers/outbound/logs.html", context)


@require_safe
@never_cache
def log(request: LoggedInRequest, log_id: int) -> HttpResponse:
    log = get_object_or_404(ApiLog.objects.owned_by(request.user), pk=log_id)
    api = OutboundApi.every.filter(pk=log.api_id).only("id", "name", "deleted_at").first()
    context = {"log": log, "api": api, "exchange": exchange_of(log)}
    return render(request, "developers/outbound/log.html", context)
