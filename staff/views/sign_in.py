"""Signing in: password, then code; enrolling the second factor; proving it again; signing out."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from audit.context import attempted
from staff import factors, invitations, records, sessions, totp
from staff.decorators import before_factor
from staff.forms import CodeForm, SignInForm
from staff.members import member_of
from staff.models import Invitation, Member, TotpDevice
from staff.reasons import REASONS
from staff.redirects import NEXT, safe_next

BACKEND = "staff.backends.PasswordBackend"
#: In the session of whoever came by a link: only they may enrol a second factor.
INVITATION = "invitation"

page = require_http_methods(["GET", "HEAD", "POST"])


@login_not_required
@page
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password. One sentence for every failure, whatever it was (ASVS 6.3.8)."""
    if request.user.is_authenticated:
        return redirect(safe_next(request))
    form = SignInForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        member = auth.authenticate(request, **form.cleaned_data)
        if isinstance(member, Member):
            begin(request, member, "password")
            return to_second_factor(request, member)
        records.sign_in_failed("password", _why(attempted(request)))
        form.add_error(None, _("The e-mail or the password is wrong."))
    why = REASONS.get(request.GET.get("why", ""), "")
    return render(request, "staff/sign_in.html", {"form": form, "why": why, **_next(request)})


def begin(request: HttpRequest, member: Member, stage: records.Stage) -> None:
    """Start a session of the member's, with a number and a key of its own, and record it."""
    auth.login(request, member, backend=BACKEND)
    sessions.of(request).save()  # the row, and with it the number that the entry names
    records.signed_in(stage)


def to_second_factor(request: HttpRequest, member: Member) -> HttpResponse:
    """On to the code, or to enrolling; `next` goes along."""
    name = "sign_in_code" if factors.has_factor(member) else "enrol"
    query = urlencode({key: value for key, value in _next(request).items() if value})
    return HttpResponseRedirect(reverse(name) + (f"?{query}" if query else ""))


def _why(member: object) -> str:
    """The reason for the log alone."""
    if not isinstance(member, Member):
        return "email_unknown"
    return member.barred_because() or "password_wrong"


def _next(request: HttpRequest) -> dict[str, str]:
    return {NEXT: request.POST.get(NEXT) or request.GET.get(NEXT) or ""}


@before_factor
@page
def code(request: HttpRequest) -> HttpResponse:
    """The code of the second factor, after the password."""
    member = member_of(request)
    if factors.is_verified(request):
        return redirect(safe_next(request))
    if not factors.has_factor(member):
        return to_second_factor(request, member)
    return _ask_for_code(request, member, "code", "staff/code.html")


@page
def step_up(request: HttpRequest) -> HttpResponse:
    """The code once more, where an act needs a fresh one; back to where it was asked for."""
    return _ask_for_code(request, member_of(request), "step-up", "staff/step_up.html")


def _ask_for_code(request: HttpRequest, member: Member, stage: records.Stage, template: str) -> HttpResponse:
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        device = factors.verify(member, form.cleaned_data["code"])
        if device is not None:
            return _verified(request, member, device, stage)
        _refuse_code(form, stage, factors.seconds_to_wait(member))
    return render(request, template, {"form": form, **_next(request)})


def _verified(request: HttpRequest, member: Member, device: TotpDevice, stage: records.Stage) -> HttpResponse:
    if request.session.pop(INVITATION, None) is not None:
        invitations.use_up(member)
    factors.accept(request, device)
    records.signed_in(stage)
    return redirect(safe_next(request))


def _refuse_code(form: CodeForm, stage: records.Stage, wait: int) -> None:
    records.sign_in_failed(stage, "code_throttled" if wait > 1 else "code_wrong")
    form.add_error("code", _("This code is not right, or was used before. Wait for the next one."))
    if wait > 1:
        words = ngettext(
            "After this many attempts, the next code is looked at in %(n)s second.",
            "After this many attempts, the next code is looked at in %(n)s seconds.",
            wait,
        )
        form.add_error("code", words % {"n": wait})


@before_factor
@page
def enrol(request: HttpRequest) -> HttpResponse:
    """The key of a second factor, and its first code: for those who came by a one-time link.

    The password alone is not enough: whoever guessed it would enrol their own telephone.
    """
    member = member_of(request)
    if factors.has_factor(member):
        return to_second_factor(request, member)
    if not _came_by_link(request, member):
        return render(request, "staff/link_needed.html", status=403)
    if request.method == "POST":
        return _confirm(request, member)
    return _show_key(request, member, factors.enrol_totp(member), CodeForm())


def _came_by_link(request: HttpRequest, member: Member) -> bool:
    link = Invitation.objects.filter(
        pk=request.session.get(INVITATION, 0), member=member, used_at__isnull=True
    )
    return link.exists()


def _confirm(request: HttpRequest, member: Member) -> HttpResponse:
    form, device = CodeForm(request.POST), factors.waiting_totp(member)
    if device is None:
        return redirect("enrol")
    if form.is_valid():
        if factors.confirm_totp(device, form.cleaned_data["code"]):
            records.factor_enrolled()
            return _verified(request, member, device, "code")
        _refuse_code(form, "code", 0)
    return _show_key(request, member, device, form)


def _show_key(request: HttpRequest, member: Member, device: TotpDevice, form: CodeForm) -> HttpResponse:
    facts = {
        "form": form,
        "qr": totp.qr(totp.config_url(device.key, member.number)),
        "secret": totp.secret_of(device.key),
    }
    return render(request, "staff/enrol.html", facts)


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; the browser forgets what it holds of us."""
    if request.user.is_authenticated:
        records.signed_out()
    auth.logout(request)
    response = redirect("sign_in")
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response
