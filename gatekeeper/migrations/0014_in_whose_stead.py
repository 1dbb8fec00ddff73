"""In whose stead a deputy decided a request."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gatekeeper", "0013_more_today"),
    ]

    operations = [
        migrations.AddField(
            model_name="accessrequest",
            name="in_stead_of",
            field=models.ForeignKey(
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
