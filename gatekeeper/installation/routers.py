"""Which connection does what: pages on `default`, what signing in alone knows on `signin`, migrations on
`migrator`.

Nothing else is moved: a purpose of its own names its alias. All of them lead to one database, so that what
was loaded by one may be related to what was loaded by another.
"""

from __future__ import annotations

from django.db.models import Model

#: Tables that no other role may read or write: factors, one-time links, counts of attempts.
SIGN_IN = {
    *("staff.totpdevice", "staff.recoverydevice", "staff.recoverycode", "staff.invitation"),
    "staff.attemptcount",
    "django_otp_webauthn.webauthncredential",
    "django_otp_webauthn.webauthnattestation",
    "django_otp_webauthn.webauthnuserhandle",
}


class Router:
    """Lets migrations run as the migrator alone: no run-time role owns a table."""

    def db_for_read(self, model: type[Model], **_hints: object) -> str | None:
        """The connection of a model that is signing in's alone; None leaves it to the default."""
        return "signin" if model._meta.label_lower in SIGN_IN else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_hints: object) -> bool:
        """Whether tables may be changed over this connection."""
        return db == "migrator"

    def allow_relation(self, one: Model, other: Model, **_hints: object) -> bool:
        """Any: all connections lead to one database."""
        return True
