"""Salts for every entry, and the tables of the tree, which the sealer fills."""

import audit.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_entry_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('era', models.IntegerField()),
                ('horizon', audit.models.TransactionId()),
                ('ceiling', audit.models.TransactionId()),
                ('drawn', models.BigIntegerField()),
                ('sealed_at', models.DateTimeField()),
                ('note', models.TextField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Copy',
            fields=[
                ('anchor', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('size', models.BigIntegerField(default=0)),
                ('copied_at', models.DateTimeField(null=True)),
                ('failed_at', models.DateTimeField(null=True)),
                ('failure', models.CharField(default='', max_length=200)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Era',
            fields=[
                ('number', models.IntegerField(primary_key=True, serialize=False)),
                ('system', models.BigIntegerField()),
                ('origin', models.CharField(max_length=100)),
                ('began_at', models.DateTimeField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Leaf',
            fields=[
                ('place', models.BigIntegerField(primary_key=True, serialize=False)),
                ('entry', models.BigIntegerField(unique=True)),
                ('number', models.BigIntegerField()),
                ('hash', models.BinaryField()),
                ('tag', models.BinaryField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Node',
            fields=[
                ('pk', models.CompositePrimaryKey('level', 'place', blank=True, editable=False, primary_key=True, serialize=False)),
                ('level', models.SmallIntegerField()),
                ('place', models.BigIntegerField()),
                ('hash', models.BinaryField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('account', models.CharField(max_length=13, primary_key=True, serialize=False)),
                ('key', models.BinaryField()),
                ('entries', models.BigIntegerField(default=0)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='entry_member',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='entry_account',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='entry_ticket',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='entry_event',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='entry_reason',
        ),
        migrations.AddField(
            model_name='entry',
            name='salts',
            field=models.BinaryField(null=True),
        ),
        # Entries that are here already get salts too: a leaf without could be guessed. The triggers come back
        # as the .sql files have them.
        migrations.RunSQL(
            """
            ALTER TABLE audit_entry DISABLE TRIGGER USER;
            UPDATE audit_entry SET salts = sha256(
                uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
            ALTER TABLE audit_entry ENABLE TRIGGER USER;
            """,
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('member'), models.F('id'), name='entry_member'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('account'), models.F('id'), condition=models.Q(('account', ''), _negated=True), name='entry_account'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('ticket'), models.F('id'), condition=models.Q(('ticket', ''), _negated=True), name='entry_ticket'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('event'), models.F('id'), name='entry_event'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('reason'), models.F('id'), condition=models.Q(('reason', ''), _negated=True), name='entry_reason'),
        ),
        migrations.AddIndex(
            model_name='checkpoint',
            index=models.Index(models.F('sealed_at'), name='checkpoint_time'),
        ),
    ]
