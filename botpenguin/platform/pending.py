"""The table of imports in progress. A module of its own, because queries of tags use it."""

import secrets

from django.db import models
from django.utils import timezone


def number() -> int:
    """Return a random number of 62 bits that is not 0, so that no number is used twice."""
    return secrets.randbelow(2**62 - 1) + 1


class PendingImport(models.Model):
    """An import whose tags are written but hidden. Deleting this row shows all of them."""

    id = models.BigIntegerField(primary_key=True, default=number, editable=False)
    # The ids of the tagged contacts, including new ones.
    contacts = models.JSONField()
    began_at = models.DateTimeField(default=timezone.now)
    # It failed or its process died. Its tags are being deleted, and it must not be applied.
    is_abandoned = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"import {self.pk} of {self.began_at:%F %T}"
