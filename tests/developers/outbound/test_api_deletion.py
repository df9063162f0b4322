"""Deleted APIs: out of use at once, back for ten minutes, and then gone."""

import secrets
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import deletion
from accounts.models import Deletion, User
from accounts.orm.changes import Gone
from accounts.quotas import QuotaExceeded
from developers.outbound import api_deletion, resealing, running
from developers.outbound.api_deletion import EXPIRED, KEPT_FOR, MOST, NotRestored, forget_deleted, restorable, restore
from developers.outbound.copying import names_of_copies
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe
from tests import short_transactions
from tests.cast import LAPTOP
from tests.interleaving import just_before
from tests.short_transactions import Bound

SHORT = Recipe("GET", "https://api.example.com/")
MINUTE = timedelta(minutes=1)
UPDATE = 'UPDATE "outbound_outboundapi"'


def make(owner: User, name: str, recipe: Recipe = SHORT) -> OutboundApi:
    return OutboundApi.objects.make(owner, name, recipe)


def delete(api: OutboundApi, *, ago: timedelta = timedelta()) -> None:
    api_deletion.delete(api.owner_id, api.pk)
    if ago:
        OutboundApi.every.filter(pk=api.pk).update(deleted_at=timezone.now() - ago)


def in_use(owner: User) -> list[str]:
    return sorted(OutboundApi.objects.owned_by(owner).values_list("name", flat=True))


def test_a_deleted_api_is_not_found_and_comes_back_with_its_secrets_and_logs(weather: OutboundApi, alice: User) -> None:
    recipe = weather.recipe()
    log = ApiLog.objects.create(owner=alice, api=weather, api_name="Weather")

    delete(weather)

    assert running.api_of(alice, weather.pk) is None
    assert not OutboundApi.objects.owned_by(alice).search("weather").exists()
    assert ApiLog.objects.get().api == weather
    restored, former = restore(alice.pk, weather.pk)
    assert (restored.name, former, restored.recipe()) == ("Weather", "Weather", recipe)
    assert running.api_of(alice, weather.pk) == weather
    assert ApiLog.objects.get() == log


def test_nobody_else_deletes_or_restores_an_api(weather: OutboundApi, bob: User) -> None:
    with pytest.raises(Gone):
        api_deletion.delete(bob.pk, weather.pk)
    assert in_use(weather.owner) == ["Weather"]
    delete(weather)

    with pytest.raises(NotRestored, match="gone for good"):
        restore(bob.pk, weather.pk)

    assert not OutboundApi.objects.exists()
    assert not restorable(bob).exists()


@pytest.mark.parametrize(
    ("ago", "is_back"), [(timedelta(), True), (KEPT_FOR - MINUTE, True), (KEPT_FOR, False), (KEPT_FOR + MINUTE, False)]
)
def test_an_api_can_be_brought_back_for_ten_minutes(weather: OutboundApi, ago: timedelta, is_back: bool) -> None:
    delete(weather, ago=ago)
    assert restorable(weather.owner).exists() == is_back

    if is_back:
        restore(weather.owner_id, weather.pk)
    else:
        with pytest.raises(NotRestored, match="gone for good"):
            restore(weather.owner_id, weather.pk)

    # The refused attempt has deleted the row.
    assert OutboundApi.every.exists() == OutboundApi.objects.exists() == is_back


def test_bringing_back_twice_is_as_good_as_once(weather: OutboundApi, alice: User) -> None:
    delete(weather)

    assert [restore(alice.pk, weather.pk) for _ in range(2)] == [(weather, "Weather")] * 2
    assert in_use(alice) == ["Weather"]


def test_a_name_is_free_at_once_and_the_old_api_comes_back_under_another(alice: User) -> None:
    old, older = make(alice, "Orders"), make(alice, "Bookings")
    delete(old)
    delete(older)
    make(alice, "orders", Recipe("GET", "https://new.example.com/"))
    make(alice, "Orders COPY")

    restored, former = restore(alice.pk, old.pk)

    assert (restored, restored.name, former, restored.recipe()) == (old, "Orders copy 2", "Orders", SHORT)
    assert in_use(alice) == ["Orders COPY", "Orders copy 2", "orders"]
    assert list(OutboundApi.objects.search("copy 2")) == [old]
    assert [api.pk for api in restorable(alice)] == [older.pk]


def test_where_all_such_names_are_taken_it_stays_deleted_with_a_sentence(alice: User) -> None:
    api = make(alice, "Orders")
    delete(api)
    for name in ("Orders", *names_of_copies("Orders")):
        make(alice, name)

    with pytest.raises(NotRestored, match="There are many APIs named like Orders already"):
        restore(alice.pk, api.pk)

    assert list(restorable(alice)) == [api]


@pytest.mark.parametrize(("quota", "room"), [("QUOTA_APIS", 1), ("QUOTA_API_BYTES", 600)])
def test_an_api_comes_back_only_where_there_is_room(alice: User, settings: Settings, quota: str, room: int) -> None:
    api = make(alice, "Orders")
    delete(api)
    setattr(settings, quota, room)
    another = make(alice, "Tables")

    with pytest.raises(QuotaExceeded):
        restore(alice.pk, api.pk)

    assert list(restorable(alice)) == [api]
    delete(another)
    assert restore(alice.pk, api.pk)[0] == api


