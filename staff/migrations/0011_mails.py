"""Notices wait in a table until the mail server has taken them."""

import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("staff", "0010_address_changer"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("template", models.CharField(max_length=60)),
                ("facts", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ("put_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="staff.member"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index("next_at", name="mail_due")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(template__regex="^(staff|gatekeeper)/mail/[a-z_]+\\.txt$"),
                        name="mail_is_a_notice",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("facts__regex", "[@/]"), _negated=True), name="mail_holds_no_address"
                    ),
                ],
            },
        ),
    ]
