"""The reviewer's log: audit's page, with the answers of this house to a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.views.decorators.http import require_GET

from audit import views
from staff.decorators import refusal

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_GET
def entries(request: HttpRequest) -> HttpResponse:
    """A page of the log, newest first, filtered; the reading is an entry of its own."""
    try:
        return views.entries(request)
    except views.ReadingRefusedError as refused:
        return refusal(request, refused.reason)
