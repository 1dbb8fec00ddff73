"""The versions of the agreement: all of them, one to be read, recalling.

No rule stands here: the database judges each act, does it and records it, or records the refusal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staff.directory import people
from staff.frame.callers import Caller
from staff.models import Member, NdaDraft, NdaVersion, Signature
from staff.nda import register, versions
from staff.nda.forms.agreements import SignForm
from staff.nda.views.signing import reading
from staff.session.decorators import SURE, post_only, refusal, role_required
from staff.session.members import member_of


@require_safe
@role_required("people")
def ndas(request: HttpRequest) -> HttpResponse:
    """All versions with their hashes, the draft, and what waits for an officer."""
    now = timezone.now()
    every = NdaVersion.objects.defer("text_en", "text_pl").select_related("published_by")
    required = versions.required(at=now)
    facts = {
        "versions": [(one, _state(one, required, now)) for one in every],
        "draft": NdaDraft.objects.select_related("updated_by").first(),
        "following": versions.following_number(),
        "to_countersign": waiting(Signature.Form.DOCUMENTARY).count(),
        "to_confirm": waiting(Signature.Form.PAPER).count(),
    }
    return render(request, "staff/nda/ndas.html", facts)


def waiting(form: str) -> Any:
    """Signatures of a form that wait for a second person, the oldest first; none of a recalled version."""
    found = Signature.objects.filter(
        form=form, counts_from=None, withdrawn_at=None, version__recalled_at=None
    )
    return found.filter(valid_until__gt=timezone.now()).order_by("signed_at", "id")


def _state(version: NdaVersion, required: NdaVersion | None, now: datetime) -> str:
    if version.recalled_at is not None:
        return "recalled"
    if version.effective_at > now:
        return "to_come"
    return "required" if version == required else "old"


@require_safe
@role_required("people")
def nda_version(request: HttpRequest, number: int) -> HttpResponse:
    """A published text, as it was signed."""
    version = get_object_or_404(NdaVersion, number=number)
    return read_page(request, version, reverse("nda_version", args=[number]), preview=False)


def read_page(request: HttpRequest, version: NdaVersion, address: str, *, preview: bool) -> HttpResponse:
    """The page of a text, in the language that was chosen; `address`: where the other one is had."""
    chosen = request.GET.get("text", member_of(request).language)
    language = chosen if chosen in dict(settings.LANGUAGES) else "en"
    facts = reading(version, language) | {
        "switch": f"{address}?",
        "preview": preview,
        "form": SignForm(member_of(request)),
    }
    return render(request, "staff/nda/nda_reading.html", facts)


@post_only("ndas")
def nda_recall(request: HttpRequest, number: int) -> HttpResponse:
    """Take a version back before anybody has to have signed it; said first is what follows from it."""
    if SURE not in request.POST:
        reason = people.authorize(Caller.of(request), "people")
        version = NdaVersion.objects.filter(number=number).first()
        if reason:
            return refusal(request, reason)
        if version and _state(version, None, timezone.now()) == "to_come":
            return _recall_question(request, version)
    reason = versions.recall(Caller.of(request), number)
    if reason in {"value_refused", "no_change"}:
        messages.error(request, _("Only a version that is not required yet can be recalled."))
    elif reason:
        return refusal(request, reason)
    else:
        messages.success(request, _("The version is recalled, and that is recorded."))
    return redirect("ndas")


def _recall_question(request: HttpRequest, version: NdaVersion) -> HttpResponse:
    signed = Member.objects.filter(signatures__version=version, signatures__withdrawn_at=None).distinct()
    lines = list(register.lines_of(signed.order_by("number")))
    others = NdaVersion.objects.exclude(pk=version.pk).defer("text_en", "text_pl")
    facts = {
        "version": version,
        "signed": len(lines),
        "without": [line.member for line in lines if line.reason],
        "instead": others.filter(recalled_at=None, effective_at__lt=version.effective_at).first(),
        "sure": SURE,
    }
    return render(request, "staff/nda/nda_recall.html", facts)
