"""How an access ended, in words: what the page says that was open a moment ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from staff.frame import times

if TYPE_CHECKING:
    from gatekeeper.models import Grant

_ENDED: Final = _("Access ended at %(time)s.")
_REVOKED: Final = _("%(name)s revoked the access at %(time)s.")
_ENDINGS: Final[dict[str, Promise]] = {
    "ticket_closed": _("Ticket %(ticket)s was closed at %(time)s. Access has ended."),
    "ticket_not_yours": _("Ticket %(ticket)s stopped being assigned to you at %(time)s. Access has ended."),
    "ticket_other_account": _(
        "Ticket %(ticket)s was moved to another account at %(time)s. Access has ended."
    ),
    "permission_removed": _("The access was revoked at %(time)s."),
    "ended": _("You ended the access at %(time)s."),
    "expired": _("The approved time was over at %(time)s. Access has ended."),
    "nda_withdrawn": _("An agreement that the access rests on was withdrawn at %(time)s. Access has ended."),
    "nda_expired": _("The agreement ran out at %(time)s. Access has ended."),
    "nda_old_version": _(
        "A newer version of the agreement has to be signed since %(time)s. Access has ended."
    ),
    "approver_gone": _("Whoever approved the access may not do so since %(time)s. Access has ended."),
    "account_erased": _("The account was erased at %(time)s. Access has ended."),
}


def words(grant: Grant) -> str:
    """In: a grant. Out: how it ended and when; '' while it has not."""
    over = grant.window_ends_at is not None and grant.window_ends_at <= timezone.now()
    at = grant.ended_at or (grant.window_ends_at if over else None)
    if at is None:
        return ""
    by_another = grant.ended_by is not None and grant.ended_by_id != grant.member_id
    reason = grant.end_reason if grant.ended_at else "expired"
    said = _REVOKED if by_another else _ENDINGS.get(reason, _ENDED)
    name = grant.ended_by.name if grant.ended_by else ""
    return str(said) % {"ticket": grant.ticket.number, "time": times.moment(at), "name": name}
