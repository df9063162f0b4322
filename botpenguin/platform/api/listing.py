"""Lists with pages so large that most accounts need only one."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from django.db.models import BigIntegerField, QuerySet
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


class FirstPage:
    """The first page of an owner's rows, which nearly all need alone. Its query is compiled once."""

    def __init__(self, make: Callable[[Any], QuerySet[Any]], most: int) -> None:
        self._make, self._most = make, most
        self._query = CompiledQuery(lambda: make(Parameter("owner", BigIntegerField()))[: most + 1])

    def or_page(self, owner_id: int, page: int, serialize: Callable[[Any], Item]) -> Envelope[list[Item]]:
        """Return one page of rows, and a message if there are more."""
        if page > 1:
            return listed(self._make(owner_id), page, self._most, serialize)
        return _page(self._query.objects(owner=owner_id), page, self._most, serialize)


def listed(rows: QuerySet[Any], page: int, most: int, serialize: Callable[[Any], Item]) -> Envelope[list[Item]]:
    """Return one page of rows, and a message if there are more."""
    start = (page - 1) * most
    return _page(list(rows[start : start + most + 1]), page, most, serialize)


def _page(found: list[Any], page: int, most: int, serialize: Callable[[Any], Item]) -> Envelope[list[Item]]:
    message = f"There are more. Ask for them with ?page={page + 1}." if len(found) > most else ""
    return Envelope(message=message, data=[serialize(row) for row in found[:most]])
