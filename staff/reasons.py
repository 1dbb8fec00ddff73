"""The words for the reasons with which signing in, or an officer's act, is refused.

Codes are the database's (DESIGN §3, `staff/sql/people.sql`); words say what is missing, and who
can help.
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: Final[dict[str, Promise]] = {
    # DESIGN §3
    "member_not_started": _("Your first day is not set, or has not come. A people officer sets it."),
    "member_suspended": _("This access is suspended. A people officer can lift that."),
    "member_left": _("The last day at work has passed. A people officer can correct that."),
    "role_missing": _("This page is for other roles than yours."),
    "session_missing": _("Sign in to go on."),
    "session_expired": _("Your session has expired. Sign in again."),
    "mfa_missing": _("Enter the code of your second factor first."),
    "mfa_stale": _("The code of your second factor is needed again."),
    "nda_missing": _("No NDA of yours is entered. A people officer enters it."),
    "nda_old_version": _("A newer version of the NDA has to be signed."),
    "nda_expired": _("Your NDA has expired. A people officer enters the new one."),
    "nda_withdrawn": _("Your NDA was withdrawn. Ask a people officer."),
    "clock_behind": _("The server’s clock stands before the newest entry of the log."),
    "check_failed": _("It could not be checked whether this is allowed, so it is not."),
    # beside them
    "session_ended": _("This session was ended. Sign in again."),
    "member_unknown": _("There is no member with this number."),
    "not_yourself": _("Nobody does this for themselves. Another person can."),
    "second_person": _("Whoever suspended cannot lift it: another people officer has to."),
    "no_change": _("It is so already."),
    "value_refused": _("This value cannot be taken. Check it and try again."),
}


def words_of(code: str) -> Promise:
    """What a person reads for a code; for one that nobody knows, that the check has failed."""
    return REASONS.get(code, REASONS["check_failed"])
