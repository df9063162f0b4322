"""A real PgBouncer in transaction mode between Django and PostgreSQL: what goes through it, and what goes past it."""

from collections.abc import Iterator
from io import StringIO

import psycopg
import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from pytest_django import DjangoDbBlocker

from botpenguin.database import direct
from botpenguin.operations.pooler_checks import check_pooler
from botpenguin.server import __main__ as serve
from tests import pgbouncer, postgresql
from tests.pgbouncer import PgBouncer
from tests.postgresql import PostgreSQL
from tests.server import free_port

pytestmark = [pytest.mark.resilience, pytest.mark.xdist_group("postgresql")]
SET = "lock_timeout = 5s", "statement_timeout = 30s", "idle_in_transaction_session_timeout = 1min"
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture(scope="module")
def behind(own_postgresql: PostgreSQL) -> PostgreSQL:
    return own_postgresql


@pytest.fixture(scope="module")
def pooler(behind: PostgreSQL) -> Iterator[PgBouncer]:
    with pgbouncer.pooler(behind) as running:
        yield running


@pytest.fixture(scope="module")
def ignoring_pooler(behind: PostgreSQL) -> Iterator[PgBouncer]:
    """Some configurations on the web drop the options of a connection."""
    with pgbouncer.pooler(behind, "ignore_startup_parameters = options") as running:
        yield running


@pytest.fixture
def behind_pooler(behind: PostgreSQL, pooler: PgBouncer, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), postgresql.connected(pooler.url(behind.url), behind.url):
        yield


