"""A session keeps the digest of the key before, for what was under way with it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("staff", "0002_people_and_papers"),
    ]

    operations = [
        migrations.AddField("session", "old_digest", models.BinaryField(max_length=32, null=True)),
        migrations.AddField("session", "renewed_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "session",
            models.Index(
                "old_digest",
                condition=models.Q(("old_digest__isnull", False)),
                name="session_old_key",
            ),
        ),
    ]
