from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_sign_ups"),
    ]

    operations = [
        migrations.CreateModel(
            name="CachedValue",
            fields=[
                ("key", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("value", models.TextField()),
                ("ends_at", models.BigIntegerField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                ("ends_at", models.BigIntegerField(db_index=True)),
            ],
        ),
        # Django's own cache, which held pickles.
        migrations.RunSQL("DROP TABLE IF EXISTS shared_cache", migrations.RunSQL.noop),
    ]
