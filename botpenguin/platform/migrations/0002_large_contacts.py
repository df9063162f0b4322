"""Bound how many bytes a contact takes. Larger ones of before are marked, and kept."""

from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from botpenguin.platform.sizes import MOST_BYTES, Octets, Utf8Encoder


def mark_large(apps: Any, schema_editor: Any) -> None:
    contacts = apps.get_model("platform", "Contact").objects.using(schema_editor.connection.alias)
    size = Octets("attributes") + Octets("notes")
    contacts.annotate(size=size).filter(size__gt=MOST_BYTES).update(is_large=True)


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="is_large",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        # An encoder is none of the database's, and SQLite would copy the table for each.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="contact", name="attributes", field=models.JSONField(default=dict, encoder=Utf8Encoder)
                ),
                migrations.AlterField(
                    model_name="contact", name="notes", field=models.JSONField(default=list, encoder=Utf8Encoder)
                ),
            ]
        ),
        migrations.RunPython(mark_large, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=Q(is_large=True) | Q(attributes__octets__lte=MOST_BYTES - F("notes__octets")),
                name="platform_contact_is_not_too_large",
            ),
        ),
    ]
