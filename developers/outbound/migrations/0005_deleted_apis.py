"""Deleted APIs stay for some minutes, and their names are free. Logs are filtered by API and status in an index."""

from typing import Any

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Lower


def forget(apps: Any, schema_editor: Any) -> None:
    """Delete the rows of deleted APIs: to earlier versions they are APIs in use."""
    using = schema_editor.connection.alias
    deleted = apps.get_model("outbound", "OutboundApi")._base_manager.using(using).exclude(deleted_at=None)
    apps.get_model("outbound", "ApiLog")._base_manager.using(using).filter(api__in=deleted).update(api=None)
    deleted.delete()
    # PostgreSQL alters no table while a deferred constraint waits for its check.
    schema_editor.connection.check_constraints()


class Migration(migrations.Migration):
    dependencies = [
        ("outbound", "0007_call_drafts"),
    ]

    operations = [
        migrations.AddField(
            model_name="outboundapi",
            name="deleted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RemoveConstraint(model_name="outboundapi", name="outbound_outboundapi_name_once_an_owner"),
        migrations.AddConstraint(
            model_name="outboundapi",
            constraint=models.UniqueConstraint(
                F("owner"),
                Lower("name"),
                condition=Q(deleted_at=None),
                name="outbound_outboundapi_name_once_an_owner",
                violation_error_message="There is an API of this name already.",
            ),
        ),
        migrations.AddIndex(
            model_name="outboundapi",
            index=models.Index(
                F("owner"), F("deleted_at"), condition=Q(deleted_at__isnull=False), name="outbound_api_deleted"
            ),
        ),
        migrations.RemoveIndex(model_name="apilog", name="outbound_apilog_sizes"),
        migrations.AddIndex(
            model_name="apilog",
            index=models.Index(
                F("owner"),
                F("sent_at").desc(),
                F("id").desc(),
                F("size"),
                F("api"),
                F("status"),
                name="outbound_apilog_listed",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget, elidable=True),
    ]
