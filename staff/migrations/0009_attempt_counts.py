"""Counts of attempts in a table of our own; those of django-axes go, with all that it left in Django's tables.

Going back brings its tables back empty: it is not recorded as migrated any more, so the earlier release's
`migrate` makes them anew. What they held counted for an hour at most.
"""

from django.db import migrations, models

AXES_GOES = """
    DROP TABLE IF EXISTS axes_accessattemptexpiration, axes_accessattempt, axes_accessfailurelog, axes_accesslog;
    DELETE FROM auth_permission p USING django_content_type t WHERE t.id = p.content_type_id AND t.app_label = 'axes';
    DELETE FROM django_content_type WHERE app_label = 'axes';
    DELETE FROM django_migrations WHERE app = 'axes';
"""


class Migration(migrations.Migration):

    dependencies = [
        ("staff", "0008_password_mark"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="AttemptCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("about", models.CharField(max_length=64)),
                ("remote_addr", models.GenericIPAddressField(null=True)),
                ("quarter", models.PositiveIntegerField()),
                ("attempts", models.PositiveIntegerField()),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index("remote_addr", name="attempts_from_address")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("about", "remote_addr", "quarter"), name="attempts_one_row", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.RunSQL(AXES_GOES, reverse_sql=migrations.RunSQL.noop),
    ]
