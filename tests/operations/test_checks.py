import secrets
from typing import Any

import pyotp
import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.operations import checks, schemas
from developers.models import ApiToken
from developers.outbound import call_drafts
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe

DURABILITY = {
    "sqlite": ("PRAGMA synchronous = {}", ["OFF", "NORMAL"], "FULL"),
    "postgresql": ("SET synchronous_commit = '{}'", ["off", "remote_write"], "on"),
}
ISOLATION = {
    "sqlite": ("PRAGMA read_uncommitted = {}", "1", "0"),
    "postgresql": ("SET default_transaction_isolation = '{}'", "repeatable read", "read committed"),
}


def shown(messages: list[CheckMessage]) -> list[tuple[str | None, str]]:
    return [(message.id, message.msg) for message in messages]


@pytest.mark.django_db
def test_the_project_passes_every_check_as_it_stands(alice: User) -> None:
    call_command("check", databases=["default"], fail_level="WARNING")


def test_a_weak_key_is_an_error(settings: Settings) -> None:
    settings.TOKEN_KEYS = ["changeme"]

    assert [message.id for message in checks.check_token_keys(None)] == ["developers.E001"]


def test_a_key_twice_in_the_ring_is_an_error(settings: Settings) -> None:
    settings.TOKEN_KEYS = [settings.TOKEN_KEYS[0], settings.TOKEN_KEYS[0] + "="]

    assert shown(checks.check_token_keys(None)) == [
        ("developers.E002", "TOKEN_KEYS holds one key twice. Remove one of them.")
    ]


def test_good_keys_are_no_error(settings: Settings) -> None:
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), secrets.token_urlsafe(32)]

    assert checks.check_token_keys(None) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"ATOMIC_REQUESTS": True},
            "ATOMIC_REQUESTS is on: a bearer check could read a snapshot from before a revoke.",
        ),
        ({"AUTOCOMMIT": False}, "AUTOCOMMIT is off: a bearer check could read a snapshot from before a revoke."),
        (
            {"OPTIONS": {"isolation_level": 4}},
            "isolation_level is set: bearer checks are promised under READ COMMITTED.",
        ),
    ],
)
def test_a_database_setting_that_could_hide_a_revoke_is_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], problem: str
) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", settings.DATABASES["default"] | change)

    assert shown(checks.check_reads_see_every_revoke(None)) == [("developers.E003", problem)]


def test_a_database_router_is_an_error(settings: Settings) -> None:
    settings.DATABASE_ROUTERS = [object()]

    assert shown(checks.check_reads_see_every_revoke(None)) == [
        ("developers.E003", "DATABASE_ROUTERS is set: bearer checks must read the primary.")
    ]


def test_the_settings_of_the_project_hide_no_revoke() -> None:
    assert checks.check_reads_see_every_revoke(None) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("careless", [0, 1])
def test_a_commit_that_does_not_wait_for_the_disk_is_an_error(careless: int) -> None:
    statement, careless_values, safe = DURABILITY[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(statement.format(careless_values[careless]))
        try:
            found = checks.check_revokes_are_durable(None, databases=["default"])
        finally:
            cursor.execute(statement.format(safe))

    assert shown(found) == [
        (
            "developers.E004",
            "The database default answers a commit before it is on disk: a revoke could be forgotten.",
        )
    ]


@pytest.mark.django_db(transaction=True)
def test_a_database_with_another_isolation_level_is_an_error() -> None:
    statement, otherwise, usual = ISOLATION[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(statement.format(otherwise))
        try:
            found = checks.check_reads_see_what_is_committed(None, databases=["default"])
        finally:
            cursor.execute(statement.format(usual))

    assert shown(found) == [
        (
            "developers.E003",
            "The database default does not read under READ COMMITTED: a bearer check could miss a revoke.",
        )
    ]


@pytest.mark.django_db
def test_the_database_of_the_project_waits_for_the_disk_and_reads_what_is_committed() -> None:
    assert checks.check_revokes_are_durable(None, databases=["default"]) == []
    assert checks.check_reads_see_what_is_committed(None, databases=["default"]) == []


def test_a_ring_that_lacks_the_key_of_a_token_is_an_error(alice: User, bob: User, settings: Settings) -> None:
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32)]

    assert shown(checks.check_ring_fits_database(None, databases=["default"])) == [
        (
            "developers.E005",
            "2 tokens in the database default are under a key that TOKEN_KEYS does not hold: they would be refused.",
        )
    ]


