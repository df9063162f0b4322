"""Pagination of long lists."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PAGE_LENGTH = 50


def paged(request: HttpRequest, rows: QuerySet[Any], count: int | None = None) -> dict[str, Any]:
    """Return the requested page, or the nearest that exists, and the numbers of the pages around it.

    count: of the rows, where it is known already.
    """
    paginator = Paginator(rows, PAGE_LENGTH)
    if count is not None:
        paginator.count = count
    page = paginator.get_page(request.GET.get("page"))
    return {"page": page, "numbers": paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)}
