"""The register of agreements: valid, ending, old version, missing; as of any date; as a file."""

from __future__ import annotations

from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from staff.frame.callers import Caller
from staff.frame.csv_file import CONTENT_TYPE, csv_of
from staff.frame.names import is_found_by
from staff.nda import register, signatures
from staff.nda.forms.agreements import RegisterForm
from staff.nda.register import Line, State
from staff.session.decorators import post_only, refusal, role_required
from staff.sign_in.views.sign_in import page as page_method

PAGE: Final = 50
#: What an officer has something to do about comes first.
ORDER: Final = (State.MISSING, State.OLD_VERSION, State.ENDING, State.VALID)


@page_method
@role_required("people")
def nda_register(request: HttpRequest) -> HttpResponse:
    """How each member stands, as of a day; filtered by state, found by number or name.

    A GET may name the state in its address; a name is sent in the body (ASVS 14.2.1).
    """
    form = RegisterForm(request.POST if request.method == "POST" else _from_address(request))
    valid = form.is_valid()
    found = list(register.lines(at=register.moment_of(form.cleaned_data["on"]))) if valid else []
    shown = Paginator(_filtered(found, form.cleaned_data), PAGE).get_page(form.cleaned_data.get("page") or 1)
    facts = {
        "form": form,
        "page": shown,
        "on": form.cleaned_data.get("on") or timezone.localdate(),
        "counts": [(State(state), number) for state, number in register.counts(found).items()],
    }
    return render(request, "staff/nda/nda_register.html", facts, status=200 if valid else 422)


def _from_address(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "") for name in ("state", "on", "page")}


def _filtered(found: list[Line], filters: dict[str, Any]) -> list[Line]:
    text = str(filters.get("text") or "")
    kept = [
        line
        for line in found
        if (not filters.get("state") or line.state == filters["state"])
        and (not text or is_found_by(text, line.member.number, line.member.name))
    ]
    return sorted(kept, key=lambda line: (ORDER.index(line.state), line.member.number))


@post_only("nda_register")
def nda_register_csv(request: HttpRequest) -> HttpResponse:
    """The same as a file: recorded before it leaves, after a fresh step-up."""
    form = RegisterForm(request.POST)
    if not form.is_valid():
        return refusal(request, signatures.record_register(Caller.of(request), "nda", None, 0))
    on = form.cleaned_data["on"]
    found = _filtered(list(register.lines(at=register.moment_of(on))), form.cleaned_data)
    reason = signatures.record_register(Caller.of(request), "nda", on, len(found))
    if reason:
        return refusal(request, reason)
    name = f"nda-{on.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(_csv(found), content_type=CONTENT_TYPE, headers=headers)


def _csv(found: list[Line]) -> bytes:
    head = (
        _("Number"), _("Name"), _("State"), _("Version"), pgettext("signature", "Form"),
        pgettext("signature", "Signed"), _("Valid until"), _("Code"),
    )  # fmt: skip
    return csv_of(head, map(_csv_row, found))


def _csv_row(line: Line) -> list[object]:
    signature = line.signature
    return [
        line.member.number,
        line.member.name,
        line.state.label,
        signature.version_id if signature else "",
        signature.get_form_display() if signature else "",
        timezone.localtime(signature.signed_at).date().isoformat() if signature else "",
        register.last_day(line.ends).isoformat() if line.ends else "",
        line.reason,
    ]
