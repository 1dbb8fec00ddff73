"""What a feed holds can be doubted; a ticket keeps its assignee as the helpdesk wrote it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gatekeeper", "0007_limits")]

    operations = [
        migrations.AddField("ticket", "sent_assignee", models.CharField(blank=True, db_default="", max_length=254)),
        migrations.AlterField("feed", "heard_at", models.DateTimeField(null=True)),
        migrations.AddField("feed", "settled_at", models.DateTimeField(null=True)),
        migrations.AddField("feed", "doubted_at", models.DateTimeField(null=True)),
        migrations.AddField("feed", "doubted_last_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "feed",
            "doubt",
            models.CharField(
                blank=True,
                choices=[
                    ("unreadable", "An authentic message could not be read, nor what it is about."),
                    ("digest", "The helpdesk's heartbeat tells of other open tickets than are held here."),
                ],
                db_default="",
                max_length=12,
            ),
        ),
    ]
