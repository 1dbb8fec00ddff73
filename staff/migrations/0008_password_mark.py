"""What sessions remember of a password, for those who may not read its hash."""

from django.db import migrations, models
from django.db.models import F, Func, Value


class Migration(migrations.Migration):

    dependencies = [
        ("staff", "0007_recoveries"),
    ]

    operations = [
        migrations.AddField(
            model_name="member",
            name="password_mark",
            field=models.GeneratedField(
                db_persist=True,
                expression=Func(F("password"), Value(0), function="hashtextextended"),
                output_field=models.BigIntegerField(),
            ),
        ),
    ]
