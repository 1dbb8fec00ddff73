"""Standing authorisations: a member's list, issuing and withdrawing, the documents, the register.

No rule stands here: the database judges each act, does it and records it, or records the refusal.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from staff.directory import people
from staff.frame.callers import Caller
from staff.frame.csv_file import CONTENT_TYPE, csv_of
from staff.frame.reasons import words_of
from staff.frame.usable import usable
from staff.models import Authorisation, Member
from staff.nda import authorisations, signatures
from staff.nda.documents import authorisations as documents
from staff.nda.forms.authorisations import AuthorisationForm, OnForm
from staff.nda.signing_key import SigningKeyError
from staff.session.decorators import post_only, refusal, resendable, role_required
from staff.session.members import member_of

logger = logging.getLogger(__name__)

#: Reasons of the act itself: whoever meets them may see the page.
OF_THE_ACT = frozenset({"not_yourself", "no_change", "value_refused", "member_left"})


@resendable(gettext_lazy("The authorisation is issued."), scope=gettext_lazy("Scope"))
@require_http_methods(["GET", "HEAD", "POST"])
def of_member(request: HttpRequest, number: str) -> HttpResponse:
    """One member's authorisations; POST issues one. Officers see anybody's, a member their own."""
    if request.method == "POST":
        return _issue(request, number)
    if number != member_of(request).number:
        reason = people.authorize(Caller.of(request), "people")
        if reason:
            return refusal(request, reason)
    form = AuthorisationForm(initial={"starts_on": timezone.localdate()})
    return _page(request, get_object_or_404(Member, number=number), form)


def _page(
    request: HttpRequest, subject: Member, form: AuthorisationForm, status: int = 200, **more: Any
) -> HttpResponse:
    today = timezone.localdate()
    found = subject.authorisations.select_related("issued_by", "withdrawn_by")
    facts = {
        "subject": subject,
        "oneself": subject.pk == member_of(request).pk,
        "form": form,
        "rows": [(one, _state(one, today)) for one in found],
        **more,
    }
    return render(request, "staff/nda/authorisations_of_member.html", facts, status=status)


def _state(one: Authorisation, today: Any) -> str:
    if one.withdrawn_at is not None:
        return "withdrawn"
    if one.starts_on > today:
        return "to_come"
    return "runs" if authorisations.runs(one, on=today) else "over"


def _issue(request: HttpRequest, number: str) -> HttpResponse:
    form = AuthorisationForm(request.POST)
    _issued, reason = authorisations.issue(Caller.of(request), number, **usable(form))
    if reason == "value_refused" and not form.is_valid():
        return _page(request, get_object_or_404(Member, number=number), form, status=422)
    return _answer(request, number, reason, form)


@post_only("authorisations")
def withdraw(request: HttpRequest, authorisation: int) -> HttpResponse:
    """Withdraw one, and come back to its member's list."""
    reason = authorisations.withdraw(Caller.of(request), authorisation)
    found = Authorisation.objects.filter(pk=authorisation).select_related("member").first()
    if found is None:
        return refusal(request, reason) if reason != "member_unknown" else _unknown()
    return _answer(request, found.member.number, reason, AuthorisationForm())


def _answer(request: HttpRequest, number: str, reason: str, form: AuthorisationForm) -> HttpResponse:
    if not reason:
        messages.success(request, _("Done, and recorded."))
        return redirect("member_authorisations", number)
    if reason == "member_unknown":
        return _unknown()
    if reason not in OF_THE_ACT:
        return refusal(request, reason)
    subject = get_object_or_404(Member, number=number)
    return _page(request, subject, form, status=409, problem=words_of(reason))


def _unknown() -> HttpResponse:
    raise Http404


@post_only("authorisations")
def pdf(request: HttpRequest, authorisation: int) -> HttpResponse:
    """The authorisation as a PDF, for a people officer or its member. The download is an entry."""
    reason = authorisations.record_taking(Caller.of(request), authorisation)
    if reason == "authorisation_unknown":
        return _unknown()
    if reason:
        return refusal(request, reason)
    one = Authorisation.objects.select_related("member", "issued_by", "withdrawn_by").get(pk=authorisation)
    try:
        pdf = documents.authorisation(one, at=timezone.now())
    except SigningKeyError as error:
        return _unsealed(request, error)
    return _file(pdf, "application/pdf", f"upowaznienie-{one.pk}.pdf")


@require_safe
@role_required("people")
def register(request: HttpRequest) -> HttpResponse:
    """The register of authorised persons as of a day."""
    form = OnForm(request.GET if "on" in request.GET else {"on": timezone.localdate().isoformat()})
    if not form.is_valid():
        return render(request, "staff/nda/authorisations.html", {"form": form, "rows": []}, status=422)
    on = form.cleaned_data["on"]
    rows = list(authorisations.in_force(on))
    return render(request, "staff/nda/authorisations.html", {"form": form, "rows": rows, "on": on})


@post_only("authorisations")
def export(request: HttpRequest) -> HttpResponse:
    """The register as a file, PDF or CSV. Taking it is an entry, with the day and the number of lines."""
    form = OnForm(request.POST)
    if not form.is_valid():
        return refusal(request, signatures.record_register(Caller.of(request), "authorisations", None, 0))
    on = form.cleaned_data["on"]
    found = list(authorisations.in_force(on))
    reason = signatures.record_register(Caller.of(request), "authorisations", on, len(found))
    if reason:
        return refusal(request, reason)
    name = f"ewidencja-{on.isoformat()}"
    if request.POST.get("kind") == "csv":
        return _file(csv_of(documents.HEAD, documents.rows(found)), CONTENT_TYPE, f"{name}.csv")
    try:
        pdf = documents.register(found, on=on, at=timezone.now())
    except SigningKeyError as error:
        return _unsealed(request, error)
    return _file(pdf, "application/pdf", f"{name}.pdf")


def _file(data: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(
        data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _unsealed(request: HttpRequest, error: SigningKeyError) -> HttpResponse:
    logger.error("a paper could not be sealed: %s", error)
    return refusal(request, "seal_failed")
