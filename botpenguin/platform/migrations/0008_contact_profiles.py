"""A contact's names and ids on Telegram, Instagram and Facebook."""

from __future__ import annotations

from django.db import migrations, models


def text() -> models.CharField[str, str]:
    return models.CharField(blank=True, db_default="", default="", max_length=100)


class Migration(migrations.Migration):
    dependencies = [
        ("platform", "0007_fill_contact_searched"),
    ]

    operations = [
        migrations.AddField(model_name="contact", name=name, field=text())
        for name in ("telegram_user_name", "instagram_profile_id", "facebook_profile_id")
    ]
