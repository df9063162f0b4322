"""Housekeeping: each part deletes only expired rows, in small batches, by one worker once a day."""

import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from post_office.models import STATUS, Email

from accounts.events import SecurityEvent
from accounts.models import Session, SignUp, User
from accounts.throttling.models import Counter
from botpenguin.operations import housekeeping
from botpenguin.operations.housekeeping import Housekeeper, Round
from developers.models import RevokedToken, TokenUse
from developers.outbound import api_deletion, call_drafts
from developers.outbound.call_drafts import CallDraft
from developers.outbound.models import ApiLog, OutboundApi
from tests.clock import Clock

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(housekeeping, "time", clock)
    return clock


def sessions(count: int) -> None:
    """Make sessions that expired a minute ago."""
    over = timezone.now() - MINUTE
    Session.objects.bulk_create(
        [Session(session_key=f"over-{number}", session_data="", expire_date=over) for number in range(count)]
    )


def revoked_tokens(owner: User) -> None:
    """Make four revoked tokens, by when each was revoked and last tried: the second and third within 90 days."""
    now, days = timezone.now(), timedelta(days=90)
    for generation, (revoked, tried) in enumerate([(days, days), (days, days / 2), (days / 2, None), (days, None)], 1):
        RevokedToken.objects.create(
            user=owner,
            digest=bytes([generation]) * 32,
            key_id="k",
            hint="3f9a",
            generation=generation,
            revoked_at=now - revoked - MINUTE,
            reason="owner",
            refused_count=0 if tried is None else 1,
            last_refused_at=None if tried is None else now - tried - MINUTE,
        )


@pytest.fixture
def of_all_ages(alice: User) -> dict[str, Any]:
    """Make an expired row and a current row of each kind; return the number of rows to keep, by part."""
    now = timezone.now()
    for model, at, kept in ((SecurityEvent, "at", 400), (ApiLog, "sent_at", 10)):
        model._default_manager.all().delete()
        owner = {"owner": alice, "api_name": "A"} if model is ApiLog else {"user": alice, "kind": "signed-in"}
        for age in (timedelta(days=kept) + MINUTE, timedelta(days=kept) - MINUTE):
            model._default_manager.create(**owner, **{at: now - age})
    for public_id, age in (("old", timedelta(days=7) + MINUTE), ("new", timedelta(days=7) - MINUTE)):
        CallDraft.objects.create(owner=alice, public_id=public_id, updated_at=now - age)
    for name, age in (("old", api_deletion.KEPT_FOR + MINUTE), ("new", api_deletion.KEPT_FOR - MINUTE)):
        OutboundApi.every.create(owner=alice, name=name, method="GET", url="-", deleted_at=now - age)
    for days in (35, 34):
        moment = {"day": (now - timedelta(days=days)).date(), "first_at": now, "last_at": now}
        TokenUse.objects.create(user=alice, generation=1, is_refused=False, count=1, **moment)
    revoked_tokens(alice)
    sessions(1)
    Session.objects.create(session_key="open", session_data="", expire_date=now + MINUTE)
    alice.emailaddress_set.create(email="asked.for@example.com")
    for email, age in (("old@example.com", MINUTE), ("new@example.com", -MINUTE)):
        SignUp.objects.create(email=email, password="!", renewed_at=now - timedelta(days=3) - age)
    for subject, age in (("old", timedelta(days=1) + MINUTE), ("new", timedelta(days=1) - MINUTE)):
        letter = Email.objects.create(from_email="a@example.com", to="b@example.com", subject=subject)
        Email.objects.filter(pk=letter.pk).update(status=STATUS.sent, last_updated=now - age)
    for name, seconds in (("old", -1), ("new", 600)):
        cache.set(name, 1, seconds)
        Counter.objects.create(name=name, count=1, ends_at=(time.time() + seconds) * 1000)
    return {
        "counts": (Counter, 1),
        "events": (SecurityEvent, 1),
        "deleted APIs": (OutboundApi, 1),
        "logs of outbound calls": (ApiLog, 1),
        "drafts of outbound calls": (CallDraft, 1),
        "revoked tokens": (RevokedToken, 2),
        "uses of tokens": (TokenUse, 1),
        "sessions": (Session, 1),
        "changes of email": (EmailAddress, 1),
        "sign-ups": (SignUp, 1),
        "mails": (Email, 1),
    }


