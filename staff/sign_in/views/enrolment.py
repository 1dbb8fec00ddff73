"""The first second factor: by the one-time link, before anything else opens; then recovery codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from staff.frame.redirects import NEXT, wanted_next
from staff.frame.sign_in import as_one
from staff.secrets import totp
from staff.session.decorators import before_factor
from staff.session.members import member_of
from staff.sign_in import factors, verification
from staff.sign_in.forms.sign_in import CodeForm
from staff.sign_in.views.factors import is_other_key, show_new_sheet
from staff.sign_in.views.sign_in import page, refuse_code, to_second_factor

if TYPE_CHECKING:
    from staff.models import Member, TotpDevice


@before_factor
@page
def enrol(request: HttpRequest) -> HttpResponse:
    """A passkey, or an application's key and its first code: for those who came by a one-time link.

    The password alone is not enough: whoever guessed it would enrol their own telephone. A passkey's
    ceremony ends with this form, sent without a code; either way recovery codes follow.
    """
    member = member_of(request)
    if factors.has_factor(member):
        enrolling = request.method == "POST" and verification.ENROLLING in request.session
        if enrolling and factors.is_fresh(request):
            return show_new_sheet(request)
        return to_second_factor(request, member)
    if not verification.came_by_link(request):
        return render(request, "staff/sign_in/link_needed.html", status=403)
    if request.method == "POST":
        return _confirm(request, member)
    return _show_key(request, member, factors.enrol_totp(member), CodeForm())


def _confirm(request: HttpRequest, member: Member) -> HttpResponse:
    form, device = CodeForm(request.POST), factors.waiting_totp(member)
    if device is None:
        return redirect("enrol")
    if form.is_valid() and not is_other_key(request, device, form):
        with as_one():
            confirmed = factors.confirm_totp(device, form.cleaned_data["code"])
            if confirmed:
                verification.added(request, device, first=True)
        if confirmed:
            return show_new_sheet(request)
        refuse_code(form, "code", factors.wait_of(device))
    return _show_key(request, member, device, form)


def _show_key(request: HttpRequest, member: Member, device: TotpDevice, form: CodeForm) -> HttpResponse:
    facts = {
        "form": form,
        "qr": totp.qr(totp.config_url(device.key, member.number)),
        "secret": totp.secret_of(device.key),
        "mark": factors.mark_of_key(device),
        NEXT: wanted_next(request),
    }
    return render(request, "staff/sign_in/enrol.html", facts)
