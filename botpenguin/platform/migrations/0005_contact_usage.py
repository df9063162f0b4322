"""Keep for each account how many contacts it has and how many bytes they take."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Count, F, Sum, Value

from botpenguin.platform.sizes import Octets

# The columns and the overhead in bytes as they are at this migration: later ones may change both.
TEXTS = ("name", "email", "phone", "phone_prefix", "country", "attributes", "notes")
ROW = sum((Octets(F(name)) for name in TEXTS), Value(700))
TAG_ROW = Octets(F("name")) + Value(250)


def count_all(apps: Any, schema_editor: Any) -> None:
    contacts, tags, usages = (
        apps.get_model("platform", name).objects.using(schema_editor.connection.alias)
        for name in ("Contact", "ContactTag", "ContactUsage")
    )
    of_tags = dict(tags.values_list("contact__owner").annotate(size=Sum(TAG_ROW)))
    of_contacts = contacts.values_list("owner").annotate(count=Count("pk"), size=Sum(ROW))
    usages.bulk_create(
        usages.model(owner_id=owner, contacts=count, size=size + of_tags.get(owner, 0))
        for owner, count, size in of_contacts
    )


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0004_deleted_bots"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactUsage",
            fields=[
                (
                    "owner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="contact_usage",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("contacts", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
            ],
        ),
        migrations.RunPython(count_all, migrations.RunPython.noop, elidable=True),
    ]
