from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outbound", "0004_fill_api_searched")]

    operations = [
        migrations.AddField(model_name="apilog", name="hops", field=models.JSONField(null=True)),
        migrations.AddField(model_name="apilog", name="notes", field=models.JSONField(default=list)),
    ]
