"""The limits lie in the lowest room that reads them; their table comes from gatekeeper (its 0017)."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("audit", "0010_schema"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Limit",
                    fields=[
                        ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ("value", models.CharField(max_length=200)),
                    ],
                    options={"default_permissions": ()},
                ),
            ],
        ),
    ]
