"""Drafts of the call editor: what is on the screen of a page, kept until it is saved, discarded or a week old.

A row knows its content only as sealed text; `developers.outbound.editor.kept_drafts` writes and reads it.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.utils import timezone

from accounts.orm.batches import delete_in_batches
from accounts.orm.changes import Gone
from accounts.orm.object_ids import ID_LENGTH, OBJECT_ID, OwnedQuerySet
from accounts.orm.owners import changing
from developers.outbound import quotas, sealing

KEPT_FOR = timedelta(days=7)
# A discarded draft can be brought back, and a page that has ended writes nothing any more.
REMEMBERED_FOR = timedelta(minutes=10)


class CallDrafts(OwnedQuerySet):
    def with_id(self, text: str) -> Self:
        """The draft of a page; none if the text is no id."""
        return self.filter(public_id=text) if OBJECT_ID.fullmatch(text) else self.none()

    def current(self) -> Self:
        return self.filter(ended_at=None, updated_at__gt=timezone.now() - KEPT_FOR).order_by("-updated_at", "-pk")

    def discarded(self) -> Self:
        """Those that can be brought back."""
        return self.filter(ended_at__gt=timezone.now() - REMEMBERED_FOR).exclude(sealed="")

    def expired(self) -> Self:
        now = timezone.now()
        return self.filter(Q(ended_at__lte=now - REMEMBERED_FOR) | Q(updated_at__lte=now - KEPT_FOR))


class CallDraft(models.Model):
    """What one page of the editor shows, sealed to its owner and id.

    `public_id` is the id that the page carries; it means something only together with the owner. `ended_at`: since
    when the draft is discarded or, with an empty text, saved. The row then stays for `REMEMBERED_FOR`, so that a
    request that was on its way does not bring the draft back.
    """

    public_id = models.CharField(max_length=ID_LENGTH)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="call_drafts")
    # None for an API that was never saved.
    api = models.ForeignKey("outbound.OutboundApi", on_delete=models.CASCADE, null=True, related_name="drafts")
    sealed = models.TextField(blank=True)
    key_id = models.CharField(max_length=8, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    objects = CallDrafts.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["updated_at"], name="outbound_calldraft_oldest"),
            models.Index(fields=["ended_at"], name="outbound_calldraft_ended", condition=Q(ended_at__isnull=False)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "public_id"], name="outbound_calldraft_id_once_an_owner"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def sealed_as(self) -> str:
        """The id that the text is sealed to. No API has it, so neither can be put in the place of the other."""
        return f"draft-{self.public_id}"

    def content(self) -> str:
        """Unseal the content. Raises `Unreadable` with the reason, which holds none of it."""
        return sealing.unseal(self.owner_id, self.sealed_as, self.sealed, self.key_id)


def keep(owner_id: int, public_id: str, api_id: str | None, content: str) -> bool:
    """Write the content of a page. Return False if its draft has ended, belongs to another API, or the id is none.

    The oldest drafts go where there are too many. Raises `QuotaExceeded` if this one alone is too large, and `Gone`
    if the API was deleted meanwhile.
    """
    if not OBJECT_ID.fullmatch(public_id):
        return False
    draft = CallDraft(owner_id=owner_id, public_id=public_id, api_id=api_id)
    draft.sealed, draft.key_id = sealing.seal(owner_id, draft.sealed_as, content)
    quotas.DRAFTS.check(0)
    quotas.DRAFT_BYTES.check(0, len(draft.sealed))
    with changing(owner_id):
        same = CallDraft.objects.owned_by(owner_id).with_id(public_id)
        written = same.filter(api=api_id, ended_at=None)
        if not written.update(sealed=draft.sealed, key_id=draft.key_id, updated_at=draft.updated_at):
            if same.exists():
                return False
            _check_api(owner_id, api_id)
            draft.save(force_insert=True)
        _make_room(owner_id, public_id)
    return True


def end(owner_id: int, public_id: str, *, is_saved: bool) -> None:
    """End the draft of a page that is saved or discarded, so that nothing that is on its way brings it back."""
    if not OBJECT_ID.fullmatch(public_id):
        return
    with changing(owner_id):
        same, now = CallDraft.objects.owned_by(owner_id).with_id(public_id), timezone.now()
        if is_saved:
            same.update(sealed="", key_id="", ended_at=now)
        else:
            same.filter(ended_at=None).update(ended_at=now)
        if not same.exists():
            CallDraft(owner_id=owner_id, public_id=public_id, ended_at=now).save(force_insert=True)
        _make_room(owner_id, public_id)


def bring_back(owner_id: int, public_id: str) -> CallDraft | None:
    """Undo discarding a draft. Return None if it is gone."""
    with changing(owner_id):
        found: CallDrafts = CallDraft.objects.owned_by(owner_id).with_id(public_id)
        is_back = found.discarded().update(ended_at=None, updated_at=timezone.now())
        return found.first() if is_back else None


def forget_expired() -> Iterator[int]:
    """Delete the drafts of all accounts that have had their time; yield how many, batch by batch."""
    return delete_in_batches(CallDraft.objects.expired())


def _check_api(owner_id: int, api_id: str | None) -> None:
    # Also a deleted API, which may be brought back.
    apis = CallDraft._meta.get_field("api").related_model._base_manager  # type: ignore[union-attr]
    if api_id and not apis.filter(owner=owner_id, pk=api_id).exists():
        raise Gone("The API was deleted meanwhile.")


def _make_room(owner_id: int, public_id: str) -> None:
    """Delete what has had its time, and beyond the quotas the oldest drafts but this one, ended ones first."""
    own = CallDraft.objects.owned_by(owner_id)
    own.expired().delete()
    rows = own.order_by(F("ended_at").desc(nulls_first=True), "-updated_at", "-pk").annotate(size=Length("sealed"))
    found = sorted(rows.values_list("pk", "size", "public_id"), key=lambda row: row[2] != public_id)
    room, beyond = quotas.DRAFT_BYTES.most, list[int]()
    for number, (pk, size, _id) in enumerate(found, start=1):
        room -= size
        if number > quotas.DRAFTS.most or room < 0:
            beyond.append(pk)
    if beyond:
        own.filter(pk__in=beyond).delete()
