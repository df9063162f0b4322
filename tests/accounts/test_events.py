"""The table of events: what the models and the database refuse, and how the rows of a token are found."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import security_log
from accounts.events import SecurityEvent
from accounts.models import User
from accounts.orm.append_only import AppendOnlyError
from accounts.security_log import Kind
from developers.admin import site as admin
from tests.cast import LAPTOP, account_events


def alike(event: SecurityEvent, **changed: Any) -> Any:
    """Return an event that is not in the table yet, and like another but for some fields."""
    fields = {field.attname: getattr(event, field.attname) for field in event._meta.fields}
    return SecurityEvent(**fields | changed)


def test_an_event_is_added_and_never_changed(alice: User) -> None:
    events: Any = SecurityEvent
    event = events.objects.get()
    attempts: list[Callable[[], Any]] = [
        event.save,
        lambda: event.save(update_fields=["ip"]),
        lambda: events.objects.update(ip=None),
        lambda: events.objects.filter(user=alice).update(ip=None),
        lambda: getattr(alice, events.user.field.remote_field.related_name).update(ip=None),
        lambda: events.objects.bulk_update([event], ["ip"]),
        lambda: events.objects.update_or_create(pk=event.pk, defaults={"ip": None}),
        lambda: events.objects.bulk_create(
            [alike(event, ip=None)], update_conflicts=True, update_fields=["ip"], unique_fields=["id"]
        ),
    ]

    for attempt in attempts:
        with pytest.raises(AppendOnlyError, match=events.__name__), transaction.atomic():
            attempt()
    with pytest.raises(IntegrityError), transaction.atomic():
        alike(event, ip=None).save()

    assert events.objects.get().ip == LAPTOP.ip


def test_no_event_can_be_edited_in_the_admin() -> None:
    assert SecurityEvent not in admin._registry


def test_an_event_is_called_by_what_happened(alice: User) -> None:
    security_log.record(Kind.EMAIL_CHANGED, alice, LAPTOP)

    assert str(account_events().get()) == "Email changed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": Kind.LOGGED_IN, "generation": 1},
        {"kind": Kind.LOGGED_IN, "hint": "3f9a"},
        {"kind": Kind.LOGGED_IN, "hint": "3f9a", "generation": 1},
        {"kind": Kind.TOKEN_SHOWN},
        {"kind": Kind.TOKEN_SHOWN, "generation": 1},
        {"kind": Kind.TOKEN_SHOWN, "hint": "3f9a"},
    ],
)
def test_an_event_names_a_token_if_and_only_if_it_is_about_one(alice: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="accounts_securityevent_of_a_token_names_it"), transaction.atomic():
        SecurityEvent.objects.create(user=alice, **wrong)


def test_events_of_a_token_are_found_by_an_index_of_their_own(alice: User) -> None:
    events, _ = security_log.of(alice, security_log.TOKEN_KINDS)
    if connection.vendor == "sqlite":
        plan = events.filter(generation__isnull=False)[:10].explain()

        assert "USING INDEX accounts_event_latest_of_token" in plan
        assert "TEMP B-TREE" not in plan
