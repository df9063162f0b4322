"""Bind the tokens of before to their rows.

Only where the ciphertext opens as that owner's and generation's: a row that somebody had moved must not become good.
"""

from itertools import chain
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.keyring import Unreadable
from developers import vault

# Whoever waits for SQLite's lock waits for one of them, some 20 ms.
BATCH = 500


def bind(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Fill the column in batches. Run again after an interruption, it goes on with what is left."""
    connection = schema_editor.connection
    token = apps.get_model("developers", "ApiToken")
    unbound = token.objects.using(connection.alias).filter(binding=None).order_by("pk")
    # A revoke of this moment has changed generation and digest, and its row is bound.
    update = (
        f"UPDATE {token._meta.db_table} SET binding = %s"  # noqa: S608 - a name of ours
        " WHERE user_id = %s AND generation = %s AND digest = %s AND binding IS NULL"
    )
    last = 0
    while rows := list(unbound.filter(pk__gt=last)[:BATCH]):
        bound = list(chain.from_iterable(map(_bound, rows)))
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.executemany(update, bound)
        last = rows[-1].pk


def _bound(row: Any) -> list[tuple[bytes, int, int, bytes]]:
    digest = bytes(row.digest)
    try:
        binding = vault.binding(
            row.user_id, row.generation, vault.Sealed(digest, row.ciphertext, row.key_id, binding=None)
        )
    except Unreadable:
        return []
    return [(binding, row.user_id, row.generation, digest)]


class Migration(migrations.Migration):
    # A transaction for each batch.
    atomic = False

    dependencies = [
        ("developers", "0007_binding"),
    ]

    operations = [
        migrations.RunPython(bind, migrations.RunPython.noop, elidable=True),
    ]
