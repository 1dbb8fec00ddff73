"""The account: hidden fields, and their reveal. No rule stands here: `gate` answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from audit import references
from gatekeeper import catalogue
from gatekeeper.access import account_data, grants, notices
from gatekeeper.access.desk import mark
from gatekeeper.access.pieces import account_url, open_gate, request_url
from gatekeeper.access.views import live
from gatekeeper.access.views import more as more_today
from gatekeeper.access.views.closed import closed_gate, ended, gate_facts
from gatekeeper.frame.converters import whole_number
from gatekeeper.gate import decision, sentences
from gatekeeper.models import Account, Grant
from staff.frame.callers import Caller
from staff.session.decorators import polling, post_only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from gatekeeper.gate.cipher import Json


#: Reasons that refuse one reveal, and may leave others.
TOO_MANY = frozenset({"view_limit_reached", "daily_budget_reached"})


@require_GET
def account(request: HttpRequest, reference: str) -> HttpResponse:
    """The account with every value hidden; the gate's page when it is shut."""
    ticket = request.GET.get("ticket") or None
    seen = decision.look(Caller.of(request), account=reference, ticket=ticket)
    if not seen.open:
        return closed_gate(request, seen, reference=reference, ticket=ticket)
    return _page(request, seen, reference)


@polling
@require_GET
def gate_state(request: HttpRequest, reference: str) -> HttpResponse:
    """The account or its gate for the page that asks by itself; it is no activity of the session."""
    ticket = request.GET.get("ticket") or None
    # What the page showed as open.
    was = [whole_number(text) or 0 for text in request.GET.get("was", "").split(",")]
    held = live.held(request, account=reference)
    here = [one for one in held if one.reference == reference]
    shown = next((one for one in here if one.id == was[0]), None)
    if shown is not None:
        return _state_of_open(request, shown, here, was)
    seen = decision.look(Caller.of(request), account=reference, ticket=ticket)
    if seen.open:
        return _page(request, seen, reference, more={"polled": True}, was=was)
    return live.answer(
        request,
        gate_facts(request, seen, reference),
        lambda more: closed_gate(request, seen, reference=reference, ticket=ticket, was=was, more=more),
    )


def _state_of_open(
    request: HttpRequest, shown: grants.OpenGrant, here: Sequence[grants.OpenGrant], was: Sequence[int]
) -> HttpResponse:
    """The account anew where anything changed; values that were revealed stay while the data are the same."""
    asked_more = _more(request, shown)
    facts = _facts(shown, here), asked_more and asked_more["mark"]
    same_data = request.GET.get("data") == mark(_data(shown, here))

    def page(more: Mapping[str, object]) -> HttpResponse:
        seen = _look(request, shown.reference, shown.id)
        return _page(request, seen, shown.reference, more={**more, "same_data": same_data}, was=was)

    return live.answer(request, facts, page)


