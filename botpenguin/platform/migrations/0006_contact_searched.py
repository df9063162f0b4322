"""A column of contacts that searches compare: name and email in one spelling."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0005_contact_usage"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="searched",
            field=models.TextField(db_default="", default="", editable=False),
        ),
    ]
