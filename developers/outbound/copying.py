"""Copies APIs, and names copies."""

from collections.abc import Iterator

from django.db import IntegrityError
from django.utils.translation import gettext as _

from developers.outbound.models import NAME_LENGTH, OutboundApi
from developers.outbound.recipe import Recipe

MOST_COPIES = 20


def names_of_copies(name: str) -> Iterator[str]:
    """Yield names for copies of an API: "Orders copy", "Orders copy 2" and so on."""
    for number in range(1, MOST_COPIES + 1):
        # Translators: the name of a copy of an API; %(name)s is the name of the API.
        pattern = _("%(name)s copy") if number == 1 else _("%(name)s copy %(number)d")
        added = len(pattern % {"name": "", "number": number})
        yield pattern % {"name": name[: NAME_LENGTH - added], "number": number}


def copy(api: OutboundApi, recipe: Recipe) -> OutboundApi | None:
    """Save a recipe under the first free name like its own. Return None if too many are taken.

    Relies on the unique constraint of names. Raises `QuotaExceeded`.
    """
    for name in names_of_copies(api.name):
        try:
            return OutboundApi.objects.make(api.owner_id, name, recipe)
        except IntegrityError:
            continue
    return None
