"""Papers about grants: the print of one, for a reviewer and for the people concerned."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse
from django.utils import timezone

from gatekeeper.access import prints
from staff.frame.callers import Caller
from staff.nda.signing_key import SigningKeyError
from staff.session.decorators import post_only, refusal

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


@post_only("home")
def print_grant(request: HttpRequest, grant: int) -> HttpResponse:
    """The print as a PDF. Taking it is an entry; the database judges who may."""
    reason = prints.record_print(Caller.of(request), grant)
    if reason == "grant_unknown":
        raise Http404
    if reason:
        return refusal(request, reason)
    try:
        pdf = prints.grant_print(grant, at=timezone.now())
    except SigningKeyError:
        logger.exception("a paper could not be sealed")
        return refusal(request, "seal_failed")
    name = f'attachment; filename="grant-{grant}.pdf"'
    return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": name})
