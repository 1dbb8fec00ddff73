"""A one-time link: set a password, then go on to the second factor."""

from __future__ import annotations

from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from audit.context import attempt_by
from staff import invitations
from staff.forms import PasswordForm
from staff.models import Member, Session
from staff.views.sign_in import INVITATION, begin, page, to_second_factor


@login_not_required
@page
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a password twice. A member who has a second factor keeps it (ASVS 6.4.3).

    A link that is unknown, used or over is answered alike.
    """
    link = invitations.redeem(token)
    if link is None:
        return render(request, "staff/link_over.html", status=404)
    form = PasswordForm(link.member, request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return render(request, "staff/invitation.html", {"form": form, "member": link.member})
    auth.logout(request)  # whoever sits here, from now on it is the link's member
    attempt_by(request, link.member)
    _set_password(link.member, form.cleaned_data["password"])
    begin(request, link.member, "invitation")
    request.session[INVITATION] = link.pk
    return to_second_factor(request, link.member)


def _set_password(member: Member, password: str) -> None:
    """Set it, and end what was begun under the old one; with the entry, or not at all."""
    with transaction.atomic():
        member.set_password(password)
        member.save(update_fields=["password"])
        Session.objects.filter(member=member, ended_at__isnull=True).update(ended_at=timezone.now())
