"""One's own settings; they are kept on the server, not in the browser."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from staff.frame.redirects import safe_next
from staff.models import Member
from staff.nda import register
from staff.session.decorators import post_only
from staff.session.members import member_of
from staff.sign_in.forms.profile import ProfileForm

CHOICES = {"language": set(dict(settings.LANGUAGES)), "theme": {"auto", "light", "dark"}}


@require_safe
def profile(request: HttpRequest) -> HttpResponse:
    """Who I am here, what I signed, and how the pages look to me."""
    member = member_of(request)
    facts = {
        "form": ProfileForm(initial={"language": member.language, "theme": member.theme}),
        "line": register.line_of(member),
    }
    return render(request, "staff/sign_in/profile.html", facts)


@login_not_required
@post_only("home")
def preferences(request: HttpRequest) -> HttpResponse:
    """Language and theme, from every page's head; a visitor's language goes into the address."""
    chosen = {name: request.POST[name] for name in CHOICES if request.POST.get(name) in CHOICES[name]}
    target = safe_next(request)
    if isinstance(request.user, Member):
        _keep(request.user, chosen)
    elif "language" in chosen:
        parts = urlsplit(target)
        query = {**dict(parse_qsl(parts.query)), "lang": chosen["language"]}
        target = parts._replace(query=urlencode(query)).geturl()
    return redirect(target)


def _keep(member: Member, chosen: dict[str, str]) -> None:
    for name, value in chosen.items():
        setattr(member, name, value)
    # The entry is written before the save: both, or neither.
    with transaction.atomic():
        member.save(update_fields=list(chosen))