def ask(query: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def set_timeouts() -> list[str]:
    output = StringIO()
    call_command("set_database_timeouts", stdout=output)
    return output.getvalue().splitlines()


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


@pytest.mark.usefixtures("behind_pooler")
def test_the_direct_connection_is_used_during_its_block_only() -> None:
    connection.ensure_connection()
    before = direct.is_pooled(connection.connection)
    with direct.as_default():
        connection.ensure_connection()
        during = direct.is_pooled(connection.connection)
        pid = ask("SELECT pg_backend_pid()")
        with direct.as_default():
            nested = ask("SELECT pg_backend_pid()")
    after = direct.is_pooled(connection.connection)

    assert (before, during, after) == (True, False, True)
    assert nested == pid


@pytest.mark.usefixtures("behind_pooler")
def test_the_usual_connection_is_back_after_an_error() -> None:
    with pytest.raises(OperationalError), direct.as_default():
        raise OperationalError

    connection.ensure_connection()
    assert direct.is_pooled(connection.connection)


@pytest.mark.usefixtures("behind_pooler")
def test_the_lock_of_a_start_is_held_past_the_pooler_and_leaves_nothing_behind(behind: PostgreSQL) -> None:
    with psycopg.connect(behind.url, autocommit=True) as another:
        for _ in range(2):
            with serve.alone_at_the_database():
                during = another.execute(LOCKS).fetchone()
            after = another.execute(LOCKS).fetchone()

            assert (during, after) == ((1,), (0,))


@pytest.mark.usefixtures("behind_pooler")
def test_preparing_may_last_and_requests_may_not() -> None:
    set_timeouts()

    with direct.as_default():
        preparing = ask("SHOW statement_timeout"), ask("SHOW lock_timeout")
    connection.close()
    usual = ask("SHOW statement_timeout"), ask("SHOW lock_timeout")

    assert (preparing, usual) == (("0", "0"), ("30s", "5s"))


def test_migrations_go_past_the_pooler(behind: PostgreSQL, django_db_blocker: DjangoDbBlocker) -> None:
    nobody = f"postgres://postgres@127.0.0.1:{free_port()}/postgres"
    output = StringIO()

    with django_db_blocker.unblock(), postgresql.connected(nobody, behind.url):
        call_command("migrate", "contenttypes", plan=True, stdout=output)

    assert output.getvalue().startswith("Planned operations:\ncontenttypes.0001_initial\n")


@pytest.mark.parametrize("kind", ["pooler", "ignoring_pooler"])
@pytest.mark.parametrize("is_direct", [False, True])
def test_no_node_starts_without_the_address_of_postgresql_itself(
    request: pytest.FixtureRequest, behind: PostgreSQL, django_db_blocker: DjangoDbBlocker, kind: str, is_direct: bool
) -> None:
    running: PgBouncer = request.getfixturevalue(kind)
    url = running.url(behind.url)
    where = (behind.url, url) if is_direct else (url,)

    with (
        django_db_blocker.unblock(),
        postgresql.connected(*where),
        pytest.raises(ImproperlyConfigured) as caught,
        serve.alone_at_the_database(),
    ):
        raise AssertionError

    assert str(caught.value) == (direct.POOLER_AGAIN if is_direct else direct.UNKNOWN_POOLER)


def test_a_server_that_cannot_be_reached_is_no_pooler(
    behind: PostgreSQL, pooler: PgBouncer, django_db_blocker: DjangoDbBlocker
) -> None:
    nobody = f"postgres://postgres@127.0.0.1:{free_port()}/postgres"

    with (
        django_db_blocker.unblock(),
        postgresql.connected(pooler.url(behind.url), nobody),
        pytest.raises(OperationalError, match="Connection refused"),
        serve.alone_at_the_database(),
    ):
        raise AssertionError


def test_a_pooler_that_drops_the_options_is_found_by_a_check(
    behind: PostgreSQL, ignoring_pooler: PgBouncer, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock():
        with postgresql.connected(ignoring_pooler.url(behind.url)):
            through = ids(check_pooler(None, databases=["default"]))
        with postgresql.connected(behind.url):
            without = ids(check_pooler(None, databases=["default"]))

    assert (through, without) == (["botpenguin.E005"], [])


@pytest.mark.usefixtures("behind_pooler")
def test_a_role_without_the_timeouts_is_an_error_until_the_command_has_run(behind: PostgreSQL) -> None:
    with psycopg.connect(behind.url, autocommit=True) as owner:
        owner.execute("ALTER ROLE postgres RESET ALL")
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    connection.close()

    [problem] = check_pooler(None, databases=["default"])
    printed = set_timeouts()
    connection.close()
    afterwards = check_pooler(None, databases=["default"])
    again = set_timeouts()

    assert (problem.id, problem.hint) == ("botpenguin.E006", "Run `manage.py set_database_timeouts`.")
    assert "lock_timeout = 0, statement_timeout = 0, idle_in_transaction_session_timeout = 0." in problem.msg
    assert (printed[:3], again[:3], afterwards) == ([f"postgres: {line}" for line in SET],) * 2 + ([],)


def test_a_role_with_no_more_than_its_own_rights_sets_its_timeouts(
    behind: PostgreSQL, pooler: PgBouncer, django_db_blocker: DjangoDbBlocker
) -> None:
    with psycopg.connect(behind.url, autocommit=True) as owner:
        owner.execute("CREATE ROLE web LOGIN")
    url = pooler.url(behind.url).replace("postgres:", "web:", 2).replace("web:", "postgres:", 1)

    with django_db_blocker.unblock(), postgresql.connected(url, behind.url):
        before = ids(check_pooler(None, databases=["default"]))
        printed = set_timeouts()
        connection.close()
        after = ids(check_pooler(None, databases=["default"]))

    assert printed[:3] == [f"web: {line}" for line in SET]
    assert (before, after) == (["botpenguin.E006"], [])


def test_two_addresses_of_different_databases_are_an_error(
    behind: PostgreSQL, pooler: PgBouncer, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), postgresql.connected(pooler.url(behind.url), behind.new_database()):
        set_timeouts()
        connection.close()
        found = check_pooler(None, databases=["default"])

    assert [(message.id, message.msg) for message in found] == [
        ("botpenguin.E007", "DATABASE_URL and DATABASE_DIRECT_URL lead to different databases.")
    ]


@pytest.mark.usefixtures("behind_pooler")
def test_each_connection_keeps_its_time_zone_though_another_has_used_its_session(
    behind: PostgreSQL, pooler: PgBouncer
) -> None:
    with psycopg.connect(pooler.url(behind.url), autocommit=True, prepare_threshold=None) as another:
        found = []
        for _ in range(3):
            another.execute("SET TIME ZONE 'Asia/Tokyo'")
            found.append((ask("SHOW TimeZone"), ask("SHOW client_encoding"), ask("SHOW transaction_isolation")))

    assert found == [("UTC", "UTF8", "read committed")] * 3


@pytest.mark.release
@pytest.mark.usefixtures("behind_pooler")
def test_after_a_restart_of_the_pooler_the_next_connection_works(pooler: PgBouncer) -> None:
    before = ask("SELECT 1")
    pooler.stop()
    with pytest.raises(OperationalError), transaction.atomic():
        ask("SELECT 1")
    connection.close()
    pooler.start()

    after = ask("SELECT 1")

    assert (before, after) == (1, 1)


def test_without_a_pooler_the_command_refuses() -> None:
    with pytest.raises(CommandError, match=r"^DATABASE_DIRECT_URL is not set\. "):
        call_command("set_database_timeouts")


def test_without_a_database_the_check_says_nothing() -> None:
    assert check_pooler(None) == []
