"""Signing in: password, then the second factor; proving it again; signing out."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from audit.context import attempted
from staff.frame.reasons import REASONS
from staff.frame.redirects import NEXT, safe_next, wanted_next
from staff.frame.sign_in import as_one
from staff.models import Member
from staff.session import members, sessions
from staff.session.decorators import before_factor, closing, post_only
from staff.session.members import member_of
from staff.sign_in import factors, hash_queue, lockout, passwords, records, verification
from staff.sign_in.forms.sign_in import CodeForm, SignInForm

BACKEND = "staff.sign_in.backends.PasswordBackend"

page = require_http_methods(["GET", "HEAD", "POST"])


@login_not_required
@page
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password. One sentence for every failure, whatever it was (ASVS 6.3.8)."""
    if request.user.is_authenticated or (request.method != "POST" and sessions.of(request).locked):
        return redirect(safe_next(request))
    form = SignInForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            member = _judged(request, form)
        except hash_queue.BusyError:
            form.add_error(None, hash_queue.words())
            return hash_queue.refuse(
                render(request, "staff/sign_in/sign_in.html", {"form": form, **_next(request)})
            )
        if member is not None:
            begin(request, member, "password")
            return to_second_factor(request, member)
        if not lockout.was_locked(request):
            records.sign_in_failed("password", _why(attempted(request)))
        shut = lockout.is_locked(request)
        form.add_error(None, lockout.words(request) if shut else _("The e-mail or the password is wrong."))
    why = REASONS.get(request.GET.get("why", ""), "")
    facts = {"form": form, "why": why, **_next(request)}
    return lockout.answer(request, render(request, "staff/sign_in/sign_in.html", facts))


def _judged(request: HttpRequest, form: SignInForm) -> Member | None:
    """The member whose e-mail and password these are. Raises BusyError, before anything is looked at."""
    with hash_queue.STRANGERS.take(lockout.address(request)):
        member = auth.authenticate(request, **form.cleaned_data)
        if not isinstance(member, Member):
            return None
        passwords.renew(member, form.cleaned_data["password"])
        return member


def begin(request: HttpRequest, member: Member, stage: records.Stage) -> None:
    """Start a session of the member's, with a number and a key of its own, and record it, or neither.

    With it what failed before from this address is forgotten.
    """
    sessions.of(request).stage = stage
    with as_one():
        auth.login(request, member, backend=BACKEND)
        lockout.forget(request, member)
        sessions.of(request).save()


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
    return {NEXT: wanted_next(request)}


@before_factor
@page
def code(request: HttpRequest) -> HttpResponse:
    """The code of the second factor, after the password."""
    member = member_of(request)
    if factors.is_verified(request):
        return redirect(safe_next(request))
    if not factors.has_factor(member):
        return to_second_factor(request, member)
    return _ask_for_code(request, member, "code", "staff/sign_in/code.html")


@page
def step_up(request: HttpRequest) -> HttpResponse:
    """The proof once more, where a page needs a fresh one; back to where it was asked for.

    A proof that comes with the form is judged before (SessionGuardMiddleware).
    """
    proved = not getattr(request, "proof_missing", True) or factors.is_fresh(request)  # or by a passkey
    if request.method == "POST" and proved:
        return redirect(safe_next(request))
    missing = request.method == "POST"
    facts = {
        "problem": _("Enter the code, or use the passkey.") if missing else "",
        "action": reverse("step_up"),
        "back": safe_next(request),
        **_next(request),
    }
    return render(request, "staff/session/step_up.html", facts)


def _ask_for_code(request: HttpRequest, member: Member, stage: records.Stage, template: str) -> HttpResponse:
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        token = form.cleaned_data["code"]
        device = factors.prove(request, token)
        if device is not None:
            verification.passed(request, device, stage)
            return redirect(safe_next(request))
        refuse_code(form, stage, factors.seconds_to_wait(member, token))
    return render(request, template, {"form": form, **_next(request)})


def refuse_code(form: Form, stage: records.Stage, wait: int) -> None:
    """Record a code that proved nothing, and say so at its field; `wait`: seconds until the next counts."""
    records.sign_in_failed(stage, "code_throttled" if wait > 1 else "code_wrong")
    form.add_error("code", _("This code is not right, or was used before. Wait for the next one."))
    if wait > 1:
        words = ngettext(
            "After this many attempts, the next code can be checked in %(n)s second.",
            "After this many attempts, the next code can be checked in %(n)s seconds.",
            wait,
        )
        form.add_error("code", words % {"n": wait})


@login_not_required
@closing
@post_only("home")
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; the browser forgets what it holds of us, and of no other host.

    Our cookies are named one by one: Clear-Site-Data's "cookies" reaches the whole registrable domain, and
    would sign people out of the company's other sites (Clear Site Data §3.1). Where the database cannot
    record it, the browser forgets all the same, and the next page says what is left.
    """
    response = redirect("sign_in")
    try:
        members.sign_out(request)
    except (OperationalError, InterfaceError):
        sessions.of(request).forget()
        response = redirect(f"{reverse('sign_in')}?{urlencode({'why': 'sign_out_unrecorded'})}")
    response["Clear-Site-Data"] = '"cache", "storage"'
    for cookie in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        response.delete_cookie(cookie, samesite="Lax")
    return response
