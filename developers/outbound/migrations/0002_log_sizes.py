"""Count the bytes of logs. Those of before are kept as they are, and are gone in ten days."""

from django.conf import settings
from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    dependencies = [
        ("outbound", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(model_name="apilog", name="outbound_apilog_latest"),
        migrations.AddField(
            model_name="apilog", name="size", field=models.PositiveIntegerField(db_default=0, default=0)
        ),
        migrations.AddIndex(
            model_name="apilog",
            index=models.Index(
                F("owner"), F("sent_at").desc(), F("id").desc(), F("size"), name="outbound_apilog_sizes"
            ),
        ),
    ]
