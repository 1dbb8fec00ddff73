"""A one-time link: set a password, then go on to the second factor."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from audit.context import attempt_by
from staff.models import Invitation
from staff.session.members import sign_out
from staff.sign_in import hash_queue, hashing, invitations, lockout, passwords
from staff.sign_in.forms.sign_in import PasswordForm
from staff.sign_in.verification import INVITATION
from staff.sign_in.views.sign_in import begin, page, to_second_factor


@login_not_required
@page
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a password twice. A member who has a second factor keeps it (ASVS 6.4.3).

    A link that is unknown, used or over is answered alike.
    """
    about = f"link {lockout.address(request)}"  # a count of this address alone: links have no owner yet
    if lockout.refuses(request, about):
        return too_many(request)
    link = invitations.redeem(token)
    if link is None:
        lockout.count_failure(request, about)
        return too_many(request) if lockout.is_locked(request) else link_over(request)
    form = PasswordForm(link.member, request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return render(request, "staff/sign_in/invitation.html", {"form": form, "member": link.member})
    try:
        with hash_queue.MEMBERS.take(link.member_id):
            encoded = hashing.made(form.cleaned_data["password"])
    except hash_queue.BusyError:
        form.add_error(None, hash_queue.words())
        return hash_queue.refuse(
            render(request, "staff/sign_in/invitation.html", {"form": form, "member": link.member})
        )
    sign_out(request, "link_followed")  # whoever sits here, from now on it is the link's member
    attempt_by(request, link.member)
    if not passwords.use(link, encoded):
        return link_over(request)
    begin(request, link.member, "invitation")
    if link.purpose == Invitation.Purpose.INVITATION:  # one for a password alone enrols nothing
        request.session[INVITATION] = link.pk
    return to_second_factor(request, link.member)


def link_over(request: HttpRequest) -> HttpResponse:
    """One page for every link that opens nothing."""
    return render(request, "staff/sign_in/link_over.html", status=404)


def too_many(request: HttpRequest) -> HttpResponse:
    """So many links opened nothing that none is looked at for a while."""
    return lockout.answer(
        request, render(request, "staff/sign_in/too_many.html", {"words": lockout.words(request)})
    )