@post_only("account", "reference")
def reveal(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a field, or all filled fields of a category. Recorded before it is shown."""
    grant = whole_number(request.POST.get("grant")) or 0
    fields = request.POST.getlist("fields") or _filled(reference, request.POST.get("category", ""))
    shown = decision.reveal(
        Caller.of(request),
        account=reference,
        grant=grant,
        fields=fields,
        open_window=request.POST.get("open") == "1",
    )
    if isinstance(shown, decision.Refusal):
        return _refused(request, shown, reference, grant)
    return _page(request, _shown(shown, grant), reference, values=shown.values)


@post_only("account", "reference")
def participants(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a page of participants, or the one whom an exact e-mail or reference names."""
    grant = whole_number(request.POST.get("grant")) or 0
    query = request.POST.get("q", "").strip()[:320]
    page = _page_number(reference, request.POST.get("page", ""))
    shown = _found(Caller.of(request), reference, grant, query, page)
    if isinstance(shown, decision.Refusal):
        return _refused(request, shown, reference, grant)
    people = {
        "records": [_record(reference, name, value) for name, value in shown.values.items()],
        "page": 0 if query else page,
        "query": query,
        "missed": bool(query) and not shown.values,
    }
    return _page(request, _shown(shown, grant), reference, people=people)


def _found(
    caller: Caller, reference: str, grant: int, query: str, page: int
) -> decision.Reveal | decision.Refusal:
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
        refused = grants.open_window(Caller.of(request), grant=grant, account=reference)
        if refused is None:
            notices.tell_of_opening(Grant.objects.select_related("approver").get(pk=grant))
    if refused is not None:
        return _refused(request, refused, reference, grant)
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
    return HttpResponseRedirect("/" if own else request.headers.get("Referer") or "/")


def _refused(request: HttpRequest, refusal: decision.Refusal, reference: str, grant: int) -> HttpResponse:
    seen = _look(request, reference, grant)
    if seen.open and refusal.reason in TOO_MANY:  # what is open stays open, and its page says what is left
        messages.error(request, sentences.sentence(refusal.reason))
        return HttpResponseRedirect(account_url(reference))
    unevaluated = refusal.codes or dict.fromkeys(catalogue.CONDITIONS, "check_failed")
    # That the log failed is said beside the rows; they stand as they are now.
    codes = seen.codes if refusal.reason == "record_failed" else unevaluated
    shut = replace(seen, reason=refusal.reason, codes=codes, away=refusal.away or seen.away)
    return closed_gate(request, shut, reference=reference)


def _shown(shown: decision.Reveal, grant: int) -> decision.Gate:
    """The gate as the release judged it a moment ago: asking again would tell nothing newer."""
    return decision.Gate(None, shown.codes, shown.shut, grant_id=grant)


def _look(request: HttpRequest, reference: str, grant: int | None) -> decision.Gate:
    return decision.look(Caller.of(request), account=reference, grant=grant)


def _page(
    request: HttpRequest,
    seen: decision.Gate,
    reference: str,
    *,
    values: dict[str, Json] | None = None,
    people: dict[str, object] | None = None,
    more: Mapping[str, object] | None = None,
    was: Sequence[int] = (),
) -> HttpResponse:
    held = live.held(request, account=reference, shown=seen)
    here = [one for one in held if one.reference == reference]
    grant = next((one for one in here if one.id == seen.grant_id), None)
    if grant is None:  # it has ended since
        again = _look(request, reference, seen.grant_id)
        return closed_gate(request, again, reference=reference, was=was, more=more)
    widget = open_gate(request, seen, grant)
    # The last permitted view has shut the gate behind it: its page is shown, the way back is not.
    live.show(request, [one for one in held if one is not grant or not widget.missing])
    sections = [
        account_data.section(grant, here, one, values or {})
        for one in catalogue.shown_by_field(get_language())
    ]
    asked_more = _more(request, grant)
    context = {
        "gate": widget,
        **_of_the_grant(grant, here),
        **_form(request, reference),
        "reference": reference,
        "more": asked_more,
        "sections": sections,
        "people": account_data.people(grant, here, people or {}),
        "happened": ended(request, set(was) - {one.id for one in here}),
        **_question(request, grant, here, asked_more),
        **(more or {}),
    }
    return render(request, "gatekeeper/access/account.html", context)


def _of_the_grant(grant: grants.OpenGrant, here: Sequence[grants.OpenGrant]) -> dict[str, object]:
    """What the page says of the access under which it is shown, and of those beside it."""
    views = ngettext("%(number)s view so far.", "%(number)s views so far.", grant.views)
    return {
        "ticket": grant.ticket,
        "here_url": account_url(grant.reference),
        "account": grant,
        "grant": grant,
        "extend_url": _extend_url(grant),
        "end_url": reverse("end_grant", args=[grant.id]),
        "views": views % {"number": grant.views},
        "several": [(one, _extend_url(one)) for one in here] if len(here) > 1 else [],
        "beside": grant.beside,
        "left_today": grant.today.words,
    }


def _form(request: HttpRequest, reference: str) -> dict[str, object]:
    token = get_token(request)
    # as the processor's, which would mask it once more
    return {"csrf_token": token, "form": {"url": reverse("reveal", args=[reference]), "csrf": token}}


def _question(
    request: HttpRequest,
    grant: grants.OpenGrant,
    here: Sequence[grants.OpenGrant],
    asked_more: dict[str, object] | None,
) -> dict[str, object]:
    """How the page asks whether what it shows still holds."""
    return live.question(
        request,
        reverse("gate_state", args=[grant.reference]),
        (_facts(grant, here), asked_more and asked_more["mark"]),
        was=",".join(str(one.id) for one in (grant, *(other for other in here if other is not grant))),
        data=mark(_data(grant, here)),
    )


def _data(grant: grants.OpenGrant, here: Sequence[grants.OpenGrant]) -> object:
    """What the page's fields rest on: while it is the same, revealed values stay where they are."""
    return grant.id, [(one.id, sorted(one.shut.items())) for one in here]


def _facts(grant: grants.OpenGrant, here: Sequence[grants.OpenGrant]) -> object:
    return _data(grant, here), [one.ends_at for one in here], grant.beside, grant.today.words


def _more(request: HttpRequest, grant: grants.OpenGrant) -> dict[str, object] | None:
    """What was asked for beyond the day's budget, once most of that is used."""
    return more_today.standing(request, grant.id) if grant.today.words else None


def _extend_url(grant: grants.OpenGrant) -> str:
    return request_url(grant.reference, grant.ticket, again=str(grant.request))


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
