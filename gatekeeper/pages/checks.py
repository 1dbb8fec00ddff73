"""The administrator's page of checks. No way from here to anybody's data."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from gatekeeper.access import notices
from gatekeeper.pages import health, surroundings
from staff.session.decorators import post_only, role_required
from staff.session.members import member_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_GET
@role_required("administer")
def checks(request: HttpRequest) -> HttpResponse:
    """Every check, evaluated at this moment."""
    rows = health.rows(surroundings.client(request))
    context = {
        "checks": rows,
        "failing": sum(row.state not in health.WORKS for row in rows),
        "off": sum(row.state == "off" for row in rows),
        "version": _version(),
        "now": timezone.now(),
    }
    return render(request, "gatekeeper/pages/checks.html", context)


@post_only("checks")
@role_required("administer")
def test_mail(request: HttpRequest) -> HttpResponse:
    """Send a test to the administrator's own address, recorded, and say in words what became of it."""
    problem = notices.send_test(member_of(request))
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, _("The mail server took the test. See whether it arrives."))
    return redirect("checks")


def _version() -> str:
    try:
        return version("gatekeeper")
    except PackageNotFoundError:  # run from a checkout, not installed
        return ""
