"""Values of settings: blanks mean nothing, and what cannot be read is refused without being shown."""

import os
import traceback
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from botpenguin.configuration.values import Values
from tests.configuration.conftest import Load


@pytest.mark.parametrize(
    "text", ["a,b", " a , b ", "a,b,", ",a,,b", "a ,\tb", "a, ,b", "\na,\n b\n", "a\u00a0,\u00a0b", " , a , , b , "]
)
@pytest.mark.parametrize(
    "name", ["ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "TRUSTED_PROXIES", "OUTBOUND_ALLOWED_NETWORKS"]
)
def test_blanks_around_commas_and_empty_items_mean_nothing(load: Load, name: str, text: str) -> None:
    assert load(**{name: text})[name] == ["a", "b"]


@given(st.lists(st.text(st.characters(exclude_characters=",\0", exclude_categories=["Cs", "Z", "Cc"]), min_size=1)))
def test_any_list_is_read_back(items: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENV_FILE", os.devnull)
        patch.setattr(os, "environ", {**os.environ, "LIST": " , ".join(items)})

        assert Values().items("LIST", default=["default"]) == items


def test_keys_of_the_ring_are_a_list_too(load: Load) -> None:
    one, two = "0123456789" * 5, "abcdefghij" * 5

    assert load(TOKEN_KEYS=f" {one} ,, {two} ,")["TOKEN_KEYS"] == [one, two]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PORT", " 9000 ", 9000),
        ("OUTBOUND_SECONDS", "\t2.5", 2.5),
        ("HTTPS", " on ", True),
        ("HTTPS", "TRUE", True),
        ("SIGN_UP", "off\n", False),
        ("SIGN_UP", " 0", False),
        ("HOST", " ::1 ", "::1"),
        ("HOST", "", "127.0.0.1"),
        ("METRICS_HOST", " ", "127.0.0.1"),
        ("PUBLIC_URL", " https://app.example.com/ ", "https://app.example.com"),
        ("DEFAULT_FROM_EMAIL", " Bot <bot@example.com> ", "Bot <bot@example.com>"),
        ("ALLOWED_HOSTS", " ", []),
    ],
)
def test_blanks_around_a_value_mean_nothing(load: Load, name: str, text: str, value: object) -> None:
    found = load(**{name: text})

    assert found[name] == value


def test_a_blank_address_of_the_mail_server_is_none(load: Load) -> None:
    assert load(EMAIL_URL=" ")["MAIL_IS_SET_UP"] is False


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "hunter2", "PORT is no whole number."),
        ("PORT", "", "PORT is no whole number."),
        ("WORKERS", "2.5", "WORKERS is no whole number."),
        ("QUOTA_BOTS", "1,000", "QUOTA_BOTS is no whole number."),
        ("OUTBOUND_SECONDS", "hunter2", "OUTBOUND_SECONDS is no number."),
        ("OUTBOUND_SECONDS", "nan", "OUTBOUND_SECONDS is no number."),
        ("OUTBOUND_SECONDS", "inf", "OUTBOUND_SECONDS is no number."),
        ("HTTPS", "ture", "HTTPS is neither on nor off."),
        ("SIGN_UP", "", "SIGN_UP is neither on nor off."),
        ("DEBUG", "hunter2", "DEBUG is neither on nor off."),
        ("PUBLIC_URL", "https://example.com/panel", "PUBLIC_URL contains a path."),
        ("DATABASE_URL", "postgres://u:hunter2#@h/n", "DATABASE_URL contains a character that means"),
        ("DATABASE_URL", "sqlite:////srv/#hunter2", "DATABASE_URL contains a character that means"),
        ("CACHE_URL", "redis://:hunter2@2@h", "CACHE_URL contains a character that means"),
        ("EMAIL_URL", "smtp://u:hunter2/2@h", "EMAIL_URL contains a character that means"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_and_not_shown(load: Load, name: str, value: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        load(**{name: value})

    assert str(caught.value).startswith(sentence)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value, limit=0))


def test_services_are_read_from_urls(load: Load) -> None:
    found = load(
        DATABASE_URL=" postgres://u:a%23b@h:5433/n ", CACHE_URL="redis://:a%23b@h/1 ", EMAIL_URL="smtps://u:a%23b@h:25"
    )

    database, cache = found["DATABASES"]["default"], found["CACHES"]["default"]
    assert (database["PASSWORD"], database["NAME"], database["PORT"]) == ("a#b", "n", 5433)
    assert (cache["LOCATION"], cache["BACKEND"]) == ("redis://:a%23b@h/1", "accounts.throttling.redis.Cache")
    assert (found["EMAIL_HOST_PASSWORD"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"]) == ("a#b", 25, True)


def test_the_environment_counts_before_the_file(load: Load) -> None:
    found = load("PORT=9000\nHOST=::1\nOTHER=1\n", PORT="9001")

    assert (found["PORT"], found["HOST"]) == (9001, "::1")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ALOWED_HOSTS", "ALLOWED_HOSTS"),
        ("allowed_hosts", "ALLOWED_HOSTS"),
        ("Public_Url", "PUBLIC_URL"),
        ("PUBLICURL", "PUBLIC_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("TRUSTED_PROXIS", "TRUSTED_PROXIES"),
        ("EMAILURL", "EMAIL_URL"),
        ("METRICSPORT", "METRICS_PORT"),
        ("CACHE_URLS", "CACHE_URL"),
    ],
)
def test_a_misspelled_name_in_the_file_is_refused_by_its_line(
    load: Load, tmp_path: Path, text: str, meant: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        load(f"WORKERS=1\n{text}=hunter2\n")

    assert str(caught.value) == (
        f"Line 2 of {tmp_path}/.env sets {text}, which is no setting. Is it meant to be {meant}?"
    )


def test_a_name_of_another_program_is_taken(load: Load) -> None:
    found = load("POSTGRES_PASSWORD=x\nHTTP_PORT=1\nPGSSLMODE=require\nPORTS=9001\nPORT=9000\n")

    assert found["PORT"] == 9000


@pytest.mark.parametrize("state", ["app #1", "what?", "100%25 app", "c++ x"])
def test_the_database_is_in_the_state_folder_whatever_its_name(load: Load, tmp_path: Path, state: str) -> None:
    found = load(STATE_DIR=str(tmp_path / state))

    assert found["DATABASES"]["default"]["NAME"] == str(tmp_path / state / "db.sqlite3")


def test_a_database_that_0_1_0_misplaced_stops_every_command(load: Load, tmp_path: Path) -> None:
    (tmp_path / "app ").write_bytes(b"SQLite format 3\0")

    with pytest.raises(ImproperlyConfigured, match=r"^Version 0\.1\.0 kept the database in "):
        load(STATE_DIR=str(tmp_path / "app #1"))
