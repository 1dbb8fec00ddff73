"""Checks of what the application was told about the world around it, for the page of checks."""

from __future__ import annotations

from django.utils.translation import gettext as _

from audit import stored, trust
from audit.verify_bundle import ProofError
from gatekeeper.health_row import Health


def log_key() -> Health:
    """Whether the key that the log is signed with is the one that is set. Raises psycopg.Error."""
    connection = stored.raw("default")
    trusted = trust.read(connection)
    newest = stored.newest_checkpoint(connection)
    if trusted.keys is None:
        return _log_key("to_fix", trust.no_key(), _("Run the sealer."), "python manage.py seal_log --every 5")
    if trusted.differs:
        return _log_key(
            "to_fix",
            _("The sealer signs with another key than the one that is set."),
            _(
                "Find out whether the sealer’s key was changed on purpose. If it was, put its public key"
                " first in GATEKEEPER_LOG_VERIFIER, before those that are set: %(key)s"
            )
            % {"key": trusted.announced},
        )
    try:
        if newest:
            trusted.keys.open(newest.note)
    except ProofError:
        return _log_key(
            "to_fix",
            _("The newest checkpoint is not signed by the log’s key."),
            _("Let verify_log say what is wrong, and where."),
            "python manage.py verify_log",
        )
    if trusted.pinned:
        return _log_key("ok", _("The log is signed with the key that is set."))
    return _log_key(
        "off",
        _("No key is set, so pages say “consistent with this server’s key” instead of “Proved”."),
        _(
            "Compare this key with what seal_log said when it started, and set it as"
            " GATEKEEPER_LOG_VERIFIER: %(key)s"
        )
        % {"key": trusted.announced},
    )


def _log_key(state: str, sentence: str, next_step: str = "", command: str = "") -> Health:
    return Health(
        "gatekeeper.E005", _("Public key of the log"), state, sentence, next_step=next_step, command=command
    )
