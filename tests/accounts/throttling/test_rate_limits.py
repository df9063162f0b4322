"""The replacement for allauth's counting: an attempt counts under all limits of an action or under none."""

from typing import Any

import pytest
from allauth.core import ratelimit as public
from allauth.core.exceptions import RateLimited
from allauth.core.internal import ratelimit
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.throttling import rate_limits
from accounts.throttling.models import CachedValue
from tests.cast import logged_in

pytestmark = pytest.mark.django_db

APP = "allauth.account"


@pytest.fixture
def post() -> HttpRequest:
    return RequestFactory().post("/")


def consume(request: HttpRequest, action: str = "password_attempt", key: str = "k", **how: Any) -> bool:
    return bool(ratelimit.consume(request, app=APP, action=action, key=key, **how))


def test_allauth_counts_by_ours_wherever_it_counts(post: HttpRequest) -> None:
    answers = [public.consume(post, action="password_attempt", key="k") for _ in range(6)]
    public.clear(post, action="password_attempt", key="k")

    assert (ratelimit.consume, ratelimit.clear) == (rate_limits.consume, rate_limits.clear)
    assert answers == [True] * 5 + [False]
    assert public.consume(post, action="password_attempt", key="k")
    assert not CachedValue.objects.exists()


def test_a_page_that_is_only_looked_at_is_not_counted_unless_that_is_asked_for() -> None:
    get = RequestFactory().get("/")

    assert [consume(get) for _ in range(6)] == [True] * 6
    assert [consume(get, limit_get=True) for _ in range(6)] == [True] * 5 + [False]


def test_a_dry_run_counts_nothing(post: HttpRequest) -> None:
    dry = [consume(post, dry_run=True) for _ in range(6)]
    counted = [consume(post) for _ in range(5)]

    assert dry == [True] * 6
    assert counted == [True] * 5
    assert not consume(post, dry_run=True)


def test_a_refusal_is_an_error_where_that_is_asked_for(post: HttpRequest) -> None:
    for _ in range(5):
        consume(post)

    with pytest.raises(RateLimited):
        consume(post, raise_exception=True)


def test_an_attempt_that_one_limit_refuses_is_counted_by_no_other(post: HttpRequest, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"mail": "2/m/key,1/h/key"}
    answers = [consume(post, "mail") for _ in range(3)]
    settings.ACCOUNT_RATE_LIMITS = {"mail": "2/m/key"}

    assert answers == [True, False, False]
    assert [consume(post, "mail") for _ in range(2)] == [True, False]


def test_an_action_without_a_limit_is_free(post: HttpRequest) -> None:
    assert [consume(post, "login_failed") for _ in range(20)] == [True] * 20


def test_a_limit_for_a_person_counts_each_for_themselves(alice: User, bob: User) -> None:
    """allauth limits the page of the email itself: 10 a minute."""
    first, second = logged_in(alice), logged_in(bob)

    answers = [first.post("/account/email/", {"email": "x"}).status_code for _ in range(11)]

    assert answers == [302] * 10 + [429]
    assert second.post("/account/email/", {"email": "x"}).status_code == 302
