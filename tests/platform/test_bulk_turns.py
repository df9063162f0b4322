"""Requests that change much while other bulk work runs are refused at once, and change nothing."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from accounts.orm import bulk
from botpenguin.platform import bot_deletion
from botpenguin.platform.models import Bot, Contact, ContactTag
from botpenguin.platform.pending import PendingImport
from developers.outbound import api_deletion
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import logged_in
from tests.platform.calls import Caller, caller, contact_of, row

pytestmark = pytest.mark.django_db(transaction=True)

TAGS = [f"tag {number}" for number in range(50)]


@pytest.fixture(autouse=True)
def _turn_of_others(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Other bulk work runs, and nobody waits long for its end."""
    monkeypatch.setattr(bulk, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(bulk, "LONGEST_WAIT_OF_A_REQUEST", 0)
    monkeypatch.setattr(bulk.refused, "since", None)
    if connection.vendor != "sqlite":
        yield
        return
    descriptor = os.open(Path(connection.settings_dict["NAME"]).parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
    os.close(descriptor)


def refused_or(status: int) -> int:
    """Return the status of a call that is refused where bulk work takes turns."""
    return 429 if connection.vendor == "sqlite" else status


def assert_refused(answer: Any) -> None:
    if answer.status_code == 429:
        assert answer["Retry-After"] == "1"
        sentence = "Other large changes are under way. Nothing was changed. Try again in a moment."
        assert answer.json()["message"] == sentence


@pytest.mark.parametrize("tags", [[], TAGS], ids=["in one transaction", "with staged tags"])
def test_an_import_is_429_and_leaves_nothing(alice: User, tags: list[str]) -> None:
    rows = [row(email=f"{number}@example.com", tags=tags) for number in range(101)]

    answer = caller(alice).send("POST", "/inbox/users/import", rows)

    assert answer.status_code == refused_or(201)
    assert_refused(answer)
    made = 0 if answer.status_code == 429 else 101
    left = (Contact.objects.count(), ContactTag.every.count(), PendingImport.objects.count())
    assert left == (made, made * len(tags), 0)


def test_a_new_status_for_many_is_429(alice: User) -> None:
    ids = [contact_of(alice, name=str(number)).pk for number in range(101)]
    asked: Caller = caller(alice)

    answer = asked.send("PUT", "/inbox/users/status-update", {"ids": ids, "status": "CLOSED"})

    assert answer.status_code == refused_or(200)
    assert_refused(answer)
    assert Contact.objects.filter(status="CLOSED").count() == (0 if answer.status_code == 429 else 101)


def test_few_changes_wait_for_nobody(alice: User) -> None:
    answer = caller(alice).send("POST", "/inbox/users/import", [row("Asha")])

    assert answer.status_code == 201


def test_a_deleted_api_is_gone_at_once_and_its_row_goes_later(alice: User) -> None:
    api = OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com"))
    OutboundApi.objects.update(deleted_at=api_deletion.EXPIRED)
    later = OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com"))

    answer = logged_in(alice).post(f"/developers/third-party-apps-api/{later.pk}/delete/", {"is_sure": "on"})

    assert answer.status_code == 302
    assert not OutboundApi.objects.exists()
    assert OutboundApi.every.filter(pk=api.pk).exists() == (connection.vendor == "sqlite")
    sum(api_deletion.forget_deleted())
    assert list(OutboundApi.every.all()) == [later]


def test_a_deleted_bot_is_gone_at_once_and_what_is_left_of_it_goes_later(alice: User) -> None:
    bot = Bot.objects.create(owner=alice, name="Shop", platform="website")
    contact = contact_of(alice, bot=bot)

    answer = caller(alice).send("DELETE", f"/bots/{bot.pk}")

    assert answer.status_code in (200, 204)
    assert not Bot.objects.exists()
    assert Bot.every.exists() == (connection.vendor == "sqlite")
    sum(bot_deletion.forget_deleted())
    assert not Bot.every.exists()
    assert Contact.objects.get(pk=contact.pk).bot is None


def test_a_revoke_waits_for_no_bulk_work(alice: User) -> None:
    operator = logged_in(User.objects.create_superuser("operator@example.com", "a good passphrase of hers"))
    choice = {"action": "revoke", "_selected_action": [alice.pk]}

    page = operator.post("/admin/developers/apitoken/", choice, follow=True).content.decode()

    assert "1 token is revoked." in page
    assert bulk.refused.since is None
