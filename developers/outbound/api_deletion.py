"""Deletes APIs. They are gone at once, and their owner can bring them back for a few minutes.

    in use ──── delete ────> deleted ──── 10 minutes later, or too many ────> expired ──── no row any more
           <─── restore ────

Each step is a conditional UPDATE of `deleted_at`, so a deletion, a restore and an expiry at the same time exclude each
other. A call cannot be saved or run from `deleted` on.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.db import IntegrityError
from django.db.models.functions import Length
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.orm.batches import delete_with_referrers
from accounts.orm.bulk import BulkBusy, bulk_writes
from accounts.orm.changes import Gone
from accounts.orm.owners import changing
from accounts.web.isolates import isolated
from developers.outbound.copying import names_of_copies
from developers.outbound.models import OutboundApi, OutboundApis

KEPT_FOR = timedelta(minutes=10)
# Of the deleted APIs of an account. Otherwise deleting and making them would fill the disk beyond the quotas.
MOST, MOST_BYTES = 20, 2_000_000
# Marks expired rows.
EXPIRED = datetime(1970, 1, 1, tzinfo=UTC)
# Batches of at least 50 logs. Housekeeping does the rest, or all if other bulk work has the turn.
PARTS_OF_A_REQUEST = 20


class NotRestored(Exception):
    """The API stays deleted. The text is for people."""


def delete(owner: int, api_id: str) -> None:
    """Delete an API. Raises `Gone` if it was deleted meanwhile."""
    with changing(owner):
        if not OutboundApi.objects.owned_by(owner).filter(pk=api_id).update(deleted_at=timezone.now()):
            raise Gone("The API was deleted meanwhile.")
        OutboundApi.every.filter(pk__in=_too_many(owner)).update(deleted_at=EXPIRED)
    _forget_some(owner)


def restorable(owner: User | int) -> OutboundApis:
    """Return the deleted APIs that can be brought back, the last one first."""
    deleted: OutboundApis = OutboundApi.every.owned_by(owner)
    return deleted.filter(deleted_at__gt=timezone.now() - KEPT_FOR).order_by("-deleted_at", "-pk")


def restore(owner: int, api_id: str) -> tuple[OutboundApi, str]:
    """Bring a deleted API back, under the first free name if another API has its own. Return it and its former name.

    Changes nothing if it is back already. Raises `NotRestored` and `QuotaExceeded`; it stays deleted then.
    """
    _forget_some(owner)
    deleted = restorable(owner).filter(pk=api_id).first()
    if deleted:
        _restore(deleted)
    api = OutboundApi.objects.owned_by(owner).filter(pk=api_id).first()
    if api is None:
        raise NotRestored(_("This API is gone for good. One can be brought back for 10 minutes."))
    return api, (deleted or api).name


def forget_deleted() -> Iterator[int]:
    """Delete the rows of APIs that nobody can bring back any more; yield the number of each batch."""
    return _forget(OutboundApi.every.all())


def _restore(api: OutboundApi) -> None:
    for name in (api.name, *names_of_copies(api.name)):
        with suppress(IntegrityError):
            return _restore_as(name, api)
    raise NotRestored(
        _("There are many APIs named like %(api)s already. Rename or delete some first.") % {"api": isolated(api)}
    )


def _restore_as(name: str, api: OutboundApi) -> None:
    """Raises `IntegrityError` if another API has the name."""
    with changing(api.owner_id):
        OutboundApi.objects.check_room(api, is_new=True)
        searched = OutboundApi(name=name, url=api.url).searched_text()
        restorable(api.owner_id).filter(pk=api.pk).update(deleted_at=None, name=name, searched=searched)


def _too_many(owner: int) -> list[str]:
    """Return the ids of the oldest deleted APIs beyond the limits. The latest one is never among them."""
    held, beyond = 0, list[str]()
    sizes = restorable(owner).values_list("pk", Length("sealed"))
    for number, (pk, size) in enumerate(sizes, start=1):
        held += size
        if number > MOST or (held > MOST_BYTES and number > 1):
            beyond.append(pk)
    return beyond


def _forget(apis: OutboundApis) -> Iterator[int]:
    # Marked first: from then on no restore finds the row, whose logs are detached before it is deleted.
    late = apis.filter(deleted_at__lte=timezone.now() - KEPT_FOR, deleted_at__gt=EXPIRED)
    if late.exists():
        with bulk_writes():
            late.update(deleted_at=EXPIRED)
    yield from delete_with_referrers(apis.filter(deleted_at=EXPIRED))


def _forget_some(owner: int) -> None:
    with suppress(BulkBusy):
        sum(islice(_forget(OutboundApi.every.owned_by(owner)), PARTS_OF_A_REQUEST))
