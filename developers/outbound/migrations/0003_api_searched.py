"""A column of APIs that searches compare: name and URL in one spelling."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("outbound", "0002_log_sizes"),
    ]

    operations = [
        migrations.AddField(
            model_name="outboundapi",
            name="searched",
            field=models.TextField(db_default="", default="", editable=False),
        ),
    ]
