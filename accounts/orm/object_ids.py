"""Ids in the manner of BSON's ObjectId, and the rows of one owner."""

import re
import secrets
import time
from typing import Self

from django.db import models

from accounts.text import normalize

ID_LENGTH = 24
OBJECT_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")


def object_id() -> str:
    """Make an id: 4 bytes of time in seconds, then 8 random ones, in hexadecimal."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


class OwnedQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def owned_by(self, owner: models.Model | int) -> Self:
        return self.filter(owner=owner)

    def with_id(self, text: str) -> Self:
        """The row with this id, as somebody may have pasted it; none if the text is no id."""
        text = normalize(text)
        return self.filter(pk=text) if OBJECT_ID.fullmatch(text) else self.none()

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")

    def older_than(self, row: models.Model) -> Self:
        """The rows behind one in the order of `newest_first`, found in the same index."""
        created_at = row.created_at  # type: ignore[attr-defined]
        return self.filter(created_at__lte=created_at).exclude(created_at=created_at, id__gte=row.pk)
