"""Limits of more than an hour are counted where nothing evicts them, however many other counts there are."""

from collections.abc import Iterator

import pytest
from allauth.core.internal.ratelimit import parse_rates
from django.conf import settings
from django.core.management import call_command
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from accounts.throttling.counters import LONGEST_IN_REDIS, Limit, name_of
from accounts.throttling.models import Counter, now
from tests.cast import PASSWORD
from tests.redis import RedisServer

pytestmark = [pytest.mark.no_cover, pytest.mark.django_db]

MINUTE, DAY = 60_000, 86_400_000
# Version 0.1.0 kept 100,000 counts, and deleted others beyond that, even those still needed.
BEYOND_ANY_CAP = 100_055


@pytest.fixture
def reached() -> list[Limit]:
    """All limits of more than an hour; each is reached."""
    rates = [(action, rate) for action, text in settings.ACCOUNT_RATE_LIMITS.items() for rate in parse_rates(text)]
    limits = [
        Limit(name_of(action, "somebody"), rate.amount, rate.duration)
        for action, rate in rates
        if rate.duration > LONGEST_IN_REDIS
    ]
    assert any(limit.name.startswith("codes:") for limit in limits)
    for limit in limits:
        while limit.take() is not None:
            pass
    return limits


def fill(rows: int, ends_at: int, name: str = "password_attempt") -> None:
    # A name that sorts before all others: version 0.1.0 deleted such rows first.
    made = (Counter(name=f" {name}:{number}", count=1, ends_at=ends_at) for number in range(rows))
    Counter.objects.bulk_create(made, batch_size=5000)


def visit_from_new_addresses(times: int) -> None:
    """Sign up and log in from new addresses, each of which gets new counts."""
    for number in range(times):
        browser = Browser(REMOTE_ADDR=f"203.0.113.{number}")
        browser.post("/account/signup/", {"email": "carol@example.com", "password1": PASSWORD})
        browser.post("/account/login/", {"login": f"nobody{number}@example.com", "password": PASSWORD})


@pytest.mark.usefixtures("queued_mail", "store")
@pytest.mark.parametrize("rows", [60, pytest.param(BEYOND_ANY_CAP, marks=pytest.mark.release)])
def test_nothing_that_others_do_frees_a_bound_of_more_than_an_hour(rows: int, reached: list[Limit]) -> None:
    fill(rows, now() + 2 * DAY)
    fill(rows, now() - 1, "ended")

    visit_from_new_addresses(2)
    call_command("housekeeping")
    visit_from_new_addresses(1)

    assert [limit.name for limit in reached if limit.is_free()] == []
    assert Counter.objects.filter(name__startswith=" password_attempt:").count() == rows
    assert not Counter.objects.filter(name__startswith=" ended:").exists()


def test_a_redis_that_is_full_evicts_no_bound_of_more_than_an_hour(
    reached: list[Limit], redis_server: RedisServer, in_redis_server: Redis, evicting: None
) -> None:
    short = Limit(name_of("password_attempt", "somebody"), 1, 300)
    short.take()

    # Redis chooses by samples what to evict, so it evicts the oldest key at some time.
    for number in range(100_000):
        in_redis_server.set(f"other:{number}", "x" * 1_000)
        if number % 100 == 0 and not in_redis_server.exists(f":1:{short.name}"):
            break

    assert not in_redis_server.exists(f":1:{short.name}")
    assert [limit.name for limit in reached if limit.is_free()] == []


@pytest.fixture
def evicting(in_redis_server: Redis) -> Iterator[None]:
    """Redis evicts old keys once it uses one megabyte more than now."""
    used = in_redis_server.info("memory")["used_memory"]
    in_redis_server.config_set("maxmemory-policy", "allkeys-lru")
    in_redis_server.config_set("maxmemory", used + 1_000_000)
    yield
    in_redis_server.config_set("maxmemory", 0)
    in_redis_server.config_set("maxmemory-policy", "noeviction")


def test_counts_that_have_ended_go_as_new_ones_come(db: None) -> None:
    fill(30, now() - 1)
    fill(5, now() + MINUTE, "live")

    for number in range(15):
        Limit(name_of("password_attempt", f"somebody {number}"), 5, 60).take()
        # Two at a time, so that nobody waits for the deletion of many.
        assert Counter.objects.filter(ends_at__lte=now()).count() == 28 - 2 * number

    assert not Counter.objects.filter(ends_at__lte=now()).exists()
    assert Counter.objects.count() == 5 + 15


def test_a_count_that_is_there_costs_one_statement(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    limit = Limit(name_of("password_attempt", "somebody"), 5, 60)
    limit.take()
    fill(3, now() - 1)

    with django_assert_num_queries(1):
        limit.take()
