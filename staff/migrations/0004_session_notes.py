"""What pages note for a session leaves its row, whose keys and memory are the database's alone from now on."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("staff", "0003_renewed_sessions"),
    ]

    operations = [
        migrations.CreateModel(
            name="SessionNotes",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="notes",
                        serialize=False,
                        to="staff.session",
                    ),
                ),
                ("data", models.JSONField(default=dict)),
            ],
            options={"default_permissions": ()},
        ),
        # The columns stay; the model leaves them out.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("session", "session_old_key"),
                migrations.RemoveField("session", "digest"),
                migrations.RemoveField("session", "old_digest"),
                migrations.RemoveField("session", "renewed_at"),
                migrations.RemoveField("session", "data"),
            ]
        ),
    ]
