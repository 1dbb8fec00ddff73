"""The draft of the next version: writing, reading it as a member will, publishing.

No rule stands here: the database judges each act, does it and records it, or records the refusal.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from staff.frame.callers import Caller
from staff.frame.days import beginning_of
from staff.models import NdaDraft, NdaVersion
from staff.nda import register, versions
from staff.nda.forms.agreements import DraftForm
from staff.nda.views.ndas import read_page
from staff.session.decorators import refusal, resendable, role_required
from staff.session.members import member_of
from staff.sign_in.views.sign_in import page

FIELDS: Final = ("text_en", "text_pl", "effective_on", "term_days", "grace_days", "countersigned")


@require_safe
@role_required("people")
def nda_preview(request: HttpRequest) -> HttpResponse:
    """The draft exactly as the member will see it."""
    draft = NdaDraft.objects.first()
    if draft is None:
        return redirect("nda_draft")
    version = NdaVersion(number=versions.following_number(), text_en=draft.text_en, text_pl=draft.text_pl)
    return read_page(request, version, reverse("nda_preview"), preview=True)


@resendable(
    gettext_lazy("The draft is saved."),
    text_en=gettext_lazy("English text"),
    text_pl=gettext_lazy("Polish text"),
)
@page
@role_required("people")
def nda_draft(request: HttpRequest) -> HttpResponse:
    """What a people officer is writing; saving it binds nobody."""
    draft = NdaDraft.objects.first()
    form = DraftForm(request.POST if request.method == "POST" else None, initial=_initial(draft))
    if form.is_bound and form.is_valid() and _is_overtaken(request, draft, form):
        form.add_error(None, _overtaken(draft))
    if form.is_bound and form.is_valid():
        draft = draft or NdaDraft()
        for name in FIELDS:
            setattr(draft, name, form.cleaned_data[name])
        draft.updated_by = member_of(request)
        draft.save()
        messages.success(request, _("The draft is saved. Nobody is bound by it yet."))
        return redirect("nda_publish" if "publish" in request.POST else "nda_preview")
    status = 422 if form.is_bound else 200
    facts = {"form": form, "seen": _seen(draft), "number": versions.following_number()}
    return render(request, "staff/nda/nda_draft.html", facts, status=status)


def _seen(draft: NdaDraft | None) -> str:
    """What a form began from: '' where there was no draft."""
    return _digest(draft) if draft else ""


def _is_overtaken(request: HttpRequest, draft: NdaDraft | None, form: DraftForm) -> bool:
    """Whether saving would replace what this officer has not seen, and differs."""
    if draft is None or request.POST.get("seen", "") == _seen(draft):
        return False
    return any(form.cleaned_data[name] != getattr(draft, name) for name in FIELDS)


def _overtaken(draft: NdaDraft | None) -> str:
    words = _(
        "%(number)s saved another draft meanwhile. What you typed is still here: saving it replaces theirs."
    )
    return words % {"number": draft.updated_by.number if draft else ""}


def _initial(draft: NdaDraft | None) -> dict[str, Any]:
    """The draft; or the newest version, to be changed; or our sample."""
    source = draft or NdaVersion.objects.filter(recalled_at=None).exclude(text_en="").first()
    if source is None:
        texts = {f"text_{language}": versions.sample(language) for language in ("en", "pl")}
        return texts | {"effective_on": timezone.localdate()}
    return {name: getattr(source, name, None) for name in FIELDS}


@page
@role_required("people")
def nda_publish(request: HttpRequest) -> HttpResponse:
    """Says how many members the draft will shut out and when; a POST publishes it."""
    draft = NdaDraft.objects.first()
    if draft is None or draft.effective_on is None:
        if request.method == "POST":
            versions.publish(Caller.of(request), None)
        return redirect("nda_draft")
    if request.method != "POST":
        return _confirmation(request, draft)
    if request.POST.get("seen") != _digest(draft):
        versions.publish(Caller.of(request), None)
        problem = _("The draft was changed meanwhile. Read it again before you publish it.")
        return _confirmation(request, draft, problem, status=409)
    reason = versions.publish(Caller.of(request), _terms(draft))
    if reason == "value_refused":
        problem = _("Days only grow from version to version, and today is the earliest.")
        return _confirmation(request, draft, problem, status=409)
    if reason:
        return refusal(request, reason)
    NdaDraft.objects.all().delete()
    messages.success(request, _("The version is published, and recorded."))
    return redirect("ndas")


def _confirmation(
    request: HttpRequest, draft: NdaDraft, problem: str = "", status: int = 200
) -> HttpResponse:
    terms = _terms(draft)
    blocked = register.blocked_by_version(effective_at=terms.effective_at, grace_days=terms.grace_days)
    facts = {
        "draft": draft,
        "terms": terms,
        "blocked": blocked,
        "total": sum(count for _moment, count in blocked),
        "seen": _digest(draft),
        "problem": problem,
    }
    return render(request, "staff/nda/nda_publish.html", facts, status=status)


def _terms(draft: NdaDraft) -> versions.Terms:
    day = draft.effective_on or timezone.localdate()
    return versions.Terms(
        number=versions.following_number(),
        effective_at=timezone.now() if day == timezone.localdate() else beginning_of(day),
        term_days=draft.term_days,
        grace_days=draft.grace_days,
        countersigned=draft.countersigned,
        text_en=draft.text_en,
        text_pl=draft.text_pl,
    )


def _digest(draft: NdaDraft) -> str:
    """What the officer saw: another draft, or another number, is published by nobody unseen."""
    facts = [versions.following_number(), *(str(getattr(draft, name)) for name in FIELDS)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
