"""A field may be fetched to the clipboard: an event of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("audit", "0012_plain_names"),
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
                    ("start", "access opened"),
                    ("view", "view"),
                    ("copy", "copy"),
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
    ]
