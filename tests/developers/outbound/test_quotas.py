"""How many APIs and attributes an account may have, and how large its APIs may be."""

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.quotas import QuotaExceeded
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import sign_in
from tests.developers.outbound.test_pages import GET, PAGE, address, words
from tests.test_races import at_once

FULL = "You have 1 of 1 APIs. Delete some to make room."


def mapped(*names: str) -> dict[str, str]:
    return {
        f"mappings-{number}-{field}": value
        for number, name in enumerate(names)
        for field, value in {"path": "data", "attribute": name, "type": "text"}.items()
    }


@pytest.fixture
def full(weather: OutboundApi, settings: Settings) -> OutboundApi:
    """The only API that there may be."""
    settings.QUOTA_APIS = 1
    return weather


def test_one_api_too_many_is_refused_and_what_was_typed_stays(alice: User, full: OutboundApi) -> None:
    browser = sign_in(alice)

    made = browser.post(f"{PAGE}new/", GET | mapped("total"))
    copied = browser.post(address(full, "duplicate/"), follow=True)

    assert FULL in words(made)
    assert 'value="Orders"' in made.content.decode()
    assert words(copied).count(FULL) == 2  # what came of it, and the page's own
    assert FULL not in words(browser.get(PAGE, {"q": "wea"}))
    assert list(OutboundApi.objects.all()) == [full]
    assert not CustomAttribute.objects.exists()


def test_an_api_is_changed_where_there_is_no_room_for_another(alice: User, full: OutboundApi) -> None:
    response = sign_in(alice).post(address(full), GET, follow=True)

    assert "Orders is saved." in words(response)


@pytest.mark.django_db(transaction=True)
def test_of_two_apis_for_the_last_place_one_gets_it(alice: User, settings: Settings) -> None:
    settings.QUOTA_APIS = 1
    names = iter(["Orders", "Tables"])

    def make() -> bool:
        try:
            return bool(OutboundApi.objects.make(alice, next(names), Recipe("GET", "https://api.example.com")))
        except QuotaExceeded:
            return False

    assert sorted(at_once(2, make)) == [False, True]
    assert OutboundApi.objects.count() == 1


def test_apis_may_shrink_but_not_grow_beyond_their_bytes(alice: User, settings: Settings) -> None:
    long, longer, short = (Recipe("POST", "https://api.example.com", body="x" * size) for size in (4000, 4400, 3000))
    api = OutboundApi.objects.make(alice, "Orders", long)
    settings.QUOTA_API_BYTES = len(api.sealed)

    with pytest.raises(QuotaExceeded, match="Your APIs take"):
        OutboundApi.objects.get().keep(longer)
    with pytest.raises(QuotaExceeded):
        OutboundApi.objects.make(alice, "Tables", short)
    settings.QUOTA_API_BYTES = 0
    OutboundApi.objects.get().keep(short)

    assert OutboundApi.objects.get().recipe() == short


def test_an_api_that_names_too_many_new_attributes_is_refused_as_a_whole(alice: User, settings: Settings) -> None:
    settings.QUOTA_ATTRIBUTES = 2
    CustomAttribute.objects.named(alice, "total")
    browser = sign_in(alice)

    refused = browser.post(f"{PAGE}new/", GET | mapped("total", "one", "two"))
    taken = browser.post(f"{PAGE}new/", GET | mapped("total", "one"), follow=True)
    again = browser.post(f"{PAGE}new/", GET | {"name": "Again"} | mapped("Total", "one"), follow=True)

    assert "You have 1 of 2 attributes. This would add 2. Delete some to make room." in words(refused)
    assert "Orders is saved." in words(taken)
    assert "Again is saved." in words(again)
    assert "You have 2 of 2 attributes. Delete some to make room." in words(browser.get(f"{PAGE}attributes/"))
