"""The administrator's page of checks. No way from here to anybody's data."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from gatekeeper import health
from staff.decorators import role_required

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_GET
@role_required("administer")
def checks(request: HttpRequest) -> HttpResponse:
    """Every check, evaluated at this moment."""
    rows = health.rows()
    context = {
        "checks": rows,
        "failing": sum(row.state != "ok" for row in rows),
        "version": _version(),
        "now": timezone.now(),
    }
    return render(request, "gatekeeper/checks.html", context)


def _version() -> str:
    try:
        return version("gatekeeper")
    except PackageNotFoundError:  # run from a checkout, not installed
        return ""