def test_what_has_had_its_time_is_deleted_and_nothing_else(of_all_ages: dict[str, Any]) -> None:
    output = StringIO()

    call_command("housekeeping", stdout=output)

    assert output.getvalue() == (
        "0 tags of imports that were killed, 0 rows of deleted bots, 1 rows of deleted APIs, "
        "0 rows of deleted accounts, 2 rows of the cache, 2 revoked tokens, 1 uses of tokens, "
        "1 sessions, 1 changes of email, 1 sign-ups, 1 mails, 1 logs of outbound calls, "
        "1 drafts of outbound calls, 0 deliveries of webhooks, 1 events deleted.\n"
    )
    assert {name: model._base_manager.count() for name, (model, _) in of_all_ages.items()} == {
        name: count for name, (_, count) in of_all_ages.items()
    }
    assert set(RevokedToken.objects.values_list("generation", flat=True)) == {2, 3}
    assert Email.objects.get().subject == "new"
    assert (cache.get("new"), cache.get("old")) == (1, None)


def test_each_step_is_a_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.orm.batches.BATCH", 2)
    sessions(5)

    left = [Session.objects.count() for _ in Round().steps()]

    assert sorted(set(left), reverse=True) == [3, 1, 0]


def test_a_part_that_fails_is_logged_and_the_others_are_done(caplog: pytest.LogCaptureFixture) -> None:
    def break_counters(execute: Any, sql: str, *rest: Any) -> Any:
        if "accounts_counter" in sql:
            raise OperationalError
        return execute(sql, *rest)

    sessions(1)

    with (
        connection.execute_wrapper(break_counters),
        pytest.raises(CommandError, match=r"^These failed, as the log says: rows of the cache\.$"),
    ):
        call_command("housekeeping", stdout=StringIO())

    assert not Session.objects.exists()
    assert "Housekeeping: deleting old rows of the cache failed, and is tried again tomorrow." in caplog.text


def test_of_two_workers_one_does_it_once_a_day(clock: Clock) -> None:
    first, second = Housekeeper(), Housekeeper()
    sessions(1)
    first.go_on()
    after_the_first = Session.objects.count()
    sessions(1)

    for _hour in range(22):
        for worker in (first, second):
            worker.go_on()
        clock.now += 3600
    same_day = Session.objects.count()
    cache.delete(housekeeping.TURN)  # it runs out after 23 hours
    second.go_on()

    assert (after_the_first, same_day, Session.objects.count()) == (0, 1, 0)


def test_a_worker_goes_on_where_it_stopped_to_send_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.orm.batches.BATCH", 1)
    monkeypatch.setattr(housekeeping, "SECONDS_AT_A_TIME", 0)
    worker, left = Housekeeper(), []
    sessions(3)

    while Session.objects.exists():
        worker.go_on()
        left.append(Session.objects.count())

    assert sorted(set(left), reverse=True) == [2, 1, 0]


def test_each_worker_deletes_discarded_drafts_within_a_minute(clock: Clock, alice: User) -> None:
    cache.set(housekeeping.TURN, True, 3600)
    worker, left = Housekeeper(), []
    discarded = timezone.now() - call_drafts.REMEMBERED_FOR

    for _ in range(2):
        CallDraft.objects.create(owner=alice, public_id="discarded", ended_at=discarded)
        worker.go_on()
        left.append(CallDraft.objects.count())
        clock.now += housekeeping.SECONDS_BETWEEN_DELETIONS

    assert left == [0, 0]


def test_a_worker_deletes_rows_of_deleted_apis_within_minutes(alice: User, clock: Clock) -> None:
    worker = Housekeeper()
    worker.go_on()
    OutboundApi.every.create(owner=alice, name="Orders", method="GET", url="-", deleted_at=api_deletion.EXPIRED)

    clock.now += housekeeping.SECONDS_BETWEEN_DELETIONS
    worker.go_on()

    assert not OutboundApi.every.exists()


def test_a_day_with_nothing_to_delete_is_not_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    for _ in Round().steps():
        pass

    assert "Housekeeping" not in caplog.text
