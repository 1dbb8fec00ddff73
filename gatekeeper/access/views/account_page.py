"""The account's page, with which each of its views answers while the gate is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language

from gatekeeper import catalogue
from gatekeeper.access import account_data, grants
from gatekeeper.access.desk import mark
from gatekeeper.access.pieces import account_url, open_gate, request_url
from gatekeeper.access.views import live
from gatekeeper.access.views import more as more_today
from gatekeeper.access.views.closed import closed_gate, ended
from gatekeeper.gate import answers, decision, sentences
from staff.frame import times
from staff.frame.callers import Caller

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from gatekeeper.gate.cipher import Json


#: Reasons that refuse one reveal, and may leave others.
TOO_MANY = frozenset({"view_limit_reached", "daily_budget_reached"})
#: From here on the page says that its access ends (static live.js does so by itself).
SOON: Final = timedelta(minutes=5)


def page(
    request: HttpRequest,
    seen: answers.Decision,
    reference: str,
    *,
    values: dict[str, Json] | None = None,
    people: dict[str, object] | None = None,
    more: Mapping[str, object] | None = None,
    was: Sequence[int] = (),
) -> HttpResponse:
    """Answer with the account's page, as this access opens it; with the gate's where it has ended since.

    `values`: those that were released just now, by field; `people`: the page of participants, the same.
    `more` is added to what the template has; `was`: numbers of the accesses that the browser showed as open.
    """
    opened = live.open_grants(request, account=reference, shown=seen)
    here = [one for one in opened if one.reference == reference]
    grant = next((one for one in here if one.id == seen.grant_id), None)
    if grant is None:  # it has ended since
        again = _evaluate(request, reference, seen.grant_id)
        return closed_gate(request, again, reference=reference, was=was, more=more)
    widget = open_gate(request, seen, grant)
    # The last permitted view has closed the gate behind it: its page is shown, the way back is not.
    live.show(request, [one for one in opened if one is not grant or not widget.missing])
    sections = [
        account_data.section(grant, here, one, values or {})
        for one in catalogue.shown_by_field(get_language())
    ]
    extension = _more(request, grant)
    context = {
        "gate": widget,
        **_of_the_grant(grant, here),
        **_form(request, reference),
        "reference": reference,
        "more": extension,
        "sections": sections,
        "people": account_data.people(grant, here, people or {}),
        "happened": ended(request, set(was) - {one.id for one in here}),
        **_question(request, grant, here, extension),
        **(more or {}),
    }
    return render(request, "gatekeeper/access/account.html", context)


def page_if_changed(
    request: HttpRequest, shown: grants.OpenGrant, here: Sequence[grants.OpenGrant], was: Sequence[int]
) -> HttpResponse:
    """The page again where anything changed; revealed values stay while the data are the same."""
    extension = _more(request, shown)
    facts = _facts(shown, here), extension and extension["mark"]
    same_data = request.GET.get("data") == mark(_data(shown, here))

    def fresh(more: Mapping[str, object]) -> HttpResponse:
        seen = _evaluate(request, shown.reference, shown.id)
        return page(request, seen, shown.reference, more={**more, "same_data": same_data}, was=was)

    return live.answer(request, facts, fresh)


def refused(request: HttpRequest, refusal: answers.Refusal, reference: str, grant: int) -> HttpResponse:
    """Answer a refused act: by the account where it stays open, else by its gate with the reason."""
    seen = _evaluate(request, reference, grant)
    if seen.open and refusal.reason in TOO_MANY:  # what is open stays open, and its page says what is left
        messages.error(request, sentences.sentence(refusal.reason))
        return HttpResponseRedirect(account_url(reference))
    unevaluated = refusal.codes or dict.fromkeys(catalogue.CONDITIONS, "check_failed")
    # That the log failed is said beside the rows; they stand as they are now.
    codes = seen.codes if refusal.reason == "record_failed" else unevaluated
    closed = replace(seen, reason=refusal.reason, codes=codes, away=refusal.away or seen.away)
    return closed_gate(request, closed, reference=reference)


def as_released(shown: answers.Reveal, grant: int) -> answers.Decision:
    """The gate as the release judged it a moment ago: asking again would tell nothing newer."""
    return answers.Decision(None, shown.codes, shown.blocked, grant_id=grant)


def _evaluate(request: HttpRequest, reference: str, grant: int | None) -> answers.Decision:
    return decision.evaluate(Caller.of(request), account=reference, grant=grant)


def _of_the_grant(grant: grants.OpenGrant, here: Sequence[grants.OpenGrant]) -> dict[str, object]:
    """What the page says of the access under which it is shown, and of those beside it."""
    return {
        "ticket": grant.ticket,
        "here_url": account_url(grant.reference),
        "account": grant,
        "grant": grant,
        "extend_url": _extend_url(grant),
        "end_url": reverse("end_grant", args=[grant.id]),
        "ending": times.left_until(grant.ends_at) < SOON,
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
    extension: dict[str, object] | None,
) -> dict[str, object]:
    """How the page asks whether what it shows still holds."""
    return live.question(
        request,
        reverse("gate_state", args=[grant.reference]),
        (_facts(grant, here), extension and extension["mark"]),
        was=",".join(str(one.id) for one in (grant, *(other for other in here if other is not grant))),
        data=mark(_data(grant, here)),
    )


def _data(grant: grants.OpenGrant, here: Sequence[grants.OpenGrant]) -> object:
    """What the page's fields rest on: while it is the same, revealed values stay where they are."""
    return grant.id, [(one.id, sorted(one.blocked.items())) for one in here]


def _facts(grant: grants.OpenGrant, here: Sequence[grants.OpenGrant]) -> object:
    return _data(grant, here), [one.ends_at for one in here], grant.beside, grant.today.words


def _more(request: HttpRequest, grant: grants.OpenGrant) -> dict[str, object] | None:
    """What was asked for beyond the day's budget, once most of that is used."""
    return more_today.todays_request(request, grant.id) if grant.today.words else None


def _extend_url(grant: grants.OpenGrant) -> str:
    return request_url(grant.reference, grant.ticket, again=str(grant.request))
