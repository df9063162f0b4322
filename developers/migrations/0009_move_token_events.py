"""Move the events of tokens into the security log, and back.

One transaction adds a batch there and deletes it here. Run again after an interruption, it goes on with what is left.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.orm.bulk import bulk_writes

# Whoever waits for SQLite's lock waits for one of them, some 20 ms.
BATCH = 1_000
# Counts of both were in one table already. A log-in by password has the detail `password` as well.
COUNTS = """
UPDATE accounts_eventcount SET kind = 'token-' || kind,
    detail = CASE WHEN detail = 'password' THEN 'new-password' ELSE detail END
WHERE kind IN ('issued', 'shown', 'copied', 'tried', 'revoked', 'refused')
"""
COUNTS_BACK = """
UPDATE accounts_eventcount SET kind = substr(kind, 7),
    detail = CASE WHEN detail = 'new-password' THEN 'password' ELSE detail END
WHERE kind LIKE 'token-%'
"""
NEXT = "SELECT max(id) FROM (SELECT id FROM developers_tokenevent WHERE id > %s ORDER BY id LIMIT %s) batch"
MOVE = (
    """
    INSERT INTO accounts_securityevent (user_id, kind, detail, hint, generation, at, ip, client)
    SELECT user_id, 'token-' || kind, CASE WHEN note = 'password' THEN 'new-password' ELSE note END, hint, generation,
        at, ip, client
    FROM developers_tokenevent WHERE id <= %s ORDER BY id
    """,
    "DELETE FROM developers_tokenevent WHERE id <= %s",
)
NEXT_BACK = """
SELECT max(id) FROM (
    SELECT id FROM accounts_securityevent WHERE id > %s AND generation IS NOT NULL ORDER BY id LIMIT %s
) batch
"""
MOVE_BACK = (
    """
    INSERT INTO developers_tokenevent (user_id, kind, note, hint, generation, at, ip, client)
    SELECT user_id, substr(kind, 7), CASE WHEN detail = 'new-password' THEN 'password' ELSE detail END, hint,
        generation, at, ip, client
    FROM accounts_securityevent WHERE id <= %s AND generation IS NOT NULL ORDER BY id
    """,
    "DELETE FROM accounts_securityevent WHERE id <= %s AND generation IS NOT NULL",
)


def move(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _run(schema_editor, COUNTS, NEXT, MOVE)


def move_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _run(schema_editor, COUNTS_BACK, NEXT_BACK, MOVE_BACK)


def _run(schema_editor: BaseDatabaseSchemaEditor, counts: str, following: str, statements: tuple[str, ...]) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(counts)
        last = 0
        while True:
            cursor.execute(following, [last, BATCH])
            [last] = cursor.fetchone()
            if last is None:
                return
            with bulk_writes(schema_editor.connection.alias):
                for statement in statements:
                    cursor.execute(statement, [last])


class Migration(migrations.Migration):
    # A transaction for each batch.
    atomic = False

    dependencies = [
        ("accounts", "0013_events_of_tokens"),
        ("developers", "0008_bind_tokens"),
    ]

    operations = [
        migrations.RunPython(move, move_back, elidable=True),
    ]
