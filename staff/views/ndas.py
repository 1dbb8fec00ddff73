"""The versions of the agreement, and publishing a new one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from staff import people
from staff.callers import Caller
from staff.decorators import refusal, role_required
from staff.forms import NdaVersionForm, beginning_of
from staff.models import NdaVersion
from staff.reasons import words_of
from staff.views.sign_in import page


@page
@role_required("people")
def ndas(request: HttpRequest) -> HttpResponse:
    """All versions; POST publishes a new one, required from a day on."""
    form = NdaVersionForm(
        request.POST if request.method == "POST" else None, initial={"number": _following()}
    )
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            reason = _publish(request, form)
            if not reason:
                messages.success(request, _("The version is published, and recorded."))
                return redirect("ndas")
            if reason != "value_refused":
                return refusal(request, reason)
            form.add_error(None, str(words_of(reason)))
            form.add_error("number", _("Numbers and days only grow from version to version."))
    now = timezone.now()
    versions = [(one, one.effective_at <= now) for one in NdaVersion.objects.all()]
    return render(request, "staff/ndas.html", {"form": form, "versions": versions}, status=status)


def _publish(request: HttpRequest, form: NdaVersionForm) -> str:
    data = form.cleaned_data
    return people.publish_nda_version(
        Caller.of(request),
        data["number"],
        beginning_of(data["effective_on"]),
        data["term_days"],
        data["grace_days"],
    )


def _following() -> int:
    newest = NdaVersion.objects.order_by("-number").first()
    return newest.number + 1 if newest else 1
