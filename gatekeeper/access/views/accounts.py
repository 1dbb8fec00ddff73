"""The account: what is asked of it, and done under an access. No rule stands here: `gate` answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from audit import references
from gatekeeper import catalogue
from gatekeeper.access import grants, notices
from gatekeeper.access.pieces import account_url
from gatekeeper.access.views import in_place, live
from gatekeeper.access.views.account_page import as_released, page, page_if_changed, refused
from gatekeeper.access.views.closed import closed_gate, gate_facts
from gatekeeper.frame.converters import whole_number
from gatekeeper.gate import answers, decision, sentences
from gatekeeper.models import Account, Grant
from staff.frame.callers import Caller
from staff.frame.redirects import here
from staff.session.decorators import polling, post_only

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from gatekeeper.gate.cipher import Json


@require_GET
def account(request: HttpRequest, reference: str) -> HttpResponse:
    """The account with every value hidden; the gate's page when it is closed."""
    ticket = request.GET.get("ticket") or None
    seen = decision.evaluate(Caller.of(request), account=reference, ticket=ticket)
    if not seen.open:
        return closed_gate(request, seen, reference=reference, ticket=ticket)
    return page(request, seen, reference)


@polling
@require_GET
def gate_state(request: HttpRequest, reference: str) -> HttpResponse:
    """The account or its gate for the page that asks by itself; it is no activity of the session."""
    ticket = request.GET.get("ticket") or None
    # What the page showed as open.
    was = [whole_number(text) or 0 for text in request.GET.get("was", "").split(",")]
    opened = live.open_grants(request, account=reference)
    here = [one for one in opened if one.reference == reference]
    shown = next((one for one in here if one.id == was[0]), None)
    if shown is not None:
        return page_if_changed(request, shown, here, was)
    seen = decision.evaluate(Caller.of(request), account=reference, ticket=ticket)
    if seen.open:
        return page(request, seen, reference, more={"polled": True}, was=was)
    return live.answer(
        request,
        gate_facts(request, seen, reference),
        lambda more: closed_gate(request, seen, reference=reference, ticket=ticket, was=was, more=more),
    )


@post_only("account", "reference")
def reveal(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a field, or all filled fields of a category; or give one to the clipboard. Recorded before."""
    grant = whole_number(request.POST.get("grant")) or 0
    if "copy" in request.POST:
        field = request.POST["copy"]
        fetched = decision.copy(Caller.of(request), account=reference, grant=grant, field=field)
        return in_place.copied(request, field, fetched)
    fields = request.POST.getlist("fields") or _filled(reference, request.POST.get("category", ""))
    shown = decision.reveal(
        Caller.of(request),
        account=reference,
        grant=grant,
        fields=fields,
        open_window=request.POST.get("open") == "1",
    )
    if "HX-Request" in request.headers:
        return in_place.answer(request, fields, shown)
    if isinstance(shown, answers.Refusal):
        return refused(request, shown, reference, grant)
    return page(request, as_released(shown, grant), reference, values=shown.values)


@post_only("account", "reference")
def participants(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a page of participants, or the one whom an exact e-mail or reference names."""
    grant = whole_number(request.POST.get("grant")) or 0
    query = request.POST.get("q", "").strip()[:320]
    number = _page_number(reference, request.POST.get("page", ""))
    shown = _found(Caller.of(request), reference, grant, query, number)
    if isinstance(shown, answers.Refusal):
        return refused(request, shown, reference, grant)
    people = {
        "records": [_record(reference, name, value) for name, value in shown.values.items()],
        "page": 0 if query else number,
        "query": query,
        "missed": bool(query) and not shown.values,
    }
    return page(request, as_released(shown, grant), reference, people=people)


def _found(
    caller: Caller, reference: str, grant: int, query: str, page: int
) -> answers.Reveal | answers.Refusal:
    """A page of participants; or the one whom the query names."""
    if not query:
        return decision.participants(caller, account=reference, grant=grant, page=page)
    if named := references.participant(references.pasted(query).upper()):
        # Another account's participant is none of this one: number 0 matches nobody.
        number = named[1] if named[0] == reference else 0
        return decision.find_participant(caller, account=reference, grant=grant, number=number)
    return decision.find_participant(caller, account=reference, grant=grant, email=query)


@post_only("account", "reference")
def open_window(request: HttpRequest, reference: str) -> HttpResponse:
    """Start the clock of an approved access, and go to the account."""
    grant = whole_number(request.POST.get("grant")) or 0
    with transaction.atomic():
        refusal = grants.open_window(Caller.of(request), grant=grant, account=reference)
        if refusal is None:
            notices.notify_of_opened_access(Grant.objects.select_related("approver").get(pk=grant))
    if refusal is not None:
        return refused(request, refusal, reference, grant)
    return HttpResponseRedirect(account_url(reference))


@post_only("home")
def end_grant(request: HttpRequest, grant: int) -> HttpResponse:
    """End an access: one's own, or anybody's by a manager, a reviewer or a people officer."""
    reason = grants.end(Caller.of(request), grant)
    if reason:
        messages.error(request, sentences.sentence(reason))
    else:
        messages.success(request, _("Access has ended."))
    own = Grant.objects.filter(pk=grant, member=request.user.pk).exists()
    return HttpResponseRedirect("/" if own else here(request) or "/")


def _record(reference: str, name: str, value: Json) -> dict[str, object]:
    number = name.partition(".")[2]
    values = value if isinstance(value, dict) else {}
    return {"reference": f"{reference}-P{number}", "values": list(values.items())}


def _filled(reference: str, category: str) -> list[str]:
    """The category's fields that hold a value; all of them where none does, or there is no account:
    whoever has no claim must not learn which it is by another reason."""
    filled = Account.objects.filter(reference=reference).values_list("filled", flat=True).first() or []
    fields = [name for name in catalogue.FIELDS if catalogue.category_of(name) == category]
    return [name for name in fields if name in filled] or fields


def _page_number(reference: str, text: str) -> int:
    """The page of participants that is asked for; the last where there are not so many, the first for no
    number. Whoever asks of an account that there is not learns nothing by it."""
    total = Account.objects.filter(reference=reference).values_list("participants", flat=True).first()
    pages = Paginator(range(total or 0), catalogue.PAGE_OF_PARTICIPANTS)
    return pages.get_page(text).number
