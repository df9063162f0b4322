"""Drafts as the database keeps them: sealed, for one owner and page, within quotas, and for a week."""

import secrets
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from accounts.keyring import Unreadable
from accounts.models import User
from accounts.orm.changes import Gone
from accounts.orm.object_ids import object_id
from accounts.orm.owners import AccountGone
from accounts.quotas import QuotaExceeded
from developers.outbound import call_drafts, resealing, sealing
from developers.outbound.call_drafts import KEPT_FOR, REMEMBERED_FOR, CallDraft
from developers.outbound.models import OutboundApi
from tests.developers.outbound.conftest import SECRET
from tests.developers.outbound.test_running import everything_stored
from tests.test_races import at_once

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]

ID, OTHER = "6a" * 12, "6b" * 12
MINUTE = timedelta(minutes=1)


def make(owner: User, *ids: str, content: str = "typed") -> None:
    for public_id in ids:
        assert call_drafts.keep(owner.pk, public_id, None, content)


def age(owner: User, public_id: str, by: timedelta) -> None:
    """Make a draft older."""
    draft = CallDraft.objects.owned_by(owner).filter(public_id=public_id).get()
    ended_at = draft.ended_at and draft.ended_at - by
    CallDraft.objects.filter(pk=draft.pk).update(updated_at=draft.updated_at - by, ended_at=ended_at)


def current(owner: User) -> list[str]:
    return [str(draft) for draft in CallDraft.objects.owned_by(owner).current()]


def test_a_draft_is_kept_sealed_and_reads_back(alice: User, weather: OutboundApi) -> None:
    call_drafts.keep(alice.pk, ID, weather.pk, SECRET)

    draft = CallDraft.objects.get()
    assert (draft.content(), draft.api, draft.owner) == (SECRET, weather, alice)
    assert SECRET not in everything_stored()


def test_each_write_of_a_page_goes_into_its_one_row(alice: User) -> None:
    make(alice, ID, content="first")
    age(alice, ID, MINUTE)
    before = CallDraft.objects.get()

    make(alice, ID, content="second")

    after = CallDraft.objects.get()
    assert (after.pk, after.content(), after.created_at) == (before.pk, "second", before.created_at)
    assert after.updated_at > before.updated_at


@pytest.mark.parametrize("wrong", ["", "new", ID[:-1], f"{ID}0", ID.upper(), f"{ID}\n", "g" * 24, "../" * 8, "\0" * 24])
def test_an_id_that_is_none_writes_nothing_and_finds_nothing(alice: User, wrong: str) -> None:
    make(alice, ID)

    assert call_drafts.keep(alice.pk, wrong, None, "typed") is False
    call_drafts.end(alice.pk, wrong, is_saved=True)
    assert call_drafts.bring_back(alice.pk, wrong) is None
    assert [str(draft) for draft in CallDraft.objects.all()] == [ID]


def test_the_id_of_somebody_elses_draft_is_one_like_any_other(alice: User, bob: User) -> None:
    make(bob, ID, content="bob's")

    make(alice, ID, content="alice's")
    call_drafts.end(alice.pk, ID, is_saved=False)

    assert current(bob) == [ID]
    assert CallDraft.objects.owned_by(bob).get().content() == "bob's"
    assert call_drafts.bring_back(alice.pk, OTHER) is None


def test_a_draft_belongs_to_one_api(alice: User, weather: OutboundApi) -> None:
    call_drafts.keep(alice.pk, ID, weather.pk, "of weather")

    assert call_drafts.keep(alice.pk, ID, None, "of a new one") is False
    assert CallDraft.objects.get().content() == "of weather"


@pytest.mark.parametrize("column", ["public_id", "owner", "sealed", "key_id"])
def test_a_text_in_another_row_cannot_be_read(alice: User, bob: User, weather: OutboundApi, column: str) -> None:
    make(alice, ID)
    others = {"public_id": OTHER, "owner": bob, "sealed": weather.sealed, "key_id": "none"}
    CallDraft.objects.update(**{column: others[column]})

    with pytest.raises(Unreadable):
        CallDraft.objects.get().content()


def test_a_draft_in_the_place_of_an_api_cannot_be_read(alice: User, weather: OutboundApi) -> None:
    make(alice, weather.pk)
    draft = CallDraft.objects.get()

    with pytest.raises(Unreadable):
        sealing.unseal(alice.pk, weather.pk, draft.sealed, draft.key_id)


def test_what_arrives_after_save_or_discard_brings_nothing_back(alice: User) -> None:
    make(alice, ID, OTHER)
    call_drafts.end(alice.pk, ID, is_saved=True)
    call_drafts.end(alice.pk, OTHER, is_saved=False)
    call_drafts.end(alice.pk, unheard_of := object_id(), is_saved=True)

    late = [call_drafts.keep(alice.pk, public_id, None, "late") for public_id in (ID, OTHER, unheard_of)]

    assert late == [False] * 3
    assert current(alice) == []
    assert "late" not in everything_stored()


def test_a_saved_draft_leaves_no_text_and_cannot_be_brought_back(alice: User) -> None:
    make(alice, ID)

    call_drafts.end(alice.pk, ID, is_saved=True)

    assert CallDraft.objects.get().sealed == ""
    assert call_drafts.bring_back(alice.pk, ID) is None


