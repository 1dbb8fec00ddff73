"""The budget of a member and day, over all grants, and its limits with their types."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gatekeeper', '0010_longer_limits'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DailyBudget',
            fields=[
                ('pk', models.CompositePrimaryKey('member', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('accounts', models.IntegerField()),
                ('fields', models.IntegerField()),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='DailyAccount',
            fields=[
                ('pk', models.CompositePrimaryKey('member', 'day', 'account', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('fields', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None)),
                ('participants_shown', models.IntegerField()),
                ('misses', models.IntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gatekeeper.account')),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE vault.limits ADD accounts_per_day integer, ADD fields_per_day integer",
            reverse_sql="ALTER TABLE vault.limits DROP accounts_per_day, DROP fields_per_day",
        ),
    ]
