"""Write what searches compare of the APIs of before. An interrupted run goes on."""

from typing import Any

from django.db import migrations

from accounts.orm.bulk import bulk_writes
from accounts.orm.searched import joined

# APIs of one transaction.
BATCH = 200


def fill(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    # Every API has a name.
    empty = apps.get_model("outbound", "OutboundApi").objects.using(using).filter(searched="")
    while batch := list(empty.only("name", "url")[:BATCH]):
        for api in batch:
            api.searched = joined((api.name, api.url))
        with bulk_writes(using):
            empty.bulk_update(batch, ["searched"])


class Migration(migrations.Migration):
    # Each batch is a transaction.
    atomic = False

    dependencies = [
        ("outbound", "0003_api_searched"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
