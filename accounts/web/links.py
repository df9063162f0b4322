"""Links of the rows of a list."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from accounts.orm.object_ids import ID_LENGTH

# Stands for the id of a row.
PLACE = "0" * ID_LENGTH


def add_links(rows: Iterable[dict[str, Any]], **pages: str) -> None:
    """Add to each row, under the given names, the URLs of these pages about it.

    Each URL is made once a list: Django takes some 15 µs to make one, and a list has hundreds.
    """
    links = {name: reverse(page, args=[PLACE]).split(PLACE) for name, page in pages.items()}
    for row in rows:
        for name, (before, after) in links.items():
            row[name] = f"{before}{row['id']}{after}"
