"""Fills the twin's database: `python -m tests.bench.plain.furnish 8` prints a session key a user.

The session is a real one: Django's login and django-otp's, as their views leave it.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpRequest
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import User

VALUES = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}


def main(count: int) -> None:
    """Make users, each with a customer of their own, and sign them in."""
    django.setup()
    from django.contrib.auth.models import User

    for own in (False, True):  # the libraries' tables first: the twin's own, without migrations, name them
        call_command("migrate", run_syncdb=own, verbosity=0, interactive=False)
    for number in range(count):
        user = User.objects.create_user(f"user{number}", f"user{number}@firma.example")
        _entitle(user, f"MOC-{90_000 + number}")
        sys.stdout.write(_signed_in(user) + "\n")


def _entitle(user: User, reference: str) -> None:
    from guardian.shortcuts import assign_perm

    from tests.bench.plain.models import Agreement, Customer, Ticket

    until = timezone.now() + timedelta(days=300)
    Agreement.objects.create(user=user, version=1, valid_until=until)
    customer = Customer.objects.create(
        reference=reference, plan="pro", language="pl", created_at=timezone.now(), values=VALUES
    )
    Ticket.objects.create(number=f"ZD-{reference[4:]}", customer=customer, assignee=user)
    assign_perm("plain.see_values", user, customer)


def _signed_in(user: User) -> str:
    import django_otp
    from django.contrib import auth
    from django_otp.plugins.otp_totp.models import TOTPDevice

    request: Any = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    request.user = user
    auth.login(request, request.user, backend=settings.AUTHENTICATION_BACKENDS[0])
    django_otp.login(request, TOTPDevice.objects.create(user=user, name="TOTP"))
    request.session.save()
    return str(request.session.session_key)


if __name__ == "__main__":
    main(int(sys.argv[1]))
