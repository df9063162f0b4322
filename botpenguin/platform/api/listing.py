"""Lists with pages so large that most accounts need only one."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, TypeVar

from django.db.models import BigIntegerField, QuerySet
from django.utils.translation import gettext as _
from ninja.params import functions
from pydantic import Field

from accounts.orm.compiled import CompiledQuery, Parameter
from botpenguin.platform.api.envelope import Envelope

Item = TypeVar("Item")

# Limits of memory: a bot takes up to 0.5 KB of a response, a segment with 20 tags 5 KB.
MOST_BOTS = 5_000
MOST_SEGMENTS = 500
# Larger offsets would exceed 2^63.
LAST_PAGE = 10**9
Page = Annotated[int, Field(ge=1, le=LAST_PAGE)]


def page_of(most: int) -> Any:
    """Return the query parameter of a list with `most` rows a page."""
    return functions.Query(1, description=f"From 1; a page holds {most:,}, which is more than most accounts have.")


def owned(
    make: Callable[[Any], QuerySet[Any]], owner_id: int, page: int, most: int, serialize: Callable[[Any], Item]
) -> Envelope[list[Item]]:
    """Return one page of the rows of an owner. The query of the first page, which nearly all need, is compiled once."""
    if page > 1:
        return listed(make(owner_id), page, most, serialize)
    return _page(_first(make, most).objects(owner=owner_id), page, most, serialize)


@cache
def _first(make: Callable[[Any], QuerySet[Any]], most: int) -> CompiledQuery:
    return CompiledQuery(lambda: make(Parameter("owner", BigIntegerField()))[: most + 1])


def listed(rows: QuerySet[Any], page: int, most: int, serialize: Callable[[Any], Item]) -> Envelope[list[Item]]:
    """Return one page of rows, and a message if there are more."""
    start = (page - 1) * most
    return _page(list(rows[start : start + most + 1]), page, most, serialize)


def _page(found: list[Any], page: int, most: int, serialize: Callable[[Any], Item]) -> Envelope[list[Item]]:
    message = (
        _("There are more. Ask for them with %(query)s.") % {"query": f"?page={page + 1}"} if len(found) > most else ""
    )
    return Envelope(message=message, data=[serialize(row) for row in found[:most]])
