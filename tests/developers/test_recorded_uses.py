"""Uses and refusals of a token, as they are recorded in its row and in the log."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.security_log import Kind
from developers import issuance, usage
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PHONE
from tests.developers.test_issuance import activity

pytestmark = pytest.mark.django_db


def test_a_use_is_recorded_at_most_once_a_minute(alice: User) -> None:
    usage.record_use(alice.pk, 1, LAPTOP)
    first = ApiToken.objects.get(user=alice).last_used_at

    usage.record_use(alice.pk, 1, PHONE)

    token = ApiToken.objects.get(user=alice)
    assert (token.last_used_at, token.last_used_ip, token.last_used_client) == (first, LAPTOP.ip, LAPTOP.user_agent)


def test_a_use_after_a_minute_moves_the_last_use(alice: User) -> None:
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61), last_used_client="old")

    usage.record_use(alice.pk, 1, PHONE)

    token = ApiToken.objects.get(user=alice)
    assert (token.last_used_ip, token.last_used_client) == (PHONE.ip, PHONE.user_agent)


def test_a_use_of_a_token_that_was_replaced_meanwhile_is_not_recorded(alice: User) -> None:
    issuance.revoke(alice, 1, PHONE, even_if_used=False)

    usage.record_use(alice.pk, 1, LAPTOP)

    assert ApiToken.objects.get(user=alice).last_used_at is None


def test_refusals_add_up_and_make_one_event_a_day(alice: User) -> None:
    revoked = issuance.revoke(alice, 1, PHONE, even_if_used=False).revoked
    assert revoked is not None
    yesterday = timezone.now().date() - timedelta(days=1)

    usage.record_refusals(revoked.pk, 1, LAPTOP)
    usage.record_refusals(revoked.pk, 11, PHONE)
    RevokedToken.objects.update(refusal_reported_on=yesterday)
    usage.record_refusals(revoked.pk, 2, LAPTOP)
    revoked.refresh_from_db()

    assert (revoked.refused_count, revoked.last_refused_ip) == (14, LAPTOP.ip)
    assert revoked.last_refused_client == LAPTOP.user_agent
    assert activity(alice)[3:] == [(Kind.TOKEN_REFUSED, 1), (Kind.TOKEN_REFUSED, 1)]


def test_refusals_of_a_token_that_was_forgotten_meanwhile_leave_nothing(alice: User) -> None:
    usage.record_refusals(4711, 1, LAPTOP)

    assert RevokedToken.objects.count() == 0
    assert activity(alice) == [(Kind.TOKEN_ISSUED, 1)]
