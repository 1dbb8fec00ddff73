"""Others' signatures: countersigning, filing what was signed elsewhere, seeing the original.

No rule stands here: the database judges each act, does it and records it, or records the refusal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from staff.frame.callers import Caller
from staff.frame.names import parts_of
from staff.frame.reasons import words_of
from staff.models import Member, Signature
from staff.nda import signatures
from staff.nda.documents import uploaded
from staff.nda.forms.agreements import SignaturesForm, UploadForm
from staff.nda.views.ndas import waiting
from staff.session.decorators import refusal, role_required
from staff.session.members import member_of
from staff.sign_in.views.sign_in import page

#: Reasons that speak of one signature among those ticked; the others go on.
OF_ONE = frozenset({"not_yourself", "second_person", "no_change", "value_refused", "seal_failed"})


@page
@role_required("countersign")
def nda_countersign(request: HttpRequest) -> HttpResponse:
    """Signatures that wait for a people officer; many are countersigned at once, never one's own."""
    found = list(waiting(Signature.Form.DOCUMENTARY).select_related("member"))
    return _tick(request, found, "staff/nda/nda_countersign.html", _countersign)


@page
@role_required("confirm")
def unconfirmed_scans(request: HttpRequest) -> HttpResponse:
    """Scans whose paper a second person has to see: an officer or administrator, not who filed them."""
    found = list(waiting(Signature.Form.PAPER).select_related("member", "entered_by"))
    return _tick(request, found, "staff/nda/unconfirmed_scans.html", _confirm)


def _countersign(request: HttpRequest, signature: int | None) -> str:
    return signatures.countersign(Caller.of(request), member_of(request), signature)


def _confirm(request: HttpRequest, signature: int | None) -> str:
    return signatures.confirm_original(Caller.of(request), signature)


def _tick(
    request: HttpRequest, found: list[Signature], template: str, do: Callable[[HttpRequest, int | None], str]
) -> HttpResponse:
    form = SignaturesForm([one.pk for one in found], request.POST if request.method == "POST" else None)
    if form.is_bound and not form.is_valid():
        reason = do(request, None)
        if reason not in OF_ONE:
            return refusal(request, reason)
    if not form.is_bound or not form.is_valid():
        mine = member_of(request).pk
        rows = [
            (one, mine not in {one.member_id, one.entered_by_id if one.form == "paper" else None})
            for one in found
        ]
        status = 422 if form.is_bound else 200
        return render(request, template, {"rows": rows, "form": form}, status=status)
    reasons: Counter[str] = Counter()
    for signature in form.cleaned_data["signature"]:
        reason = do(request, signature)
        if reason and reason not in OF_ONE:
            return refusal(request, reason)
        reasons[reason] += 1
    _report(request, reasons)
    return redirect(request.path)


def _report(request: HttpRequest, reasons: Counter[str]) -> None:
    done = reasons.pop("", 0)
    if done:
        words = ngettext("%d signature is done, and recorded.", "%d signatures are done, and recorded.", done)
        messages.success(request, words % done)
    for reason, count in reasons.items():
        words = ngettext("%(count)d was not: %(why)s", "%(count)d were not: %(why)s", count)
        messages.error(request, words % {"count": count, "why": words_of(reason)})


@page
@role_required("people")
def nda_upload(request: HttpRequest, number: str) -> HttpResponse:
    """File a PDF that a member signed elsewhere: with an electronic signature, or a scan of paper."""
    subject = get_object_or_404(Member, number=number)
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = UploadForm(data, files, initial={"day": timezone.localdate()})
    if not form.is_bound:
        return _upload_page(request, subject, form)
    if not form.is_valid():
        return _unusable(request, subject, form)
    if form.cleaned_data["kind"] == UploadForm.PAPER:
        return _file_scan(request, subject, form)
    return _file_electronic(request, subject, form)


def _upload_page(
    request: HttpRequest, subject: Member, form: UploadForm, verdict: uploaded.Verdict | None = None
) -> HttpResponse:
    facts = {"subject": subject, "form": form, "verdict": verdict}
    return render(request, "staff/nda/nda_upload.html", facts, status=422 if form.is_bound else 200)


def _unusable(
    request: HttpRequest, subject: Member, form: UploadForm, verdict: uploaded.Verdict | None = None
) -> HttpResponse:
    """The page again with what is wrong: nothing is filed by it, and that it was tried is recorded."""
    _signature, reason = signatures.upload(Caller.of(request), subject.number)
    if reason not in OF_ONE:
        return refusal(request, reason)
    return _upload_page(request, subject, form, verdict)


def _file_scan(request: HttpRequest, subject: Member, form: UploadForm) -> HttpResponse:
    """A scan proves nothing by itself; it must open, for the second person compares it with the original."""
    problem = uploaded.scan_problem(form.cleaned_data["file"])
    if problem:
        form.add_error("file", problem)
        return _upload_page(request, subject, form)
    evidence = {"ok": None, "kind": UploadForm.PAPER}
    return _file(request, subject, form, UploadForm.PAPER, form.signed_at, evidence)


def _file_electronic(request: HttpRequest, subject: Member, form: UploadForm) -> HttpResponse:
    """The verdict decides, and appears in the evidence; whose signature it is the officer says."""
    verdict = uploaded.verdict(form.cleaned_data["file"])
    if verdict.ok and not _same_name(verdict.signer, subject.name) and not form.cleaned_data["same_person"]:
        form.add_error(
            "same_person",
            _("The signature is %(signer)s’s. Make sure that this is the same person.")
            % {"signer": verdict.signer},
        )
    if not verdict.ok or form.errors:
        if not verdict.ok:
            form.add_error("file", verdict.sentence)
        return _unusable(request, subject, form, verdict)
    signed_at = min(verdict.signed_at or timezone.now(), timezone.now())
    evidence = {
        "ok": True,
        "kind": verdict.kind,
        "code": verdict.code,
        "signer": verdict.signer,
        "signed_at": signed_at.isoformat(),
        "same_person": form.cleaned_data["same_person"],
    }
    return _file(request, subject, form, verdict.kind, signed_at, evidence, verdict)


def _file(
    request: HttpRequest, subject: Member, form: UploadForm, kind: str, signed_at: datetime,
    evidence: dict[str, Any], verdict: uploaded.Verdict | None = None,
) -> HttpResponse:  # fmt: skip
    _signature, reason = signatures.upload(
        Caller.of(request), subject.number, version=form.cleaned_data["version"].number, form=kind,
        signed_at=signed_at, evidence=evidence, pdf=form.cleaned_data["file"],
    )  # fmt: skip
    if reason in {"not_yourself", "no_change", "value_refused"}:
        form.add_error(None, str(words_of(reason)))
        return _upload_page(request, subject, form, verdict)
    if reason:
        return refusal(request, reason)
    if verdict is None:
        messages.success(request, _("Filed. It counts as soon as a second person has seen the original."))
    else:
        messages.success(request, _("Filed, and in force. %(verdict)s") % {"verdict": verdict.sentence})
    return redirect("member", subject.number)


def _same_name(signer: str, name: str) -> bool:
    """Whether every part of the member's name appears in the certificate's, in any order."""
    return set(parts_of(name)) <= set(parts_of(signer))
