"""Who changed a member's address, and when: they make no link for it by themselves."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0009_attempt_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="member",
            name="email_changed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="email_changed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
