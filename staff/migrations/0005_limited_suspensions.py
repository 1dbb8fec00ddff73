"""A suspension by one person may hold for some hours only."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("staff", "0004_session_notes"),
    ]

    operations = [
        migrations.AddField(
            "member", "suspended_until", models.DateTimeField("suspended until", null=True, blank=True)
        ),
        migrations.AddConstraint(
            "member",
            models.CheckConstraint(
                name="member_suspended_since",
                condition=models.Q(suspended_until__isnull=True) | models.Q(suspended_at__isnull=False),
            ),
        ),
    ]
