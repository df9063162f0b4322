"""APIs and custom attributes as the database keeps them: sealed, and named once for each owner."""

import secrets
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from developers.outbound import resealing, sealing
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe, RecipeField
from developers.outbound.running import Unreadable
from tests.developers.outbound.conftest import SECRET
from tests.developers.outbound.test_running import everything_stored

pytestmark = pytest.mark.matrix


def test_an_api_is_kept_sealed_and_reads_back(weather: OutboundApi, alice: User) -> None:
    kept = OutboundApi.objects.owned_by(alice).get()

    assert kept.recipe().headers[0] == RecipeField("Authorization", f"Bearer {SECRET}", is_secret=True)
    assert (kept.name, kept.method, kept.url) == ("Weather", "POST", "https://api.example.com/cities/{{city}}")
    assert SECRET not in everything_stored()
    assert str(kept) == "Weather"


def test_a_sealed_call_opens_for_its_owner_and_row_alone(weather: OutboundApi, alice: User, bob: User) -> None:
    other = OutboundApi.objects.make(bob, "Mine", Recipe("GET", weather.url))

    for changes in (
        {"sealed": weather.sealed, "method": "POST"},
        {"sealed": "damaged"},
        {"key_id": "00000000"},
        {"url": "https://evil.example/"},
        {"method": "PUT"},
        {"follows_redirects": True},
    ):
        OutboundApi.objects.filter(pk=other.pk).update(
            **{"sealed": other.sealed, "key_id": other.key_id, "url": other.url, "method": "GET"} | changes
        )
        with pytest.raises(Unreadable):
            OutboundApi.objects.get(pk=other.pk).recipe()


def test_what_another_version_sealed_is_unreadable(weather: OutboundApi) -> None:
    weather.sealed, weather.key_id = sealing.seal(weather.owner_id, weather.pk, '{"method": "GET"}')

    with pytest.raises(Unreadable, match="it was sealed by another version"):
        weather.recipe()


def test_a_name_is_one_apis_of_an_owner_whatever_its_case(weather: OutboundApi, alice: User, bob: User) -> None:
    OutboundApi.objects.make(bob.pk, "WEATHER", weather.recipe())

    with pytest.raises(IntegrityError):
        OutboundApi.objects.make(alice, "wEATHER", weather.recipe())


def test_apis_are_found_by_name_and_url(weather: OutboundApi, alice: User, bob: User) -> None:
    def found(owner: User, text: str) -> list[OutboundApi]:
        return list(OutboundApi.objects.owned_by(owner).search(text))

    assert found(alice, " WEATH ") == found(alice, "api.example.com/c") == found(alice, "") == [weather]
    assert found(alice, "rain") == found(alice, "\0") == found(bob, "weather") == []


def test_an_attribute_is_made_where_it_is_first_needed(alice: User, bob: User) -> None:
    made = CustomAttribute.objects.named(alice, "Plan", "number")

    assert CustomAttribute.objects.named(alice.pk, "plan") == made
    assert CustomAttribute.objects.named(bob.pk, "plan").type == "text"
    assert (str(made), made.type) == ("Plan", "number")


@pytest.mark.parametrize("name", ["", "1st", "a b", "é", "a\n", "x" * 61, "{{a}}"])
def test_a_name_that_a_call_could_not_write_is_none(alice: User, name: str) -> None:
    with pytest.raises(ValidationError):
        CustomAttribute.objects.named(alice, name)


def test_the_database_refuses_two_attributes_of_one_name_and_names_that_are_none(alice: User) -> None:
    CustomAttribute.objects.create(owner=alice, name="plan")

    for wrong in ({"name": "PLAN"}, {"name": "a b"}, {"name": "fine", "type": "colour"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CustomAttribute.objects.create(owner=alice, **wrong)


def test_calls_move_to_a_new_key(weather: OutboundApi, bob: User, settings: Any) -> None:
    lost = OutboundApi.objects.make(bob, "Lost", weather.recipe())
    OutboundApi.objects.filter(pk=lost.pk).update(sealed="damaged")
    old = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), *old]

    assert resealing.reseal_all() == (1, 1)

    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert OutboundApi.objects.get(pk=weather.pk).recipe().headers[0].value == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Anne\u2011Marie", "anne-marie"),
        ("می\u200cخواهم", "میخواهم"),
        ("ﾊﾟｿｺﾝ", "パソコン"),
        ("Ｗｅａｔｈｅｒ", "weather"),
        ("Straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("Cafe\u0301", "CAFÉ"),
        ("Order\u00a0status", "order status"),
        ("Any", "API.example.com/STRASSE"),
        ("100 %_", "%_"),
    ],
)
def test_a_search_finds_an_api_in_every_spelling(alice: User, name: str, typed: str) -> None:
    OutboundApi.objects.make(alice, "Other", Recipe("GET", "https://other.example/"))
    api = OutboundApi.objects.make(alice, "Old name", Recipe("GET", "https://old.example/"))
    api.name = name
    api.keep(Recipe("GET", "https://api.example.com/Straße"))

    assert list(OutboundApi.objects.search(typed)) == [api]


def test_the_migration_writes_what_searches_compare_of_apis_of_before(alice: User, weather: OutboundApi) -> None:
    OutboundApi.objects.update(searched="")

    import_module("developers.outbound.migrations.0004_fill_api_searched").fill(apps, connection.schema_editor())

    assert OutboundApi.objects.get().searched == "weather\nhttps://api.example.com/cities/{{city}}"
