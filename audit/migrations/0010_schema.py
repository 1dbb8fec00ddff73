"""A schema for the functions of this room; tables stay where Django puts them."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("audit", "0009_recover"),
    ]

    operations = [
        migrations.RunSQL("CREATE SCHEMA audit", reverse_sql="DROP SCHEMA audit CASCADE"),
    ]
