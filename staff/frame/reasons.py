"""The words for the reasons with which signing in, or an officer's act, is refused.

Codes are the database's (`staff/directory/sql/people.sql`); words say what is missing, and who
can help.
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: Final[dict[str, Promise]] = {
    # Of the gate's conditions
    "member_not_started": _("Your first day is not set, or has not come. A people officer sets it."),
    "member_suspended": _(
        "Your access was suspended: your sessions and accesses have ended."
        " A people officer can say for how long."
    ),
    "member_left": _("The last day at work has passed. A people officer can correct that."),
    "role_missing": _("This page is for other roles than yours."),
    "session_missing": _("Sign in to go on."),
    "session_expired": _("Your session has expired. Sign in again."),
    "mfa_missing": _("Enter the code of your second factor first."),
    "mfa_stale": _("The code of your second factor is needed again."),
    "nda_missing": _("No NDA of yours is in force. Sign it under NDA, or ask a people officer."),
    "nda_old_version": _("A newer version of the NDA has to be signed."),
    "nda_expired": _("Your NDA has expired. Sign it again."),
    "nda_withdrawn": _("Your NDA was withdrawn. Ask a people officer."),
    "clock_behind": _("The server’s clock is behind the newest entry of the log."),
    "check_failed": _("It could not be checked whether this is allowed, so it is not."),
    # beside them
    "session_ended": _("This session was ended. Sign in again."),
    "sign_out_unrecorded": _(
        "This browser has forgotten your session, but the database could not record that it ended: it ends"
        " by itself once it was idle for long enough. Tell an administrator."
    ),
    "member_unknown": _("There is no member with this number."),
    "not_yourself": _("You cannot do this for yourself. Another person can."),
    "second_person": _(
        "Another person has to do this: not the one who proposed it, and not the one who suspended."
    ),
    "proposal_waits": _("Another change of this is already waiting for a second person."),
    "proposal_decided": _("This was decided meanwhile."),
    "proposal_lapsed": _("This is no longer possible: its time is over, or something has changed."),
    "filer_gone": _(
        "The person who filed this is no longer a people officer. Withdraw it, and file the document again."
    ),
    "enough_able": _("Two people officers or more are able to act: they bring others back."),
    "two_needed": _("Name as many as are lacking to two who are able to act, and nobody who is."),
    "not_an_officer": _("Name people officers: there are two or more members with that role."),
    "founded": _("The first people are there already. A people officer adds others."),
    "member_known": _("Another member has this number or this e-mail."),
    "factor_unknown": _("You have no such second factor."),
    "factor_last": _("This is your only second factor. Add another before you remove it."),
    "no_change": _("It is so already."),
    "review_unknown": _("There is no such review, or no question of it to you."),
    "signature_unknown": _("There is no such signature, or no file of it."),
    "seal_failed": _(
        "The document could not be signed with the company’s key, so nothing was saved. An"
        " administrator can help."
    ),
    "value_refused": _("This value cannot be taken. Check it and try again."),
}


def words_of(code: str) -> Promise:
    """What a person reads for a code; for one that nobody knows, that the check has failed."""
    return REASONS.get(code, REASONS["check_failed"])
