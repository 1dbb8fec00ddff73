"""A schema for the functions of this room; tables stay where Django puts them."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("staff", "0011_mails"),
    ]

    operations = [
        migrations.RunSQL("CREATE SCHEMA staff", reverse_sql="DROP SCHEMA staff CASCADE"),
    ]
