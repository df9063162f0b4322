"""Limits on the number of APIs and attributes of an account, and on the size of its APIs."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.quotas import QuotaExceeded
from developers.outbound.models import ApiLog, CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe
from developers.outbound.running import try_out
from tests.cast import LAPTOP, logged_in
from tests.developers.outbound.views.pages import GET, PAGE, address, words
from tests.test_races import at_once

FULL = "You have 1 of 1 API. Delete some to make room."


def mapped(*names: str) -> dict[str, str]:
    return {
        f"mappings-{number}-{field}": value
        for number, name in enumerate(names)
        for field, value in {"path": "data", "attribute": name, "type": "text"}.items()
    }


@pytest.fixture
def full(weather: OutboundApi, settings: Settings) -> OutboundApi:
    """The only API that the account may have."""
    settings.QUOTA_APIS = 1
    return weather


def test_one_api_too_many_is_refused_and_what_was_typed_stays(alice: User, full: OutboundApi) -> None:
    browser = logged_in(alice)

    made = browser.post(f"{PAGE}new/", GET | mapped("total"))
    copied = browser.post(address(full, "duplicate/"), follow=True)

    assert FULL in words(made)
    assert 'value="Orders"' in made.content.decode()
    assert words(copied).count(FULL) == 2  # what came of it, and the page's own
    assert FULL not in words(browser.get(PAGE, {"q": "wea"}))
    assert list(OutboundApi.objects.all()) == [full]
    assert not CustomAttribute.objects.exists()


def test_an_api_is_changed_where_there_is_no_room_for_another(alice: User, full: OutboundApi) -> None:
    response = logged_in(alice).post(address(full), GET, follow=True)

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
    browser = logged_in(alice)

    refused = browser.post(f"{PAGE}new/", GET | mapped("total", "one", "two"))
    taken = browser.post(f"{PAGE}new/", GET | mapped("total", "one"), follow=True)
    again = browser.post(f"{PAGE}new/", GET | {"name": "Again"} | mapped("Total", "one"), follow=True)

    assert "You have 1 of 2 attributes. This would add 2. Delete some to make room." in words(refused)
    assert "Orders is saved." in words(taken)
    assert "Again is saved." in words(again)
    assert "You have 2 of 2 attributes. Delete some to make room." in words(browser.get(f"{PAGE}attributes/"))


def log_of(owner: User, name: str, size: int, *, days_ago: float = 1) -> ApiLog:
    return ApiLog.objects.create(
        owner=owner, api_name=name, size=size, sent_at=timezone.now() - timedelta(days=days_ago)
    )


def call(owner: User, **parts: Any) -> ApiLog:
    """Make a call that is logged and reaches no server."""
    return try_out(owner, "now", Recipe("POST", "nowhere", **parts), {}, client=LAPTOP).log


def logs_of(owner: User) -> list[str]:
    return [log.api_name for log in ApiLog.objects.owned_by(owner)]


def test_the_oldest_logs_go_where_their_bytes_are_too_many(alice: User, bob: User, settings: Settings) -> None:
    settings.QUOTA_LOG_BYTES = 50_000
    for days, size in ((4, 10), (3, 30_000), (2, 20_000)):
        log_of(alice, f"of {size} bytes", size, days_ago=days)
    log_of(bob, "bob's", 90_000)

    log = call(alice, body="x" * 20_000)

    assert 20_000 < log.size == ApiLog.objects.get(pk=log.pk).measure() < 22_000
    assert logs_of(alice) == ["now", "of 20000 bytes"]
    assert logs_of(bob) == ["bob's"]


def test_one_call_deletes_few_logs_and_the_next_ones_the_rest(alice: User, settings: Settings) -> None:
    settings.QUOTA_LOGS, left = 10, []
    for number in range(150):
        log_of(alice, str(number), 700, days_ago=9 - number / 1000)

    for _ in range(4):
        call(alice)
        left.append(ApiLog.objects.count())

    assert left == [101, 52, 10, 10]
    assert logs_of(alice) == ["now"] * 4 + ["149", "148", "147", "146", "145", "144"]


def test_no_log_is_kept_where_none_may_be_and_calls_go_on(alice: User, settings: Settings) -> None:
    settings.QUOTA_LOGS = settings.QUOTA_LOG_BYTES = 0

    log = call(alice)

    assert log.problem
    assert logs_of(alice) == []


@pytest.mark.parametrize(("quota", "sentence"), [("LOGS", "You have 1 of 1 log."), ("LOG_BYTES", "Your logs take")])
def test_the_page_of_logs_says_that_the_oldest_go(alice: User, settings: Settings, quota: str, sentence: str) -> None:
    log_of(alice, "Weather", 1)
    browser = logged_in(alice)
    before = words(browser.get(f"{PAGE}logs/"))

    setattr(settings, f"QUOTA_{quota}", 1)

    assert "New ones replace the oldest." not in before
    assert re.search(rf"{sentence}.* New ones replace the oldest\.", words(browser.get(f"{PAGE}logs/")))


def test_the_sizes_of_logs_are_read_from_their_index(alice: User) -> None:
    log_of(alice, "Weather", 1)
    if connection.vendor == "sqlite":
        plan = ApiLog.objects.owned_by(alice).values_list("pk", "sent_at", "size").explain()

        assert "USING COVERING INDEX outbound_apilog_listed" in plan
        assert "TEMP B-TREE" not in plan
