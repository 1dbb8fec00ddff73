"""Columns of plain names: when something was requested, when it expires, and the last contact with a feed."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ("gatekeeper", "0017_limits_below"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="accessrequest", name="request_waiting"),
        migrations.RenameField(model_name="accessrequest", old_name="asked_at", new_name="requested_at"),
        migrations.RenameField(model_name="accessrequest", old_name="lapses_at", new_name="expires_at"),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index("state", "expires_at", name="request_waiting", condition=Q(state="pending")),
        ),
        migrations.RenameField(model_name="feed", old_name="heard_at", new_name="contact_at"),
        migrations.RenameField(model_name="moretoday", old_name="asked_at", new_name="requested_at"),
        migrations.AlterField(
            model_name="accessrequest",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("approved", "Approved"),
                    ("denied", "Rejected"),
                    ("withdrawn", "Withdrawn"),
                    ("lapsed", "Expired"),
                ],
                default="pending",
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="feed",
            name="doubt",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unreadable", "An authentic message could not be read, nor what it is about."),
                    ("digest", "The helpdesk's heartbeat names other open tickets than those stored here."),
                ],
                db_default="",
                max_length=12,
            ),
        ),
    ]
