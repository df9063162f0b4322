"""The guard against long transactions fails a test, whichever code writes."""

import pytest
from django.db import transaction

from accounts.models import User
from botpenguin.platform.models import Bot
from tests import short_transactions
from tests.short_transactions import WRITE, Bound, locks_a_table, rows_of
from tests.test_whole_rows import run_as

HASH = "from accounts import passwords; passwords.check('a password', passwords.NO_PASSWORD)"
CONNECT = "from developers.outbound.transport import addresses as a; a.resolve('192.0.2.1', 80, seconds=1, owner_id=1)"
BOTS = "bots = [Bot(owner=owner, name='Reception', platform='sms') for _ in range(count)]\n"


@pytest.fixture(autouse=True)
def small_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_transactions, "MOST", Bound(rows=20, statements=4))


def run(code: str, owner: User, count: int, file: str = "botpenguin/platform/forms.py") -> None:
    run_as(file, "from django.db import connection, transaction\n" + BOTS + code, Bot=Bot, owner=owner, count=count)


@pytest.mark.parametrize(
    "code",
    [
        "Bot.objects.bulk_create(bots)",
        "with transaction.atomic():\n Bot.objects.bulk_create(bots[:15])\n Bot.objects.bulk_create(bots[15:])",
        "with transaction.atomic():\n for part in (bots[:15], bots[15:]):\n"
        "  with transaction.atomic():\n   Bot.objects.bulk_create(part)",
    ],
)
@pytest.mark.parametrize(
    "file", ["accounts/views/account.py", "botpenguin/operations/housekeeping.py", "botpenguin/platform/forms.py"]
)
def test_too_many_rows_in_one_transaction_are_refused(alice: User, code: str, file: str) -> None:
    run(code, alice, 20, file)

    with pytest.raises(pytest.fail.Exception, match=f"{file} writes 21 rows"):
        run(code, alice, 21, file)


@pytest.mark.parametrize("code", ["Bot.objects.update(name='New')", "Bot.objects.all().delete()"])
def test_too_many_rows_of_one_statement_are_refused(alice: User, code: str) -> None:
    for _ in range(21):
        Bot.objects.create(owner=alice, name="Reception", platform="sms")

    with pytest.raises(pytest.fail.Exception, match=r"writes 21 rows by [12] statements"):
        run(code, alice, 0)


def test_too_many_rows_of_many_parameters_are_refused(alice: User) -> None:
    code = "with connection.cursor() as c:\n c.executemany('UPDATE platform_bot SET name = %s WHERE id = %s', rows)"
    bots = [Bot.objects.create(owner=alice, name="Reception", platform="sms") for _ in range(21)]

    with pytest.raises(pytest.fail.Exception, match="writes 21 rows by 1 statements"):
        run(f"rows = {[('New', bot.pk) for bot in bots]}\n{code}", alice, 0)


def test_too_many_statements_in_one_transaction_are_refused(alice: User) -> None:
    code = "with transaction.atomic():\n for bot in bots: bot.save(force_insert=True)"

    run(code, alice, 4)

    with pytest.raises(pytest.fail.Exception, match="writes 5 rows by 5 statements"):
        run(code, alice, 5)


@pytest.mark.parametrize(
    "code",
    ["for bot in bots: bot.save(force_insert=True)", "for bot in bots:\n with transaction.atomic(): bot.save()"],
)
def test_many_short_transactions_are_taken(alice: User, code: str) -> None:
    run(code, alice, 25)

    assert Bot.objects.count() == 25


def test_each_call_of_a_function_that_is_a_transaction_counts_for_itself(alice: User) -> None:
    code = "@transaction.atomic\ndef act():\n for bot in bots: bot.save(force_insert=True)\n"
    again = "act()\nfor bot in bots: bot.pk = bot.pk[::-1]\nact()"

    run(code + again, alice, 4)

    assert Bot.objects.count() == 8


def test_a_transaction_of_a_test_around_those_of_the_product_is_left_out(alice: User) -> None:
    with transaction.atomic():
        for _ in range(3):
            run("with transaction.atomic(): Bot.objects.bulk_create(bots)", alice, 20)

    assert Bot.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_committed_is_counted_as_one_in_a_test(alice: User) -> None:
    code = "with transaction.atomic():\n for bot in bots: bot.save(force_insert=True)"

    run(code, alice, 4)

    with pytest.raises(pytest.fail.Exception, match="writes 5 rows"):
        run(code, alice, 5)


@pytest.mark.parametrize("code", [HASH, CONNECT])
def test_nothing_slow_is_done_inside_of_a_transaction(db: None, code: str) -> None:
    inside = f"from django.db import transaction\nwith transaction.atomic():\n {code}"

    with pytest.raises(pytest.fail.Exception, match=r"inside of a transaction by .*accounts/views/account.py"):
        run_as("accounts/views/account.py", inside)


def test_a_password_is_hashed_outside_of_transactions(db: None) -> None:
    run_as("accounts/views/account.py", HASH)


@pytest.mark.parametrize("file", ["tests/test_short_transactions.py", "botpenguin/platform/migrations/0009_x.py"])
def test_tests_and_migrations_may_write_more(alice: User, file: str) -> None:
    run("with transaction.atomic(): Bot.objects.bulk_create(bots)", alice, 21, file)

    assert Bot.objects.count() == 21


def test_a_named_file_has_a_bound_of_its_own(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_transactions, "EXCEPTIONS", {"accounts/views/account.py": Bound(rows=30, statements=4)})

    run("Bot.objects.bulk_create(bots)", alice, 30, "accounts/views/account.py")

    with pytest.raises(pytest.fail.Exception, match="writes 31 rows"):
        run("Bot.objects.bulk_create(bots)", alice, 31, "accounts/views/account.py")


@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        ('INSERT INTO "a" ("b") SELECT 1', True),
        ("insert or replace into a values (1)", True),
        ("WITH x AS (SELECT 1) UPDATE a SET b = 2", True),
        ("WITH gone AS (DELETE FROM a RETURNING *) SELECT count(*) FROM gone", True),
        ("WITH x AS (SELECT 1) SELECT * FROM x", False),
        ("SELECT 'INSERT' FROM a FOR UPDATE", False),
        ("SAVEPOINT s", False),
    ],
)
def test_writes_are_known_by_their_statement(sql: str, writes: bool) -> None:
    assert bool(WRITE.match(sql)) is writes


@pytest.mark.parametrize(
    ("sql", "locks"),
    [
        ('SELECT "a"."b" FROM "a" FOR UPDATE', True),
        ('SELECT "a"."b" FROM "a" ORDER BY "a"."b" LIMIT 3 FOR NO KEY UPDATE', True),
        ('SELECT "a"."b" FROM "a" WHERE "a"."c" = %s FOR UPDATE', False),
        ('SELECT "a"."b" FROM "a"', False),
    ],
)
def test_a_lock_of_a_whole_table_is_known_by_its_statement(sql: str, locks: bool) -> None:
    assert locks_a_table(sql) is locks


def test_rows_that_a_statement_returns_are_counted_before_they_are_fetched() -> None:
    returning = 'INSERT INTO "a" ("b", "c") VALUES (%s, %s), (%s, %s) RETURNING "id"'

    assert rows_of(returning, [1, 2, 3, 4], -1, many=False) == 2
    assert rows_of("DELETE FROM a", None, 7, many=False) == 7
