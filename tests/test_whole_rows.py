"""The guard against writing whole rows fails a test, whichever code sends the statement."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.orm.prepared import insertion
from botpenguin.platform.models import Bot
from tests.server import ROOT
from tests.whole_rows import fault_in


def run_as(file: str, code: str, **names: Any) -> None:
    """Run code that appears to be in a file of the project."""
    exec(compile(code, f"{ROOT}/{file}", "exec"), names)  # noqa: S102 - code of this file


@pytest.fixture
def bot(alice: User) -> Bot:
    return Bot.objects.create(owner=alice, name="Reception", platform="website")


@pytest.mark.parametrize(
    "file", ["accounts/views/account.py", "developers/issuance.py", "botpenguin/platform/forms.py"]
)
@pytest.mark.parametrize(
    "code",
    [
        "bot.save()",
        "bot.save(force_update=True)",
        "bot.save_base(force_update=True)",
        "type(bot).objects.bulk_update([bot], ['owner', 'name', 'platform', 'created_at', 'updated_at', 'is_deleted'])",
        "type(bot).every.bulk_update([bot], ['owner', 'name', 'platform', 'created_at', 'updated_at', 'is_deleted'])",
        "type(bot).every.bulk_create([bot], update_conflicts=True, unique_fields=['id'], update_fields=['owner',"
        " 'name', 'platform', 'created_at', 'updated_at', 'is_deleted'])",
        # Without quotes, as somebody may write SQL.
        "connection.cursor().execute('UPDATE platform_bot SET owner_id = 1, name = %s, platform = %s, created_at = %s,"
        " updated_at = %s, is_deleted = %s WHERE id = %s', ['Reception', 'sms', bot.created_at, None, False, bot.pk])",
    ],
)
def test_a_whole_row_is_not_updated_by_the_product(bot: Bot, file: str, code: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=f"{file} updates a whole row"):
        run_as(file, code, bot=bot, connection=connection)


def test_a_row_with_an_id_of_before_is_not_inserted_by_the_product(alice: User) -> None:
    alice.emailaddress_set.all().delete()
    code = "user.emailaddress_set.create(pk=1, email='alice@example.com')"

    with pytest.raises(pytest.fail.Exception, match="inserts a row with an id of before"):
        run_as("accounts/views/account.py", code, user=alice)


@pytest.mark.parametrize(
    "code",
    [
        "bot.save(force_insert=True)",
        "type(bot).every.bulk_create([bot])",
        "type(bot).every.bulk_create([type(bot)(owner=bot.owner, name='New', platform='sms'), bot])",
        "insertion(type(bot), [type(bot)(owner=bot.owner, name='New', platform='sms'), bot]).run()",
    ],
)
def test_a_row_with_a_random_id_of_before_is_not_inserted_by_the_product(bot: Bot, code: str) -> None:
    Bot.objects.filter(pk=bot.pk).delete()

    with pytest.raises(pytest.fail.Exception, match="inserts a row with an id of before"):
        run_as("botpenguin/platform/forms.py", code, bot=bot, insertion=insertion)


def test_some_columns_and_new_rows_may_be_written(bot: Bot) -> None:
    code = (
        "bot.save(update_fields=['name']); type(bot).objects.create(owner=bot.owner, name='New', platform='sms');"
        "type(bot).objects.bulk_create([type(bot)(owner=bot.owner, name='New', platform='sms') for _ in range(2)])"
    )

    run_as("accounts/views/account.py", code, bot=bot)

    assert Bot.objects.count() == 4


def test_tests_may_arrange_rows_as_they_like(bot: Bot) -> None:
    bot.name = "Night shift"

    with CaptureQueriesContext(connection) as queries:
        bot.save()

    assert fault_in(queries[0]["sql"]) == "updates a whole row"
