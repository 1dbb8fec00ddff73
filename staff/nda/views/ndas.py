"""The versions of the agreement: drafting, previewing, publishing, recalling.

No rule stands here: the database judges each act, does it and records it, or records the refusal.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from staff.directory import people
from staff.frame.callers import Caller
from staff.frame.days import beginning_of
from staff.models import Member, NdaDraft, NdaVersion, Signature
from staff.nda import agreements, register
from staff.nda.forms.agreements import DraftForm, SignForm
from staff.nda.views.signing import reading
from staff.session.decorators import SURE, post_only, refusal, resendable, role_required
from staff.session.members import member_of
from staff.sign_in.views.sign_in import page

FIELDS: Final = ("text_en", "text_pl", "effective_on", "term_days", "grace_days", "countersigned")


@require_safe
@role_required("people")
def ndas(request: HttpRequest) -> HttpResponse:
    """All versions with their hashes, the draft, and what waits for an officer."""
    now = timezone.now()
    versions = NdaVersion.objects.defer("text_en", "text_pl").select_related("published_by")
    required = agreements.required(at=now)
    facts = {
        "versions": [(one, _state(one, required, now)) for one in versions],
        "draft": NdaDraft.objects.select_related("updated_by").first(),
        "following": _following(),
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
    return _read(request, version, reverse("nda_version", args=[number]), preview=False)


@require_safe
@role_required("people")
def nda_preview(request: HttpRequest) -> HttpResponse:
    """The draft exactly as the member will see it."""
    draft = NdaDraft.objects.first()
    if draft is None:
        return redirect("nda_draft")
    version = NdaVersion(number=_following(), text_en=draft.text_en, text_pl=draft.text_pl)
    return _read(request, version, reverse("nda_preview"), preview=True)


def _read(request: HttpRequest, version: NdaVersion, address: str, *, preview: bool) -> HttpResponse:
    wish = request.GET.get("text", member_of(request).language)
    language = wish if wish in dict(settings.LANGUAGES) else "en"
    facts = reading(version, language) | {
        "switch": f"{address}?",
        "preview": preview,
        "form": SignForm(member_of(request)),
    }
    return render(request, "staff/nda/nda_reading.html", facts)


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
    facts = {"form": form, "seen": _seen(draft), "number": _following()}
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
        "%(number)s saved another draft meanwhile. What you typed stands here: saving it replaces theirs."
    )
    return words % {"number": draft.updated_by.number if draft else ""}


def _initial(draft: NdaDraft | None) -> dict[str, Any]:
    """The draft; or the newest version, to be changed; or our sample."""
    source = draft or NdaVersion.objects.filter(recalled_at=None).exclude(text_en="").first()
    if source is None:
        texts = {f"text_{language}": agreements.sample(language) for language in ("en", "pl")}
        return texts | {"effective_on": timezone.localdate()}
    return {name: getattr(source, name, None) for name in FIELDS}


@page
@role_required("people")
def nda_publish(request: HttpRequest) -> HttpResponse:
    """Says how many members the draft will shut out and when; a POST publishes it."""
    draft = NdaDraft.objects.first()
    if draft is None or draft.effective_on is None:
        if request.method == "POST":
            agreements.publish(Caller.of(request), None)
        return redirect("nda_draft")
    if request.method != "POST":
        return _confirmation(request, draft)
    if request.POST.get("seen") != _digest(draft):
        agreements.publish(Caller.of(request), None)
        problem = _("The draft was changed meanwhile. Look at it again before you publish it.")
        return _confirmation(request, draft, problem, status=409)
    reason = agreements.publish(Caller.of(request), _terms(draft))
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
    shut = register.shut_out(effective_at=terms.effective_at, grace_days=terms.grace_days)
    facts = {
        "draft": draft,
        "terms": terms,
        "shut_out": shut,
        "total": sum(count for _moment, count in shut),
        "seen": _digest(draft),
        "problem": problem,
    }
    return render(request, "staff/nda/nda_publish.html", facts, status=status)


def _terms(draft: NdaDraft) -> agreements.Terms:
    day = draft.effective_on or timezone.localdate()
    return agreements.Terms(
        number=_following(),
        effective_at=timezone.now() if day == timezone.localdate() else beginning_of(day),
        term_days=draft.term_days,
        grace_days=draft.grace_days,
        countersigned=draft.countersigned,
        text_en=draft.text_en,
        text_pl=draft.text_pl,
    )


def _digest(draft: NdaDraft) -> str:
    """What the officer saw: another draft, or another number, is published by nobody unseen."""
    facts = [_following(), *(str(getattr(draft, name)) for name in FIELDS)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@post_only("ndas")
def nda_recall(request: HttpRequest, number: int) -> HttpResponse:
    """Take a version back before anybody has to have signed it; said first is what follows from it."""
    if SURE not in request.POST:
        reason = people.officer(Caller.of(request), "people")
        version = NdaVersion.objects.filter(number=number).first()
        if reason:
            return refusal(request, reason)
        if version and _state(version, None, timezone.now()) == "to_come":
            return _recall_question(request, version)
    reason = agreements.recall(Caller.of(request), number)
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


def _following() -> int:
    newest = NdaVersion.objects.order_by("-number").first()
    return newest.number + 1 if newest else 1
