"""The gate's codes in words: why it is closed, and why an act was not done.

A sentence says what is missing, then who can help, then how long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from staff.frame.reasons import REASONS as STAFF_REASONS


@dataclass(frozen=True)
class Words:
    """A sentence that needs no fact, and fuller ones: the first of them whose facts are all known is said."""

    plain: Promise
    full: Promise | None = None
    fuller: tuple[Promise, ...] = ()  # before `full`


REASONS: Final[dict[str, Words]] = {
    "member_not_started": Words(
        _("Nothing opens before the first day of work. A people officer sets that date."),
        _("Nothing opens before %(starts_on)s. A people officer sets that date."),
    ),
    "member_suspended": Words(
        _("Access is suspended. A people officer can lift this, together with a second person.")
    ),
    "member_left": Words(
        _("The last day of work has passed. If that is wrong, a people officer can correct it.")
    ),
    "role_missing": Words(
        _("The role that this needs is not among the member’s roles. A people officer gives roles.")
    ),
    "session_missing": Words(_("Nobody is signed in. Sign in to go on; it takes a minute.")),
    "session_expired": Words(_("The session has expired. Sign in again; it takes a minute.")),
    "mfa_missing": Words(_("The second factor was not verified. Enter the code from the application.")),
    "mfa_stale": Words(_("The last one-time code is too old for this. Enter a new one; it takes seconds.")),
    "nda_missing": Words(_("No agreement is in force. Read it and sign it; it takes three minutes.")),
    "nda_old_version": Words(
        _("An old version of the agreement was signed. Read the new one and sign it."),
        _("Version %(nda_version)s of the agreement was signed. Read the newer one and sign it."),
    ),
    "nda_expired": Words(
        _("The agreement has expired. Sign it again."),
        _("The agreement was valid until %(nda_ends)s. Sign it again."),
    ),
    "nda_withdrawn": Words(_("The agreement was withdrawn. A people officer knows why and what comes next.")),
    "ticket_missing": Words(
        _(
            "No ticket that names this account is assigned to you."
            " Take the ticket in the helpdesk; it counts here seconds later."
        ),
    ),
    "ticket_closed": Words(
        _("The ticket is closed. If the work continues, reopen it in the helpdesk and request access again."),
        _(
            "Ticket %(ticket)s is closed. If the work continues, reopen it in the helpdesk and"
            " request access again."
        ),
    ),
    "ticket_not_yours": Words(
        _("The ticket is not assigned to you. It can be assigned in the helpdesk."),
        _("Ticket %(ticket)s is not assigned to you. It can be assigned in the helpdesk."),
    ),
    "ticket_other_account": Words(
        _("The ticket does not name this account. Its accounts are corrected in the helpdesk."),
        _("Ticket %(ticket)s does not name this account. Its accounts are corrected in the helpdesk."),
    ),
    "ticket_feed_stale": Words(
        _(
            "The helpdesk's tickets have not been confirmed for too long, so no ticket counts as"
            " open. An administrator can check the connection."
        ),
        _(
            "The helpdesk's tickets have not been confirmed since %(contact_at)s, so no ticket"
            " counts as open. An administrator can check the connection."
        ),
    ),
    "approval_missing": Words(
        _("No approval is in force. A manager can approve."),
        _("No access has been requested yet. Can approve: %(approvers)s."),
        (  # of the newest request, where it came to an end (gatekeeper.access.pieces)
            _(
                "Approved by %(approved_by)s at %(approved_at)s. %(ending)s If it is still needed,"
                " request access again."
            ),
            _(
                "Approved by %(approved_by)s at %(approved_at)s; that approval is no longer in"
                " force. Request access again."
            ),
            _("Rejected by %(approver)s: %(denial)s. If something has changed, ask again."),
            _("The request of %(requested_at)s expired undecided at %(lapsed_at)s. Ask again if needed."),
            _("The request was withdrawn at %(withdrawn_at)s. If it is still needed, request access again."),
        ),
    ),
    "approval_pending": Words(
        _("The request waits for a manager’s decision."),
        _("Requested at %(requested_at)s. Can approve: %(approvers)s. Expires at %(expires_at)s."),
    ),
    "approval_denied": Words(
        _("The request was rejected. If something has changed, request access again."),
        _("Rejected by %(approver)s: %(denial)s. If something has changed, ask again."),
    ),
    "category_not_covered": Words(
        _("The approval does not cover this kind of data. A new request can name it."),
    ),
    "view_limit_reached": Words(_("The approved number of views is used up. A new request opens more.")),
    "daily_budget_reached": Words(
        _("Today’s limit on accounts or fields is reached. It is reset at midnight."),
        _(
            "Today’s limit on accounts or fields is reached. It is reset at midnight."
            " Can allow more: %(approvers)s."
        ),
    ),
    "grant_not_started": Words(
        _("Approved. The clock starts when you open the account."),
        _(
            "Approved for %(minutes)s min. The clock starts when you open the account,"
            " at the latest at %(open_before)s."
        ),
    ),
    "grant_start_lapsed": Words(
        _("The approved access was not opened in time. Ask again; the request is prefilled."),
        _("The access was to be opened by %(open_before)s. Ask again; the request is prefilled."),
    ),
    "grant_expired": Words(
        _("The approved time is over. If the ticket needs more, ask again."),
        _("The access expired at %(ended_at)s. If the ticket needs more, ask again."),
    ),
    "grant_revoked": Words(
        _("The access was revoked. Ask the person who did it, or send a new request."),
        _("%(ended_by)s revoked the access at %(ended_at)s. If it is still needed, ask again."),
    ),
    "grant_ended": Words(
        _("The access has ended. If the ticket needs more, ask again."),
        _("The access ended at %(ended_at)s. If the ticket needs more, ask again."),
    ),
    "consent_missing": Words(
        _(
            "The customer has not consented to this kind of data being seen."
            " Only the customer can consent, on the platform."
        )
    ),
    "consent_expired": Words(
        _("The customer’s consent has expired. Only the customer can renew it, on the platform."),
        _(
            "The customer’s consent ran until %(consent_ends)s."
            " Only the customer can renew it, on the platform."
        ),
    ),
    "account_unknown": Words(_("No such account is known here. Check the number.")),
    "account_erased": Words(_("The account was erased. Its data no longer exists.")),
    "account_restricted": Words(
        _("Processing is restricted (GDPR, Article 18). A privacy officer decides when it ends.")
    ),
    "record_failed": Words(
        _(
            "The log cannot be written, so the data stays hidden. Try again in a minute; if the"
            " problem remains, tell an administrator."
        )
    ),
    "check_failed": Words(
        _(
            "This could not be checked, so it counts as not met. Try again in a minute; if the"
            " problem remains, tell an administrator."
        )
    ),
    "clock_behind": Words(
        _(
            "The database’s clock is behind its own records, so nothing opens."
            " An administrator has to set it right."
        )
    ),
}

#: Why an act was not done, where no condition of the gate is the cause (the functions' answers).
ACTS: Final[dict[str, Words]] = {
    "already_decided": Words(_("Nothing was done: this was decided meanwhile.")),
    "no_more_today": Words(
        _("The most that can be added to a day was added. The limit is reset at midnight.")
    ),
    "deputy_unfit": Words(_("A deputy is another manager, and at work. Choose one of the list.")),
    "deputy_span": Words(
        _("A deputy is named beforehand, within a year, and only for some days."),
        _("A deputy is named beforehand, within a year, and for at most %(deputy_days)s days."),
    ),
    **{
        code: Words(STAFF_REASONS[code])
        for code in ("not_yourself", "second_person", "no_change", "member_unknown", "value_refused")
    },
}

WORDS: Final = REASONS | ACTS
