"""The member's own agreement: read, sign, take a copy. Open before the first day, and once expired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staff.frame import mails
from staff.frame.callers import Caller
from staff.frame.redirects import NEXT, wanted_next
from staff.models import Member, NdaVersion, Signature
from staff.nda import register, reminders, signatures, signing, versions
from staff.nda.documents.markdown import to_html
from staff.nda.documents.nda import secrecy_goes_on
from staff.nda.forms.agreements import SignForm
from staff.session import sessions
from staff.session.decorators import refusal
from staff.session.members import member_of
from staff.sign_in.views.sign_in import page

#: A proof that is about to be too old is asked for with the signature, not after it.
MARGIN: Final = timedelta(minutes=1)


@page
def nda(request: HttpRequest) -> HttpResponse:
    """The text in the member's language, and signing it: a name, a sentence, a step-up."""
    member = member_of(request)
    version = versions.to_sign(member)
    if request.method != "POST":
        return _page(request, version)
    if version is None:
        return _signed_already(request)
    form = SignForm(member, request.POST)
    if not form.is_valid():
        signing.refuse_to_sign(Caller.of(request))
        return _page(request, version, form, status=422)
    if form.cleaned_data["version"] != version.number:
        signing.refuse_to_sign(Caller.of(request))
        form.add_error(None, _("Another version has been published meanwhile. Read this one, please."))
        return _page(request, version, form, status=409)
    return _sign(request, member, version, form)


def _signed_already(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("It is signed already."))
    return redirect("nda")


def _sign(request: HttpRequest, member: Member, version: NdaVersion, form: SignForm) -> HttpResponse:
    session = sessions.of(request)
    signature, reason = signing.sign(
        Caller.of(request),
        member,
        version,
        language=form.cleaned_data["language"],
        typed_name=form.cleaned_data["name"],
        session=session.number or 0,
        method=session.factor,
    )
    if reason == "no_change":
        return _signed_already(request)
    if reason:
        return refusal(request, reason)
    return _signed(request, member, member.signatures.get(pk=signature or 0))


def _signed(request: HttpRequest, member: Member, signature: Signature) -> HttpResponse:
    mails.notify(member, "staff/mail/nda_signed.txt", number=signature.pk)
    if signature.counts_from is None:
        for officer in reminders.officers():
            mails.notify(officer, "staff/mail/nda_waits.txt")
        messages.success(request, _("Signed. It counts as soon as a people officer has countersigned it."))
    else:
        messages.success(request, _("Signed. Your copy is on the page NDA."))
    # Straight back to the gate that it came from.
    return redirect(wanted_next(request) or "nda")


def _page(
    request: HttpRequest, version: NdaVersion | None, form: SignForm | None = None, *, status: int = 200
) -> HttpResponse:
    member = member_of(request)
    language = _language(request, member)
    facts: dict[str, Any] = {
        "line": register.line_of(member),
        "signatures": register.signatures_of(member),
        "secrecy": secrecy_goes_on(),
        "next": wanted_next(request),
        "version": version,
    }
    if version is not None:
        initial = {"version": version.number, "language": language}
        facts |= reading(version, language) | {
            "form": form or SignForm(member, initial=initial),
            "to_come": version.effective_at > timezone.now(),
            "waits": versions.waits_for_second(member, version),
            "prove": _proof_is_old(request),
            "switch": f"{reverse('nda')}?{urlencode({NEXT: facts['next']})}&" if facts["next"] else "?",
        }
    return render(request, "staff/nda/nda.html", facts, status=status)


def reading(version: NdaVersion, language: str) -> dict[str, Any]:
    """The text as it is read: for the member's page, and for the officer's preview of it."""
    return {
        "version": version,
        "language": language,
        "text": to_html(versions.text_of(version, language)),
        "consent": signing.consent_sentence(language),
    }


def _language(request: HttpRequest, member: Member) -> str:
    """The one asked for, or the member's: what is signed is what was read."""
    chosen = request.POST.get("language") or request.GET.get("text") or member.language
    return chosen if chosen in dict(settings.LANGUAGES) else "en"


def _proof_is_old(request: HttpRequest) -> bool:
    verified_at = sessions.of(request).verified_at
    age = timedelta(minutes=settings.LIMITS["factor_minutes_signing"])
    return verified_at is None or timezone.now() >= verified_at + max(age - MARGIN, timedelta())


@require_safe
def nda_file(request: HttpRequest, signature: int) -> HttpResponse:
    """A signature's newest file, recorded as an export: one's own, or another's by a people officer."""
    pdf, reason = signatures.take_file(Caller.of(request), signature)
    if reason == "signature_unknown":
        raise Http404
    if reason:
        return refusal(request, reason)
    name = f"NDA-{signature}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)
