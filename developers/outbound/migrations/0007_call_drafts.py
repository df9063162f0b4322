"""Drafts of the call editor."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("outbound", "0006_log_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CallDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(max_length=24)),
                ("sealed", models.TextField(blank=True)),
                ("key_id", models.CharField(blank=True, max_length=8)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "api",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drafts",
                        to="outbound.outboundapi",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="call_drafts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["updated_at"], name="outbound_calldraft_oldest"),
                    models.Index(
                        fields=["ended_at"],
                        condition=models.Q(("ended_at__isnull", False)),
                        name="outbound_calldraft_ended",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=["owner", "public_id"], name="outbound_calldraft_id_once_an_owner")
                ],
            },
        ),
    ]