def test_a_ring_that_lacks_the_key_of_an_outbound_call_is_an_error(alice: User, settings: Settings) -> None:
    OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example.com/"))
    ApiToken.objects.all().delete()
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32)]

    assert shown(checks.check_ring_fits_database(None, databases=["default"])) == [
        (
            "developers.E005",
            "1 outbound APIs in the database default are sealed under a key that TOKEN_KEYS does not hold: "
            "none can be sent.",
        )
    ]


def test_a_ring_that_lacks_the_key_of_a_draft_is_an_error(alice: User, settings: Settings) -> None:
    for public_id in ("6a" * 12, ended := "6b" * 12):
        call_drafts.keep(alice.pk, public_id, None, "typed")
    call_drafts.end(alice.pk, ended, is_saved=True)
    ApiToken.objects.all().delete()
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32)]

    assert shown(checks.check_ring_fits_database(None, databases=["default"])) == [
        (
            "developers.E005",
            "1 drafts of outbound calls in the database default are sealed under a key that TOKEN_KEYS does not hold: "
            "what was typed would be lost.",
        )
    ]


def test_a_network_that_is_none_is_an_error(settings: Settings) -> None:
    assert checks.check_allowed_networks(None) == []
    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.0.0.1/8"]

    assert shown(checks.check_allowed_networks(None)) == [
        (
            "developers.E006",
            "OUTBOUND_ALLOWED_NETWORKS holds '10.0.0.1/8', which is neither an address nor a network such as "
            "10.0.0.0/8.",
        )
    ]


def test_a_ring_that_lacks_the_key_of_a_second_factor_is_an_error(alice: User, settings: Settings) -> None:
    """A token moves to another key with the next revoke; a second factor stays under the one that sealed it."""
    TOTP.activate(alice, pyotp.random_base32())
    RecoveryCodes.activate(alice)
    ApiToken.objects.all().delete()
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32)]

    assert shown(checks.check_ring_fits_database(None, databases=["default"])) == [
        (
            "developers.E005",
            "2 authenticator apps and sets of recovery codes in the database default are sealed under a key that "
            "TOKEN_KEYS does not hold: no code of theirs would let anybody in.",
        )
    ]


def test_a_ring_that_holds_every_key_is_no_error(alice: User, settings: Settings) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), *settings.TOKEN_KEYS]

    assert checks.check_ring_fits_database(None, databases=["default"]) == []


def test_a_weak_key_is_reported_once(alice: User, settings: Settings) -> None:
    settings.TOKEN_KEYS = ["changeme"]

    assert checks.check_ring_fits_database(None, databases=["default"]) == []


@pytest.mark.no_cover
@pytest.mark.django_db(transaction=True)
def test_a_database_before_its_first_migration_is_no_error() -> None:
    with schemas.empty_file() if connection.vendor == "sqlite" else schemas.empty_schema():
        assert connection.introspection.table_names() == []
        assert checks.check_ring_fits_database(None, databases=["default"]) == []


def test_checks_that_need_a_database_say_nothing_without_one() -> None:
    assert checks.check_revokes_are_durable(None) == []
    assert checks.check_reads_see_what_is_committed(None) == []
    assert checks.check_ring_fits_database(None) == []


def test_a_security_log_that_keeps_nothing_is_refused(settings: Settings) -> None:
    usual = checks.check_events_are_kept(None)
    settings.EVENTS_KEPT_DAYS = 0

    assert usual == []
    assert shown(checks.check_events_are_kept(None)) == [("developers.E007", "EVENTS_KEPT_DAYS wants at least 1 day.")]
