"""The filter of API Logs: by API, status and time. A part that cannot be read filters nothing, and says why."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet, Sum
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.forms.fields import IdField
from accounts.models import User
from accounts.text import normalize
from accounts.web import formats
from accounts.web.formats import clock
from accounts.web.isolates import isolated
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.running import KEPT_FOR

# Offered in the filter.
MOST_APIS = 1_000
NO_RESPONSE = "none"
CLASSES = {
    # Translators: classes of HTTP's status: how calls ended.
    "2xx": gettext_lazy("2xx: worked"),
    "3xx": gettext_lazy("3xx: redirected"),
    "4xx": gettext_lazy("4xx: refused"),
    "5xx": gettext_lazy("5xx: failed"),
    NO_RESPONSE: gettext_lazy("No response"),
}
# Characters of what an address asks for.
LONGEST = 100
HOUR = timedelta(hours=1)


def select(label: Any) -> IdField:
    return IdField(label=label, required=False, widget=forms.Select)


class LogFilter(forms.Form):
    """The fields are lists, with whatever the address asks for among their choices."""

    api = select(gettext_lazy("API"))
    status = select(pgettext_lazy("of HTTP", "Status"))
    day = select(gettext_lazy("Day"))

    def __init__(self, data: QueryDict, owner: User) -> None:
        asked = {name: normalize(data.get(name, "")[:LONGEST]) for name in self.base_fields}
        super().__init__(asked, auto_id="filter-%s")
        self.owner = owner
        for name, choices in (("api", self._apis), ("status", self._statuses), ("day", self._days)):
            # Read once, and only when the field is shown.
            self.fields[name].widget.choices = cache(partial(self._with_asked, name, choices))

    @property
    def is_used(self) -> bool:
        return any(self.data.values())

    def apply(self, logs: QuerySet[ApiLog]) -> QuerySet[ApiLog]:
        return logs.filter(self._condition())

    def by_api(self, logs: QuerySet[ApiLog]) -> QuerySet[ApiLog]:
        self.is_valid()
        api = self.cleaned_data.get("api")
        return logs.filter(api=api) if api else logs

    @cached_property
    def tallies(self) -> list[dict[str, Any]]:
        """By status of the owner's logs: `logs` are there, of `bytes` together, and `found` match the filter."""
        tally = {"logs": Count("pk"), "bytes": Sum("size", default=0), "found": Count("pk", filter=self._condition())}
        logs = ApiLog.objects.owned_by(self.owner).order_by("status")
        return list(logs.values("status").annotate(**tally))

    def total(self, name: str) -> int:
        return sum(tally[name] for tally in self.tallies)

    def _condition(self) -> Q:
        self.is_valid()
        api = self.cleaned_data.get("api")
        of_api = Q(api=api) if api else Q()
        return of_api & (self.cleaned_data.get("status") or Q()) & (self.cleaned_data.get("day") or Q())

    def clean_api(self) -> OutboundApi | None:
        text = self.cleaned_data["api"]
        if not text:
            return None
        api: OutboundApi | None = (
            OutboundApi.every.owned_by(self.owner).with_id(text).only("id", "name", "deleted_at").first()
        )
        if api is None:
            raise ValidationError(_("None of your APIs has this id. Calls of all APIs are listed."))
        return api

    def clean_status(self) -> Q | None:
        text = self.cleaned_data["status"].lower()
        if not text:
            return None
        if text == NO_RESPONSE:
            return Q(status=None)
        if text in CLASSES:
            return Q(status__gte=int(text[0]) * 100, status__lt=int(text[0]) * 100 + 100)
        if re.fullmatch(r"[1-9]\d\d", text, re.ASCII):
            return Q(status=int(text))
        raise ValidationError(
            _("A status is a number such as 404 or a class such as 4xx. Calls of every status are listed.")
        )

    def clean_day(self) -> Q | None:
        text = self.cleaned_data["day"]
        if not text:
            return None
        try:
            start, end = _span(text)
            is_kept = start < timezone.now() and end > timezone.now() - KEPT_FOR
        except (ValueError, OverflowError):
            raise ValidationError(_("A day is written as 2026-11-30. Calls of all days are listed.")) from None
        if not is_kept:
            raise ValidationError(_("This is none of the last 10 days. Calls of all days are listed."))
        return Q(sent_at__gte=start, sent_at__lt=end)

    def _with_asked(self, name: str, choices: Callable[[], Iterator[tuple[str, Any]]]) -> list[tuple[str, Any]]:
        self.is_valid()
        asked, listed = self.data[name], list(choices())
        return listed if asked in dict(listed) else [*listed, (asked, self._label(name, asked))]

    def _label(self, name: str, asked: str) -> str:
        value = self.cleaned_data.get(name)
        if name == "api" and value:
            # Translators: the name of an API, among others that are not deleted.
            return _("%(api)s (deleted)") % {"api": isolated(value)} if value.deleted_at else str(value)
        if name == "day" and value:
            start, end = _span(asked)
            # Translators: two times, such as "29 Nov, 14:00 to 29 Nov, 15:00".
            return _("%(start)s to %(end)s") % {"start": clock(start), "end": clock(end)}
        return asked

    def _apis(self) -> Iterator[tuple[str, Any]]:
        yield "", _("All APIs")
        for api in OutboundApi.objects.owned_by(self.owner).only("id", "name")[:MOST_APIS]:
            yield api.pk, api.name

    def _statuses(self) -> Iterator[tuple[str, Any]]:
        yield "", _("Every status")
        yield from CLASSES.items()
        seen = [str(tally["status"]) for tally in self.tallies if tally["status"] is not None]
        yield from zip(seen, seen, strict=True)

    def _days(self) -> Iterator[tuple[str, Any]]:
        yield "", _("All days")
        today, first = timezone.localdate(), timezone.localtime(timezone.now() - KEPT_FOR).date()
        for number in range((today - first).days + 1):
            day = today - timedelta(days=number)
            name = _("Today") if number == 0 else _("Yesterday") if number == 1 else formats.day(day, "MMMEd")
            yield day.isoformat(), name


def hour_value(start: datetime) -> str:
    """Return how the address of the page names an hour."""
    return start.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _span(text: str) -> tuple[datetime, datetime]:
    """Return begin and end of a day in the person's time zone, or of an hour. Raises `ValueError`, `OverflowError`."""
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", text, re.ASCII):
        start = datetime.fromisoformat(text)
        return start, start + HOUR
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError
    day, zone = date.fromisoformat(text), timezone.get_current_timezone()
    start, end = (datetime.combine(each, time.min, zone) for each in (day, day + timedelta(days=1)))
    return start, end
