"""Conditional deletions keep rows that another request has changed meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from post_office.models import STATUS, Email

from accounts import deletion, email_changes, sessions, sign_ups
from accounts.mail import queue
from accounts.models import Session, SignUp, User
from accounts.orm.batches import BatchSize
from accounts.orm.bulk import BulkTransaction
from accounts.throttling import counters
from accounts.throttling.models import CachedValue, Counter
from developers import issuance, usage
from developers.models import RevokedToken
from developers.outbound import call_drafts
from developers.outbound.call_drafts import CallDraft
from tests.cast import LAPTOP

# Rows, what a request changes in them, and the deletion beside it.
Case = tuple[QuerySet[Any], dict[str, Any], Callable[[], Any]]


class Meanwhile:
    """Makes a change from another connection, after a number of reads outside of a transaction.

    Inside a transaction that holds rows it could only wait for the end.
    """

    def __init__(self, reads: int, rows: QuerySet[Any], **values: Any) -> None:
        self.reads, self.rows, self.values = reads, rows, values
        self.changed: list[int] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT") and not connection.in_atomic_block:
            self.reads -= 1
            if not self.reads:
                self.make()
        return result

    def make(self) -> None:
        def change() -> None:
            try:
                self.changed.append(self.rows.update(**self.values))
            finally:
                connection.close()

        if not self.changed:
            thread = Thread(target=change)
            thread.start()
            thread.join()


def asked_for(owner: User) -> EmailAddress:
    address: EmailAddress = owner.emailaddress_set.create(email="new@example.com")
    return address


def old_letter() -> Email:
    mail = Email.objects.create(from_email="a@example.com", to="b@example.com")
    Email.objects.filter(pk=mail.pk).update(status=STATUS.failed, last_updated=timezone.now() - timedelta(days=2))
    return mail


def confirmed(alice: User) -> Case:
    rows = EmailAddress.objects.filter(pk=asked_for(alice).pk)
    return rows, {"verified": True}, lambda: list(email_changes.forget_old())


def confirmed_while_logged_out(alice: User) -> Case:
    rows = EmailAddress.objects.filter(pk=asked_for(alice).pk)
    return rows, {"verified": True}, lambda: email_changes.cancel(alice)


def logged_in(alice: User) -> Case:
    waits = User.objects.create(email="new@example.com")
    address = asked_for(alice)
    rows = User.objects.filter(pk=waits.pk)
    return rows, {"last_login": timezone.now()}, lambda: email_changes.drop_other_claims(address)


def queued_again(alice: User) -> Case:
    rows = Email.objects.filter(pk=old_letter().pk)
    return rows, {"status": STATUS.requeued}, lambda: list(queue.forget_ended())


def prolonged(alice: User) -> Case:
    now = timezone.now()
    Session.objects.create(session_key="over", session_data="", expire_date=now - timedelta(minutes=1))
    rows = Session.objects.filter(pk="over")
    return rows, {"expire_date": now + timedelta(days=14)}, lambda: list(sessions.forget_expired())


def tried_again(alice: User) -> Case:
    now = timezone.now()
    issuance.revoke_current(alice, LAPTOP, reason=RevokedToken.Reason.OWNER)
    RevokedToken.objects.update(revoked_at=now - timedelta(days=99))
    rows = RevokedToken.objects.filter(user=alice)
    return (
        rows,
        {"last_refused_at": now, "refused_count": 1},
        lambda: list(usage.prune_revoked(now - timedelta(days=90))),
    )


def renewed(alice: User) -> Case:
    old = timezone.now() - timedelta(days=4)
    waits = SignUp.objects.create(email="new@example.com", password="!", renewed_at=old)
    rows = SignUp.objects.filter(pk=waits.pk)
    return rows, {"renewed_at": timezone.now()}, lambda: list(sign_ups.forget_old())


def confirmed_at_last(alice: User) -> Case:
    """An account of version 0.1.0."""
    User.objects.filter(pk=alice.pk).update(joined_at=timezone.now() - timedelta(days=4))
    rows = EmailAddress.objects.filter(user=alice)
    rows.update(verified=False)
    return rows, {"verified": True}, lambda: list(deletion.forget_unconfirmed())


def typed_again(alice: User) -> Case:
    old = timezone.now() - timedelta(days=8)
    rows = CallDraft.objects.filter(pk=CallDraft.objects.create(owner=alice, public_id="a" * 24, updated_at=old).pk)
    return rows, {"updated_at": timezone.now()}, lambda: list(call_drafts.forget_expired())


def counted_anew(alice: User) -> Case:
    rows = Counter.objects.filter(pk=Counter.objects.create(name="tries", count=5, ends_at=1).pk)
    return rows, {"count": 1, "ends_at": 2**50}, lambda: list(counters.forget_ended())


def cached_anew(alice: User) -> Case:
    rows = CachedValue.objects.filter(pk=CachedValue.objects.create(key="turn", value="1", ends_at=1).pk)
    return rows, {"ends_at": 2**50}, lambda: list(counters.forget_ended())


CASES = [
    *(confirmed, confirmed_while_logged_out, logged_in, queued_again, prolonged, tried_again, renewed),
    *(confirmed_at_last, typed_again, counted_anew, cached_anew),
]


@pytest.mark.no_cover
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_a_row_is_changed_or_deleted_and_never_both(alice: User, case: Callable[[User], Any], reads: int) -> None:
    rows, values, delete = case(alice)
    meanwhile = Meanwhile(reads, rows, **values)

    with connection.execute_wrapper(meanwhile):
        delete()
    meanwhile.make()

    assert [rows.count()] == meanwhile.changed


def test_a_batch_grows_and_shrinks_with_the_time_that_the_last_one_took() -> None:
    size, sizes = BatchSize(), []

    for seconds in (0.001, 0.03, 0.06, 0.5, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001):
        size.fit(BulkTransaction(seconds))
        sizes.append(size.rows)

    assert sizes == [100, 100, 50, 25, 50, 100, 200, 400, 500, 500]


def test_the_largest_rows_go_one_by_one() -> None:
    size = BatchSize()

    for _ in range(9):
        size.fit(BulkTransaction(1))

    assert size.rows == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_that_does_not_match_by_its_turn_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.orm.batches.BATCH", 1)
    now = timezone.now()
    for name in ("first", "second"):
        Session.objects.create(session_key=name, session_data="", expire_date=now - timedelta(minutes=1))
    first = Session.objects.filter(pk=Session.objects.order_by().values("pk")[:1])
    meanwhile = Meanwhile(1, Session.objects.filter(pk=first.get().pk), expire_date=now + timedelta(days=14))

    with connection.execute_wrapper(meanwhile):
        deleted = list(sessions.forget_expired())

    assert (meanwhile.changed, deleted, Session.objects.count()) == ([1], [1], 1)
