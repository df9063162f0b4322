"""Lists of logs, read without what is long in them: a log may be 250 KB."""

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Left

from accounts.models import User
from developers.outbound.models import ApiLog, OutboundApi

# Characters of a body in the list.
EXCERPT = 120
SHORT = ("api_id", "api_name", "kind", "sent_at", "method", "status", "problem", "seconds")
# On the page of an API.
FEW = 5


def logs_of(owner: User) -> QuerySet[ApiLog]:
    """Return the owner's logs, with the beginnings of their bodies, and whether their APIs can be opened."""
    in_use = OutboundApi.objects.filter(pk=OuterRef("api_id"))
    logs: QuerySet[ApiLog] = ApiLog.objects.owned_by(owner).only(*SHORT)
    return logs.annotate(excerpt=Left("response_body", EXCERPT + 1), has_api=Exists(in_use))


def latest_calls(api: OutboundApi) -> QuerySet[ApiLog]:
    """Return the last few logs of an API."""
    return ApiLog.objects.filter(api=api.pk).only(*SHORT)[:FEW]
