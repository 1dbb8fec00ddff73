"""A forgotten password, and a new one of one's own accord."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from django.contrib import auth, messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from audit.context import attempt_by, context
from staff.frame import background, mails
from staff.frame.redirects import NEXT
from staff.models import Member
from staff.session import sessions
from staff.session.decorators import never_carried
from staff.session.members import member_of
from staff.sign_in import factors, hash_queue, lockout, passwords, records
from staff.sign_in.forms.sign_in import ChangePasswordForm, ForgottenForm
from staff.sign_in.views.sign_in import page


@login_not_required
@page
def forgot(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail. The answer is the same for every address, and so is its time.

    Whose it is, is looked up after the answer; here, known or unknown, it is counted alone.
    """
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    facts = {"form": form, "mail": mails.are_configured(), "sent": False}
    if form.is_bound and form.is_valid() and facts["mail"]:
        email = str(form.cleaned_data["email"])
        if lockout.refuses(request, f"forgot {email}"):
            form.add_error(None, lockout.words(request))
            return lockout.answer(request, render(request, "staff/sign_in/forgot.html", facts))
        lockout.count_asking(request, f"forgot {email}")
        background.run(partial(passwords.mail_link, email, context(request)))
        facts["sent"] = True
    return render(request, "staff/sign_in/forgot.html", facts)


@never_carried
@page
def change(request: HttpRequest) -> HttpResponse:
    """Change one's password: the old one, and a fresh proof. All other sessions end.

    The proof comes before the form: a password is never put into a page to be carried along.
    """
    if not factors.is_fresh(request):
        return redirect(f"{reverse('step_up')}?{urlencode({NEXT: reverse('change_password')})}")
    member = member_of(request)
    form = ChangePasswordForm(member, request.POST if request.method == "POST" else None)
    try:
        changed = form.is_bound and form.is_valid() and _changed(request, member, form)
    except hash_queue.BusyError:
        form.add_error(None, hash_queue.words())
        return hash_queue.refuse(render(request, "staff/sign_in/change_password.html", {"form": form}))
    if changed:
        auth.update_session_auth_hash(request, member)
        messages.success(request, _("The password is changed. All other sessions are ended."))
        return redirect("profile")
    return lockout.answer(request, render(request, "staff/sign_in/change_password.html", {"form": form}))


def _changed(request: HttpRequest, member: Member, form: ChangePasswordForm) -> bool:
    """Whether it was changed: the old one was right. Raises BusyError."""
    with hash_queue.MEMBERS.take(member.pk):
        if not _old_is_right(request, member, form):
            return False
        passwords.change(member, form.cleaned_data["password"], but=sessions.of(request).number)
        return True


def _old_is_right(request: HttpRequest, member: Member, form: ChangePasswordForm) -> bool:
    """Whether the old password is the member's; each wrong one counts as at signing in."""
    found = auth.authenticate(request, email=member.email, password=form.cleaned_data["old"])
    if found == member:
        return True
    attempt_by(request, member)
    if lockout.is_locked(request):
        form.add_error(None, lockout.words(request))
    else:
        form.add_error("old", _("This is not your password."))
    if not lockout.was_locked(request):
        records.sign_in_failed("password", "password_wrong")
    return False
