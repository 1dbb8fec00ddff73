"""The horizon that a run will reach has a plain name, and so has the event of an access that is opened."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("audit", "0011_limits"),
    ]

    operations = [
        migrations.RenameField(model_name="round", old_name="ahead", new_name="next_horizon"),
        migrations.AlterField(
            model_name='entry',
            name='event',
            field=models.CharField(choices=[('sign_in', 'signed in'), ('sign_in_failed', 'sign-in failed'), ('sign_out', 'signed out'), ('request', 'request'), ('withdraw', 'withdrawal'), ('approve', 'approval'), ('deny', 'denial'), ('start', 'access opened'), ('view', 'view'), ('search', 'search'), ('end', 'end'), ('revoke', 'revocation'), ('sign', 'signature'), ('review', 'review'), ('report', 'report'), ('export', 'export'), ('import', 'import'), ('change', 'change'), ('recover', 'officers brought back'), ('erase', 'erasure'), ('seal', 'seal')], default='change', max_length=14),
        ),
    ]
