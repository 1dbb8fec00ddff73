"""What people of the demo did before it was started: accesses that a reviewer finds in the queue.

Asked for, approved, opened and looked at through the functions that record, in sessions of their own;
nothing is put into the log by hand.
"""

from __future__ import annotations

import secrets
from typing import Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import ImproperlyConfigured

from audit.database import call
from gatekeeper.access import grants, requests
from gatekeeper.gate import decision
from gatekeeper.models import Account, Grant, Ticket
from gatekeeper.reviews import finding
from staff.frame.callers import Caller
from staff.models import Member, TotpDevice
from staff.session.sessions import SessionStore
from staff.sign_in import factors

SOURCE: Final = "demo"
#: So many tickets are opened; one more access is refused.
VIEWED: Final = 4
TRIES: Final = 6
FIELDS: Final = ("contact.name", "contact.email", "company.name")


def act() -> None:
    """View some accounts, one of them whole; try another, which is refused; run the rules.

    Raises ImproperlyConfigured outside the demo.
    """
    if settings.MODE not in {"demo", "test"}:
        raise ImproperlyConfigured("The demo's people act in the demo alone.")
    found = [one for one in _tickets() if _account(one) is not None][: VIEWED + 1]
    sessions: dict[int, Caller] = {}
    try:
        for number, ticket in enumerate(found[:VIEWED]):
            _view_account(ticket, sessions, everything=number == 0)
        for ticket in found[VIEWED:]:
            _try(ticket, sessions)
    finally:
        for caller in sessions.values():
            _sign_out(caller)
    finding.find(SOURCE)


def _tickets() -> list[Ticket]:
    """Open tickets of consultants who have a manager, one of each account."""
    found = Ticket.objects.filter(
        kind="support", state__in=["open", "pending"], assignee__manager__isnull=False, accounts__len=1
    )
    return list(found.select_related("assignee__manager").order_by("number")[:100])


def _account(ticket: Ticket) -> Account | None:
    return Account.objects.filter(
        reference=ticket.accounts[0], erased_at=None, restricted_at=None, filled__contains=list(FIELDS)
    ).first()


def _caller(member: Member, sessions: dict[int, Caller]) -> Caller:
    if member.pk not in sessions:
        sessions[member.pk] = _sign_in(member)
    return sessions[member.pk]


def _sign_in(member: Member) -> Caller:
    """Both steps of signing in, as their pages take them, each with its entry."""
    context: dict[str, str | None] = {
        "remote_addr": "127.0.0.1",
        "user_agent": SOURCE,
        "cid": secrets.token_hex(16),
    }
    session = SessionStore()
    session.context = lambda: context
    session.stage = "password"
    session[SESSION_KEY] = str(member.pk)
    session.save()
    device = TotpDevice.objects.get(user=member, confirmed=True)
    session.mark_verified(factors.TOTP, device.pk, "code")
    return Caller(session.digest, context)


def _sign_out(caller: Caller) -> None:
    call("staff.end_session", caller, reason="")


def _view_account(ticket: Ticket, sessions: dict[int, Caller], *, everything: bool) -> None:
    account, holder = _account(ticket), ticket.assignee
    if account is None or holder is None or holder.manager is None:
        return
    categories = ["contact", "company"]
    if everything:
        categories += ["billing", "activity"] + (["support"] if account.support_since else [])
    caller = _caller(holder, sessions)
    grant = _approved(caller, _caller(holder.manager, sessions), account, ticket, categories)
    if grant is None:
        return
    grants.open_window(caller, grant=grant.pk, account=account.reference)
    fields = [name for name in account.filled if name.partition(".")[0] in categories]
    decision.reveal(
        caller, account=account.reference, grant=grant.pk, fields=fields if everything else FIELDS
    )
    grants.end(caller, grant.pk)


def _approved(
    caller: Caller, manager: Caller, account: Account, ticket: Ticket, categories: list[str]
) -> Grant | None:
    """What the manager approves of what was asked for; None where the answer was no."""
    draft = requests.RequestDraft(
        account=account.reference,
        ticket=ticket.number,
        purpose="support_request",
        categories=categories,
        minutes=30,
        while_open=False,
        reason="reproduce_fault",
    )
    result = requests.ask(caller, draft)
    if result.request is None or requests.approve(
        manager, result.request, categories=categories, minutes=30, while_open=False
    ):
        return None
    return Grant.objects.get(request=result.request)


def _try(ticket: Ticket, sessions: dict[int, Caller]) -> None:
    """Somebody tries a door again and again."""
    if ticket.assignee is None:
        return
    for _ in range(TRIES):
        decision.reveal(
            _caller(ticket.assignee, sessions), account=ticket.accounts[0], grant=0, fields=FIELDS
        )