def test_the_latest_twenty_are_kept_and_the_oldest_go_at_once(alice: User, bob: User) -> None:
    delete(make(bob, "Bob's"))
    made = [make(alice, str(number)) for number in range(MOST + 2)]
    for api in made:
        delete(api)

    assert list(restorable(alice)) == made[:1:-1]
    assert set(OutboundApi.every.owned_by(alice)) == set(made[2:])
    assert restorable(bob).exists()


def test_large_apis_are_kept_up_to_a_size_and_the_last_one_always(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_deletion, "MOST_BYTES", 1_000)
    small, large = make(alice, "Small"), make(alice, "Large", replace(SHORT, body="x" * 1_000))

    delete(small)
    assert list(restorable(alice)) == [small]
    delete(large)
    assert list(restorable(alice)) == [large]
    delete(make(alice, "Small"))
    assert [api.name for api in restorable(alice)] == ["Small"]


def test_rows_go_for_good_and_logs_stay(weather: OutboundApi, alice: User) -> None:
    kept = make(alice, "Kept")
    ApiLog.objects.create(owner=alice, api=weather, api_name="Weather")
    delete(kept)
    delete(weather, ago=KEPT_FOR)

    assert sum(forget_deleted()) == 1

    assert list(OutboundApi.every.all()) == [kept]
    assert ApiLog.objects.get().api is None


def test_an_api_with_many_logs_goes_in_short_transactions(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_transactions, "MOST", Bound(rows=100, statements=8))
    api = make(alice, "Orders")
    ApiLog.objects.bulk_create(ApiLog(owner=alice, api=api, api_name="Orders") for _ in range(120))
    delete(api, ago=KEPT_FOR)

    sum(forget_deleted())

    assert (OutboundApi.every.count(), ApiLog.objects.filter(api=None).count()) == (0, 120)


def test_what_was_deleted_meanwhile_is_not_saved(weather: OutboundApi) -> None:
    with just_before(UPDATE, lambda: OutboundApi.every.update(deleted_at=timezone.now())) as met, pytest.raises(Gone):
        weather.keep(SHORT)

    assert met
    assert OutboundApi.every.get().recipe() != SHORT


def test_of_two_deletions_one_is_gone(weather: OutboundApi) -> None:
    delete(weather)

    with pytest.raises(Gone):
        delete(weather)

    assert list(restorable(weather.owner)) == [weather]


def test_what_expires_while_it_is_brought_back_stays_expired(weather: OutboundApi) -> None:
    delete(weather)

    with just_before(UPDATE, lambda: OutboundApi.every.update(deleted_at=EXPIRED)) as met, pytest.raises(NotRestored):
        restore(weather.owner_id, weather.pk)

    assert met
    assert OutboundApi.every.get().deleted_at == EXPIRED


def test_what_is_brought_back_while_old_ones_are_deleted_keeps_row_and_logs(weather: OutboundApi) -> None:
    log = ApiLog.objects.create(owner=weather.owner, api=weather, api_name="Weather")
    delete(weather, ago=KEPT_FOR)

    with just_before(UPDATE, lambda: OutboundApi.every.update(deleted_at=None)) as met:
        sum(forget_deleted())

    assert met
    assert (OutboundApi.objects.get(), ApiLog.objects.get().api) == (weather, weather)
    assert ApiLog.objects.get() == log


def test_a_log_of_a_call_that_was_under_way_points_to_the_deleted_api(weather: OutboundApi) -> None:
    delete(weather)

    run = running.run(weather, {"city": "Oslo", "name": "A"}, kind="call", client=LAPTOP, resolver=refuse)

    assert run.log.api == weather


def refuse(*_arguments: object, **_options: object) -> list[object]:
    raise OSError


def test_a_test_of_a_deleted_api_sends_and_logs_nothing(weather: OutboundApi, alice: User) -> None:
    delete(weather)

    with pytest.raises(running.Unfillable, match="This API was deleted meanwhile"):
        running.try_out(alice, "Weather", SHORT, {}, client=LAPTOP, api=weather)

    assert not ApiLog.objects.exists()


def test_deleted_apis_move_to_a_new_key_and_can_be_read_then(weather: OutboundApi, settings: Settings) -> None:
    delete(weather)
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), *settings.TOKEN_KEYS]

    assert resealing.reseal_all() == (1, 0)

    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert restore(weather.owner_id, weather.pk)[0].recipe().url == weather.url


def test_deleting_the_account_takes_its_deleted_apis(weather: OutboundApi, alice: User) -> None:
    delete(weather)
    deletion._close(alice)
    Deletion.objects.create(user_id=alice.pk, email="alice@example.com")

    sum(deletion.finish_all())

    assert not OutboundApi.every.exists()


def test_migrating_back_leaves_no_deleted_api(weather: OutboundApi, alice: User) -> None:
    ApiLog.objects.create(owner=alice, api=weather, api_name="Weather")
    delete(weather)
    kept = make(alice, "Weather")

    import_module("developers.outbound.migrations.0005_deleted_apis").forget(apps, connection.schema_editor())

    assert list(OutboundApi.every.all()) == [kept]
    assert ApiLog.objects.get().api is None
