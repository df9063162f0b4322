"""The tables of webhooks."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.orm.object_ids


class Migration(migrations.Migration):
    dependencies = [
        ("outbound", "0005_deleted_apis"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=accounts.orm.object_ids.object_id,
                        editable=False,
                        max_length=24,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("bot_id", models.CharField(max_length=24)),
                ("event", models.CharField(choices=[("newLeadHook", "New contact")], max_length=20)),
                ("host", models.CharField(max_length=260)),
                ("beginning", models.CharField(max_length=280)),
                ("sealed", models.TextField()),
                ("key_id", models.CharField(max_length=8)),
                ("generation", models.PositiveIntegerField()),
                ("ip", models.GenericIPAddressField(null=True)),
                ("client", models.CharField(blank=True, max_length=200)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("next_at", models.DateTimeField(null=True)),
                ("leased_until", models.DateTimeField(null=True)),
                ("delivered", models.PositiveBigIntegerField(default=0)),
                ("last_delivered_at", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("given_up", models.PositiveBigIntegerField(default=0)),
                ("dropped", models.PositiveBigIntegerField(default=0)),
                ("stopped_at", models.DateTimeField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-made_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=accounts.orm.object_ids.object_id,
                        editable=False,
                        max_length=24,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("contact_id", models.CharField(max_length=24)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                (
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="outbound.subscription",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QueuedEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bot_id", models.CharField(max_length=24)),
                ("event", models.CharField(max_length=20)),
                ("contacts", models.JSONField()),
                ("waiting", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="queued_events",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="outbound_queuedevent_oldest")],
            },
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("next_at__isnull", False)), fields=["next_at"], name="outbound_subscription_due"
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("stopped_at__isnull", False)),
                fields=["stopped_at"],
                name="outbound_subscription_stopped",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("event__in", ["newLeadHook"])), name="outbound_subscription_event_is_known"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["subscription", "due_at", "id"], name="outbound_delivery_next"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["created_at"], name="outbound_delivery_oldest"),
        ),
    ]
