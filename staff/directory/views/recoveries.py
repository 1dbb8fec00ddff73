"""A reviewer acknowledges that officers were brought back on the database's machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from staff.directory import recoveries
from staff.frame.callers import Caller
from staff.frame.reasons import words_of
from staff.session.decorators import post_only, refusal

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@post_only("home")
def acknowledge(request: HttpRequest, number: int) -> HttpResponse:
    """Take the note from every page; a reviewer's alone, and recorded."""
    reason = recoveries.acknowledge(Caller.of(request), number)
    if reason and reason != "no_change":
        return refusal(request, reason)
    if reason:
        messages.info(request, str(words_of(reason)))
    else:
        messages.success(request, _("Acknowledged, and recorded."))
    return redirect("home")
