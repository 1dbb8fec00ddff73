"""The account page with a reveal: checks by the libraries, an access entry, the page or the fields alone."""

from __future__ import annotations

from typing import Any

from auditlog.signals import accessed
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_otp.decorators import otp_required

from gatekeeper import catalogue
from tests.bench.plain.models import Agreement, Customer, Ticket


@login_required
@otp_required  # type: ignore[untyped-decorator]  # django-otp ships no types
@require_POST
def reveal(request: HttpRequest, reference: str) -> HttpResponse:
    """Show the fields asked for, when all is in order; 403 otherwise."""
    customer = get_object_or_404(Customer, reference=reference)
    if not request.user.has_perm("plain.see_values", customer):
        raise PermissionDenied
    agreement = Agreement.objects.filter(user=request.user.pk, valid_until__gt=timezone.now()).first()
    ticket = Ticket.objects.filter(
        customer=customer, assignee=request.user.pk, state__in=["open", "pending"]
    ).first()
    if agreement is None or ticket is None:
        raise PermissionDenied
    accessed.send(Customer, instance=customer)
    shown = {name: customer.values[name] for name in request.POST.getlist("fields")}
    if "HX-Request" in request.headers:
        return HttpResponse(render_to_string("plain/shown.html", _part(shown)))
    return render(request, "plain/account.html", _context(customer, ticket, agreement, shown))


def other(_request: HttpRequest) -> HttpResponse:
    """The addresses that the page links to."""
    return HttpResponse()


def _part(shown: dict[str, Any]) -> dict[str, object]:
    fields = [_field(name, shown, filled=True) for name in catalogue.FIELDS if name in shown]
    labels = ", ".join(str(field["label"]) for field in fields)
    said = _("Shown for 30 seconds: %(fields)s.") % {"fields": labels}
    code = catalogue.category_of(next(iter(shown), ""))
    return {"fields": fields, "code": code, "said": said, "in_place": True}


def _field(name: str, shown: dict[str, Any], *, filled: bool) -> dict[str, object]:
    return {
        "name": name,
        "label": catalogue.FIELDS[name],
        "filled": filled,
        "revealed": name in shown,
        "value": shown.get(name),
    }


def _context(
    customer: Customer, ticket: Ticket, agreement: Agreement, shown: dict[str, Any]
) -> dict[str, object]:
    here, grant = f"/accounts/{customer.reference}", {"id": 1, "ends_at": agreement.valid_until, "views": 3}
    return {
        "open_grants": [{"url": f"{here}?ticket={ticket.number}", "reference": customer.reference, **grant}],
        "live_url": f"{here}?seen=1",
        "gate": {"open": True, "ends_at": agreement.valid_until, "rows": _rows(ticket, agreement)},
        "reference": customer.reference,
        "ticket": ticket.number,
        "here_url": here,
        "account": customer,
        "grant": grant,
        "extend_url": f"{here}/ask",
        "sections": [
            _section(customer, code, shown)
            for code, _name in catalogue.CATEGORIES
            if code != catalogue.PARTICIPANTS
        ],
        "people": None,
        "withheld": "",
    }


def _rows(ticket: Ticket, agreement: Agreement) -> list[dict[str, object]]:
    """As many rows as our gate shows when it is open."""
    sentences = {
        "session": _("Signed in, the second factor verified."),
        "nda": _("Version %(version)s, valid until %(day)s.")
        % {"version": agreement.version, "day": date_format(agreement.valid_until)},
        "ticket": _("%(ticket)s is open and yours.") % {"ticket": ticket.number},
        "approval": _("Approved by the manager."),
        "time": _("Open until %(time)s.") % {"time": date_format(agreement.valid_until, "H:i")},
        "consent": _("Not required."),
    }
    passed: dict[str, object] = {"state": "passed", "code": "passed", "mark": "✓", "word": "Met"}
    return [
        passed | {"condition": name, "title": name, "sentence": sentence}
        for name, sentence in sentences.items()
    ]


def _section(customer: Customer, code: str, shown: dict[str, Any]) -> dict[str, object]:
    fields = [
        _field(name, shown, filled=name in customer.values)
        for name in catalogue.FIELDS
        if catalogue.category_of(name) == code
    ]
    filled = sum(bool(field["filled"]) for field in fields)
    return {"code": code, "covered": True, "blocked": "", "filled": filled, "ask_url": "", "fields": fields}
