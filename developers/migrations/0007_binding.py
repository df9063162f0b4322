from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("developers", "0006_restored_reason"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="binding",
            field=models.BinaryField(max_length=32, null=True),
        ),
    ]
