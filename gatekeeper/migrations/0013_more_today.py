"""Asking for more than a day's budget, and how often in a day."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):

    dependencies = [
        ('gatekeeper', '0012_feed_contact'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MoreToday',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('asked_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('approved', 'Approved'), ('denied', 'Rejected'), ('withdrawn', 'Withdrawn')], max_length=9)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-id',),
                'default_permissions': (),
                'indexes': [models.Index('day', 'member', name='more_of_a_day')],
                'constraints': [
                    models.CheckConstraint(condition=Q(decided_by__isnull=True) | ~Q(decided_by=F('member')) | Q(state='withdrawn'), name='more_not_decided_by_requester'),
                    models.UniqueConstraint(condition=Q(state='pending'), fields=('member', 'day'), name='more_one_pending'),
                ],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE vault.limits ADD more_per_day integer",
            reverse_sql="ALTER TABLE vault.limits DROP more_per_day",
        ),
    ]
