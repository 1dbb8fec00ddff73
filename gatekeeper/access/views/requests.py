"""Asking for access, and taking the request back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from gatekeeper import catalogue
from gatekeeper.access import approvers, notices, requests
from gatekeeper.access.forms import AskForm
from gatekeeper.access.pieces import account_url
from gatekeeper.access.views.closed import closed_gate
from gatekeeper.frame.converters import whole_number
from gatekeeper.gate import answers, decision, sentences
from gatekeeper.models import AccessRequest, Ticket
from staff.frame.callers import Caller
from staff.session.decorators import post_only, resendable
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


@resendable(gettext_lazy("The request for access goes to the approvers."), text=gettext_lazy("In a sentence"))
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, reference: str) -> HttpResponse:
    """One short screen. Whoever has no such ticket gets the gate, which says so."""
    number = request.POST.get("ticket") or request.GET.get("ticket") or None
    seen = decision.evaluate(Caller.of(request), account=reference, ticket=number)
    ticket = Ticket.objects.filter(pk=seen.ticket_id or 0, assignee=request.user.pk).first()
    if ticket is None:
        return closed_gate(request, seen, reference=reference, ticket=number)
    if request.method == "POST":
        form = AskForm(request.POST, ticket=ticket)
        if form.is_valid():
            return _send(request, reference, ticket, form)
        # Nothing is asked by it; that it was tried is recorded where the asking would have been.
        requests.ask(Caller.of(request), requests.RequestDraft.unusable(reference, ticket.number))
        return _page(request, reference, ticket, form)
    return _page(
        request, reference, ticket, AskForm(initial=_prefilled(request, reference, ticket), ticket=ticket)
    )


def _send(request: HttpRequest, reference: str, ticket: Ticket, form: AskForm) -> HttpResponse:
    with transaction.atomic():  # what was asked is told to the approvers, whatever ends this process
        result = requests.ask(Caller.of(request), _draft(reference, ticket, form.cleaned_data))
        notice = "" if result.reason else _notify_approvers(result)
    if result.reason in catalogue.CONDITIONS["consent"]:
        # Fewer categories mend it: the form stays, with what was typed.
        form.add_error("categories", sentences.sentence(result.reason))
        return _page(request, reference, ticket, form, status=403)
    if result.reason:
        closed = answers.Decision(result.reason, answers.rows(result.codes), ticket_id=ticket.pk)
        return closed_gate(request, closed, reference=reference, ticket=ticket.number)
    messages.success(request, _("Request sent.") + (f" {notice}" if notice else ""))
    return HttpResponseRedirect(account_url(reference, ticket.number))


def _notify_approvers(result: requests.RequestResult) -> str:
    return notices.notify_approvers(
        AccessRequest.objects.select_related("member").get(pk=result.request or 0)
    )


def _draft(reference: str, ticket: Ticket, data: dict[str, Any]) -> requests.RequestDraft:
    return requests.RequestDraft(
        account=reference,
        ticket=ticket.number,
        purpose=data["purpose"],
        categories=data["categories"],
        minutes=data["minutes"],
        while_open=data["stretch"] == "while_open",
        reason=data["reason"],
        text=data["text"],
    )


def _page(
    request: HttpRequest, reference: str, ticket: Ticket, form: AskForm, status: int = 200
) -> HttpResponse:
    member = member_of(request)
    context = {
        "reference": reference,
        "ticket": ticket,
        "form": form,
        "approvers": list(approvers.of(member).values_list("name", flat=True)),
        "expiry_hours": settings.LIMITS["request_hours"],
        "cancel_url": account_url(reference, ticket.number),
        "repeated": bool(form.initial.get("repeated")),
        "waiting": _waiting(request, reference, ticket),
    }
    return render(request, "gatekeeper/access/request.html", context, status=status)


def _prefilled(request: HttpRequest, reference: str, ticket: Ticket) -> dict[str, Any]:
    """From the request that is to be extended, else the newest for this account and ticket, also by whom
    it was assigned to before. To add is to ask for what is not open yet; what waits is asked for as well,
    for the new request takes its place."""
    requested = AccessRequest.objects.filter(account__reference=reference, ticket=ticket)
    initial: dict[str, Any] = {"categories": ["contact"], "purpose": "support_request"}
    if ticket.kind == "privacy":
        initial |= {"purpose": "privacy_request", "reason": "answer_privacy"}
    earlier = _extended(request, requested) or requested.first()
    if earlier is not None:
        initial |= _again(earlier)
    wanted = request.GET.get("add", "")
    if wanted in dict(catalogue.CATEGORIES):
        initial["categories"] = [wanted]
    if waiting := _waiting(request, reference, ticket):
        initial["categories"] = [*initial["categories"], *waiting.categories]
    return initial


def _again(earlier: AccessRequest) -> dict[str, Any]:
    return {
        "categories": list(earlier.categories),
        "purpose": earlier.purpose,
        "minutes": earlier.minutes,
        "stretch": "while_open" if earlier.while_open else "once",
        "reason": earlier.reason,
        "repeated": True,
    }


def _extended(request: HttpRequest, requested: QuerySet[AccessRequest]) -> AccessRequest | None:
    number = whole_number(request.GET.get("again")) or 0
    return requested.filter(pk=number, member=request.user.pk).first()


def _waiting(request: HttpRequest, reference: str, ticket: Ticket) -> AccessRequest | None:
    """The member's own request for this account and ticket that nobody has decided yet."""
    return AccessRequest.objects.filter(
        member=request.user.pk,
        account__reference=reference,
        ticket=ticket,
        state="pending",
        expires_at__gt=timezone.now(),
    ).first()


@post_only("home")
def withdraw(request: HttpRequest, request_id: int) -> HttpResponse:
    """Take one's own waiting request back."""
    reason = requests.withdraw(Caller.of(request), request_id)  # first: that it was tried is recorded
    found = get_object_or_404(AccessRequest, pk=request_id, member=request.user.pk)
    if reason:
        messages.error(request, sentences.sentence(reason))
    else:
        messages.success(request, _("Request withdrawn."))
    return HttpResponseRedirect(account_url(found.account.reference, found.ticket.number))
