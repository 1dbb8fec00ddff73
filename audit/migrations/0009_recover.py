"""Officers may be brought back on the database's machine: an event of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("audit", "0008_rounds"),
    ]

    operations = [
        migrations.AlterField(
            "entry",
            "event",
            models.CharField(
                max_length=14,
                default="change",
                choices=[
                    ("sign_in", "signed in"),
                    ("sign_in_failed", "sign-in failed"),
                    ("sign_out", "signed out"),
                    ("request", "request"),
                    ("withdraw", "withdrawal"),
                    ("approve", "approval"),
                    ("deny", "denial"),
                    ("start", "opening"),
                    ("view", "view"),
                    ("search", "search"),
                    ("end", "end"),
                    ("revoke", "revocation"),
                    ("sign", "signature"),
                    ("review", "review"),
                    ("report", "report"),
                    ("export", "export"),
                    ("import", "import"),
                    ("change", "change"),
                    ("recover", "officers brought back"),
                    ("erase", "erasure"),
                    ("seal", "seal"),
                ],
            ),
        ),
        migrations.AlterField(
            "entry",
            "outcome",
            models.CharField(
                max_length=8,
                default="allowed",
                choices=[
                    ("allowed", "allowed"),
                    ("refused", "refused"),
                    ("withheld", "release refused"),
                    ("failed", "failed"),
                ],
            ),
        ),
    ]
