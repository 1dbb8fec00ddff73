"""A member's own second factors: which there are, adding, removing, recovery codes.

Whatever changes one asks for a proof that is five minutes old at most, and asks for another afterwards.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staff.frame import mails
from staff.frame.reasons import words_of
from staff.frame.redirects import NEXT, safe_next
from staff.frame.sign_in import as_one
from staff.models import RecoveryCode, TotpDevice
from staff.secrets import totp
from staff.secrets.recovery_codes import COUNT, digest_of
from staff.session.decorators import never_carried, post_only, refusal
from staff.session.members import member_of
from staff.sign_in import factors, records, sheets, verification
from staff.sign_in.forms.factors import FactorNameForm, RemovalForm, TotpForm
from staff.sign_in.views.sign_in import page, refuse_code

STALE = "mfa_stale"


@require_safe
def own_factors(request: HttpRequest) -> HttpResponse:
    """The list, with what can be done to it."""
    return _show(request)


def _show(request: HttpRequest, *, problem: object = "", status: int = 200) -> HttpResponse:
    member = member_of(request)
    facts: dict[str, Any] = {
        "devices": [(factors.kind_of(one), one) for one in factors.lasting(member)],
        "sheet": sheets.in_use(member),
        "problem": problem,
        "is_mailed": mails.are_configured(),
    }
    return render(request, "staff/sign_in/factors.html", facts, status=status)


@page
def add_passkey(request: HttpRequest) -> HttpResponse:
    """A name, and the button; the ceremony does the rest (`staff.sign_in.views.passkeys`)."""
    if not factors.is_fresh(request):
        return refusal(request, STALE)
    form = FactorNameForm(request.POST if request.method == "POST" else None)
    return render(request, "staff/sign_in/add_passkey.html", {"form": form})


@page
def add_totp(request: HttpRequest) -> HttpResponse:
    """Another application: its key, and its first code."""
    if not factors.is_fresh(request):
        return refusal(request, STALE)
    member = member_of(request)
    device = factors.waiting_totp(member)
    if request.method != "POST" or device is None:
        device, form = factors.enrol_totp(member), TotpForm()
    else:
        form = TotpForm(request.POST)
        if form.is_valid() and not is_other_key(request, device, form):
            with as_one():
                confirmed = factors.confirm_totp(device, form.cleaned_data["code"], form.cleaned_data["name"])
                if confirmed:
                    verification.added(request, device, first=False)
            if confirmed:
                messages.success(request, _("The application was added."))
                return redirect("factors")
            refuse_code(form, "step-up", factors.wait_of(device))
    facts = {
        "form": form,
        "qr": totp.qr(totp.config_url(device.key, member.number)),
        "secret": totp.secret_of(device.key),
        "mark": factors.mark_of_key(device),
    }
    return render(request, "staff/sign_in/add_totp.html", facts)


def is_other_key(request: HttpRequest, device: TotpDevice, form: Form) -> bool:
    """Whether the page whose form was sent shows a key that has been replaced: said at the code's field."""
    if request.POST.get("key", factors.mark_of_key(device)) == factors.mark_of_key(device):
        return False
    words = _(
        "This page was opened once more meanwhile, and made another key. Scan the one that stands here now,"
        " and delete the one before from the application."
    )
    form.add_error("code", words)
    return True


@post_only("factors")
def remove_factor(request: HttpRequest) -> HttpResponse:
    """Remove one of one's own; never the last."""
    if not factors.is_fresh(request):
        return refusal(request, STALE)
    form = RemovalForm(request.POST)
    reason = "factor_unknown"
    if form.is_valid():
        reason = factors.remove(request, form.cleaned_data["kind"], form.cleaned_data["pk"])
    if reason:
        return _show(request, problem=words_of(reason), status=409)
    messages.success(request, _("The second factor was removed."))
    return redirect("factors")


# Recovery codes


@post_only("factors")
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """A new sheet, shown this once."""
    if not factors.is_fresh(request):
        return refusal(request, STALE)
    return show_new_sheet(request)


def show_new_sheet(request: HttpRequest) -> HttpResponse:
    """Ten codes, to be kept somewhere else; they count when the member says so."""
    codes = sheets.make(member_of(request))
    enrolling = verification.ENROLLING in request.session
    target = safe_next(request) if enrolling else reverse("factors")
    facts = {"codes": codes, "mark": sheets.mark_of(codes), NEXT: target}
    return render(request, "staff/sign_in/recovery_codes.html", facts)


@post_only("factors")
def recovery_kept(request: HttpRequest) -> HttpResponse:
    """The codes are kept: from now on they count, and those of before do not.

    After enrolment one goes on; later it is a change of factors as any other.
    """
    if sheets.is_overtaken(member_of(request), request.POST.get("sheet", "")):
        messages.error(
            request, _("Other codes were made since: those that you just kept do not count. Make new ones.")
        )
        return redirect("factors")
    enrolling = request.session.pop(verification.ENROLLING, None) is not None
    with as_one():
        if sheets.keep(member_of(request)):
            if enrolling:
                records.factor_changed("recovery codes made")
            else:
                factors.changed(request, "recovery codes made")
    return HttpResponseRedirect(safe_next(request))


@never_carried
@post_only("factors")
def recovery_file(request: HttpRequest) -> HttpResponse:
    """The codes of the page as a file: sent back as they came, if they are the member's."""
    codes = request.POST.getlist("codes")[:COUNT]
    digests = [digest_of(code) for code in codes]
    known = RecoveryCode.objects.filter(device__user=member_of(request), digest__in=digests).count()
    if not codes or known != len(codes):
        return refusal(request, "check_failed")
    answer = HttpResponse("\n".join([*codes, ""]), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="gatekeeper-recovery-codes.txt"'
    return answer
