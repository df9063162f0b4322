"""Bound how many bytes a contact takes. Larger ones of before are marked, and kept."""

import json
from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from botpenguin.platform.sizes import MOST_BYTES, Octets, Utf8Encoder

# PostgreSQL keeps letters, however they were written.
HOLD_ESCAPES = {"sqlite": ("attributes", "notes")}


def write_letters(apps: Any, schema_editor: Any) -> None:
    """Replace the escapes of release 0.1.0 by the letters themselves.

    The bytes of an account are counted in the database, and those of a contact that changes by its letters.
    """
    connection = schema_editor.connection
    for column in HOLD_ESCAPES.get(connection.vendor, ()):
        # One statement for all contacts takes a tenth of the time of one for each.
        connection.connection.create_function("with_letters", 1, with_letters)
        update = f"UPDATE platform_contact SET {column} = with_letters({column})"  # noqa: S608 - a name of ours
        schema_editor.execute(f"{update} WHERE instr({column}, '\\u')")


def with_letters(text: str) -> str:
    return json.dumps(json.loads(text), cls=Utf8Encoder)


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
        migrations.RunPython(write_letters, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(mark_large, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=Q(is_large=True) | Q(attributes__octets__lte=MOST_BYTES - F("notes__octets")),
                name="platform_contact_is_not_too_large",
            ),
        ),
    ]
