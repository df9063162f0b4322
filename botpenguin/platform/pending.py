"""The table of imports that are under way. In a module of its own, since tags and their queries ask for it."""

import secrets

from django.db import models
from django.utils import timezone


def number() -> int:
    """Return a random number of 62 bits, which is not 0: one of before never comes again."""
    return secrets.randbelow(2**62 - 1) + 1


class PendingImport(models.Model):
    """An import whose tags are written and not to be seen yet. To delete this row shows them, all at once."""

    id = models.BigIntegerField(primary_key=True, default=number, editable=False)
    # The ids of those whose tags they are, new contacts among them.
    contacts = models.JSONField()
    began_at = models.DateTimeField(default=timezone.now)
    # Its process died, or it failed: its tags are about to be deleted, and it must not be applied.
    is_abandoned = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"import {self.pk} of {self.began_at:%F %T}"