def test_a_discarded_draft_can_be_brought_back_for_ten_minutes(alice: User, bob: User) -> None:
    make(alice, ID, OTHER)
    for public_id, by in ((ID, REMEMBERED_FOR - MINUTE), (OTHER, REMEMBERED_FOR)):
        call_drafts.end(alice.pk, public_id, is_saved=False)
        age(alice, public_id, by)

    by_bob, too_late = call_drafts.bring_back(bob.pk, ID), call_drafts.bring_back(alice.pk, OTHER)
    back = call_drafts.bring_back(alice.pk, ID)

    assert (by_bob, too_late) == (None, None)
    assert back
    assert back.content() == "typed"
    assert current(alice) == [ID]
    assert call_drafts.keep(alice.pk, ID, None, "goes on")


def test_a_draft_is_offered_for_a_week_after_its_last_change(alice: User) -> None:
    make(alice, ID, OTHER)
    age(alice, ID, KEPT_FOR - MINUTE)
    age(alice, OTHER, KEPT_FOR)

    assert current(alice) == [ID]


def test_what_has_had_its_time_is_deleted(alice: User, bob: User) -> None:
    for owner in (alice, bob):
        make(owner, *(ids := [object_id() for _ in range(4)]))
        for public_id in ids[2:]:
            call_drafts.end(owner.pk, public_id, is_saved=False)
        for public_id, by in zip(ids, (KEPT_FOR, MINUTE, REMEMBERED_FOR, MINUTE), strict=True):
            age(owner, public_id, by)

    make(alice, ID)
    by_the_way = [CallDraft.objects.owned_by(owner).count() for owner in (alice, bob)]
    deleted = sum(call_drafts.forget_expired())

    assert by_the_way == [3, 4]
    assert deleted == 2
    assert CallDraft.objects.owned_by(bob).count() == 2


def test_the_oldest_drafts_go_where_there_are_too_many_and_ended_ones_first(alice: User, settings: Settings) -> None:
    settings.QUOTA_DRAFTS = 3
    ids = [object_id() for _ in range(4)]
    for public_id in ids[:3]:
        make(alice, public_id)
    call_drafts.end(alice.pk, ids[2], is_saved=False)

    make(alice, ids[3])
    after_one_more = current(alice)
    make(alice, ID)

    assert after_one_more == [ids[3], ids[1], ids[0]]
    assert current(alice) == [ID, ids[3], ids[1]]
    assert CallDraft.objects.count() == 3


def test_the_oldest_drafts_go_where_their_bytes_are_too_many(alice: User, bob: User, settings: Settings) -> None:
    make(bob, OTHER)
    ids = [object_id() for _ in range(3)]
    make(alice, *ids, content="x" * 1000)
    settings.QUOTA_DRAFT_BYTES = 3 * len(CallDraft.objects.owned_by(alice).current()[0].sealed)

    make(alice, ids[0], content="x" * 1500)

    assert current(alice) == [ids[0], ids[2]]
    assert current(bob) == [OTHER]


@pytest.mark.parametrize(
    ("quota", "most", "sentence"),
    [("QUOTA_DRAFTS", 0, "You have 0 of 0 drafts."), ("QUOTA_DRAFT_BYTES", 1000, "Your drafts take 0\xa0bytes of")],
)
def test_a_draft_that_alone_is_too_large_is_refused(
    alice: User, settings: Settings, quota: str, most: int, sentence: str
) -> None:
    make(alice, ID)
    setattr(settings, quota, most)

    with pytest.raises(QuotaExceeded, match=sentence):
        call_drafts.keep(alice.pk, ID, None, "x" * 1000)

    assert CallDraft.objects.get().content() == "typed"


def test_a_draft_of_an_api_that_is_deleted_goes_with_it_and_none_is_made_after(
    alice: User, bob: User, weather: OutboundApi
) -> None:
    call_drafts.keep(alice.pk, ID, weather.pk, "typed")
    with pytest.raises(Gone):
        call_drafts.keep(bob.pk, ID, weather.pk, "not his")

    api_id = weather.pk
    weather.delete()

    with pytest.raises(Gone):
        call_drafts.keep(alice.pk, ID, api_id, "typed")
    assert not CallDraft.objects.exists()


def test_a_deactivated_account_keeps_no_draft(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    with pytest.raises(AccountGone):
        call_drafts.keep(alice.pk, ID, None, "typed")


def test_drafts_move_to_a_new_key_and_ended_ones_need_none(alice: User, bob: User, settings: Settings) -> None:
    make(alice, *(ids := [object_id() for _ in range(resealing.BATCH + 1)]))
    make(bob, ID, OTHER)
    CallDraft.objects.owned_by(bob).filter(public_id=ID).update(sealed="damaged")
    call_drafts.end(bob.pk, OTHER, is_saved=True)
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), *settings.TOKEN_KEYS]

    assert resealing.reseal_all() == (len(ids), 1)

    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert {draft.content() for draft in CallDraft.objects.owned_by(alice)} == {"typed"}


@pytest.mark.django_db(transaction=True)
def test_of_a_save_and_writes_at_the_same_time_the_save_has_the_last_word(alice: User) -> None:
    turns = iter([True, False, True])

    def write() -> None:
        if next(turns):
            call_drafts.keep(alice.pk, ID, None, "typed")
        else:
            call_drafts.end(alice.pk, ID, is_saved=True)

    at_once(3, write)

    assert current(alice) == []
    assert CallDraft.objects.get().sealed == ""
