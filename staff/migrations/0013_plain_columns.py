"""Columns of plain names: when a proposal expires, and the encrypted key of a second factor."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("staff", "0012_schema"),
    ]

    operations = [
        migrations.RenameField(model_name="proposal", old_name="lapses_at", new_name="expires_at"),
        migrations.RenameField(model_name="totpdevice", old_name="sealed_key", new_name="encrypted_key"),
        migrations.AlterField(
            model_name="proposal",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "waits"),
                    ("confirmed", "confirmed"),
                    ("declined", "declined"),
                    ("withdrawn", "withdrawn"),
                    ("lapsed", "expired"),
                ],
                default="pending",
                max_length=9,
            ),
        ),
    ]
