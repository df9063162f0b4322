"""`DATABASE_DIRECT_URL`: the address of PostgreSQL itself, beside that of a pooler in `DATABASE_URL`."""

import traceback
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.configuration.conftest import Load

POOLER = "postgres://web:hunter2@pooler.example.com:6432/panel"
DIRECT = "postgres://owner:hunter3@db.example.com/panel?sslmode=verify-full"
TIMEOUTS = "-c lock_timeout=5s -c statement_timeout=30s -c idle_in_transaction_session_timeout=1min"
NO_TIMEOUTS = "-c lock_timeout=0 -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"


def configurations(found: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    return found["DATABASES"]["default"], found["DIRECT_DATABASE"]


def test_without_a_pooler_each_connection_sends_its_timeouts(load: Load) -> None:
    database, direct = configurations(load(DATABASE_URL=POOLER))

    assert (database["OPTIONS"]["options"], direct) == (TIMEOUTS, None)
    assert "DISABLE_SERVER_SIDE_CURSORS" not in database


def test_through_a_pooler_nothing_is_sent_or_kept_that_belongs_to_a_session(load: Load) -> None:
    pooler, _ = configurations(load(DATABASE_URL=POOLER, DATABASE_DIRECT_URL=DIRECT))

    # An empty text keeps the driver from sending PGOPTIONS.
    assert pooler["OPTIONS"]["options"] == ""
    assert pooler["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert "prepare_threshold" not in pooler["OPTIONS"]
    assert (pooler["HOST"], pooler["PORT"], pooler["USER"]) == ("pooler.example.com", 6432, "web")
    assert pooler["OPTIONS"]["pool"] == load(DATABASE_URL=POOLER)["DATABASES"]["default"]["OPTIONS"]["pool"]
    assert pooler["OPTIONS"]["target_session_attrs"] == "primary"


def test_the_direct_connection_has_an_address_of_its_own_no_pool_and_no_timeouts(load: Load) -> None:
    pooler, direct = configurations(load(DATABASE_URL=f"{POOLER}?sslmode=disable", DATABASE_DIRECT_URL=DIRECT))

    assert (direct["HOST"], direct["PORT"], direct["USER"], direct["NAME"]) == ("db.example.com", "", "owner", "panel")
    assert direct["OPTIONS"]["options"] == NO_TIMEOUTS
    assert "pool" not in direct["OPTIONS"]
    assert (pooler["OPTIONS"]["sslmode"], direct["OPTIONS"]["sslmode"]) == ("disable", "verify-full")
    assert (direct["OPTIONS"]["connect_timeout"], direct["OPTIONS"]["target_session_attrs"]) == (3, "primary")


def test_the_file_may_set_it(load: Load) -> None:
    _, direct = configurations(load(f"DATABASE_URL={POOLER}\nDATABASE_DIRECT_URL= {DIRECT}\n"))

    assert direct["HOST"] == "db.example.com"


@pytest.mark.parametrize("direct", [POOLER, f"{POOLER}?sslmode=require", POOLER.replace("web", "owner")])
def test_one_address_for_both_is_refused(load: Load, direct: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_DIRECT_URL is the address that DATABASE_URL has\. "):
        load(DATABASE_URL=POOLER, DATABASE_DIRECT_URL=direct)


@pytest.mark.parametrize(
    ("url", "direct", "sentence"),
    [
        ("sqlite:////srv/db.sqlite3", DIRECT, "DATABASE_DIRECT_URL is set, and DATABASE_URL names no PostgreSQL"),
        (None, DIRECT, "DATABASE_DIRECT_URL is set, and DATABASE_URL names no PostgreSQL"),
        (POOLER, "", "DATABASE_DIRECT_URL is no address such as postgres://user:password@host/name, and DATABASE_URL"),
        (POOLER, "db.example.com", "DATABASE_DIRECT_URL is no address such as postgres://"),
        (POOLER, "sqlite:////srv/db.sqlite3", "DATABASE_DIRECT_URL names no PostgreSQL."),
        (POOLER, "mysql://web:hunter2@host/panel", "DATABASE_DIRECT_URL names no PostgreSQL."),
        (POOLER, "postgres://web:hunter2#@host/panel", "DATABASE_DIRECT_URL contains a character that means"),
        (POOLER, "postgres://web:hunter2@2@host/panel", "DATABASE_DIRECT_URL contains a character that means"),
        (POOLER, "postgres://web:hunter2@host:port/panel", "The host or the port in DATABASE_DIRECT_URL cannot be"),
        (f"{POOLER}?options=-c%20lock_timeout%3D1s", DIRECT, "DATABASE_URL has options, which a pooler refuses."),
        (f"{POOLER}?options=-c%20work_mem%3D8MB", DIRECT, "DATABASE_URL has options, which a pooler refuses."),
    ],
)
def test_what_cannot_be_used_is_refused_and_not_shown(load: Load, url: str | None, direct: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        load(DATABASE_DIRECT_URL=direct, **({"DATABASE_URL": url} if url else {}))

    assert str(caught.value).startswith(sentence)
    assert "hunter" not in "".join(traceback.format_exception(caught.value, limit=0))


def test_options_of_the_direct_address_are_its_own(load: Load) -> None:
    _, direct = configurations(
        load(DATABASE_URL=POOLER, DATABASE_DIRECT_URL="postgres://db.example.com/panel?options=-c%20lock_timeout%3D9s")
    )

    assert direct["OPTIONS"]["options"] == "-c lock_timeout=9s"


def test_a_misspelled_name_is_refused(load: Load) -> None:
    with pytest.raises(ImproperlyConfigured, match="Is it meant to be DATABASE_DIRECT_URL"):
        load(f"DATABASE_DIRECTURL={DIRECT}\n", DATABASE_URL=POOLER)
