"""Segments: named filters of contacts."""

from collections.abc import Iterable
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.orm.object_ids import ID_LENGTH, OwnedQuerySet, object_id
from accounts.text import keep


class Segment(models.Model):
    """A named filter: the contacts that have at least one of its tags."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=object_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="segments")
    name = models.CharField(_("name"), max_length=100)
    tags = models.JSONField(_("tags"), default=list)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                F("owner"),
                Lower("name"),
                name="platform_segment_name_once_an_owner",
                violation_error_message=_("There is a segment of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def holds(self, tags: Iterable[str]) -> bool:
        """Return whether a contact with these tags belongs to the segment, like `tagged` in the database."""
        return not set(map(keep, self.tags)).isdisjoint(map(keep, tags))
