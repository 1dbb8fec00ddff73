"""Whose request this is."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from staff.models import Member


def member_of(request: HttpRequest) -> Member:
    """The signed-in member. Raises PermissionDenied for a visitor: the middleware sends them away
    before, unless somebody has taken it out."""
    if not isinstance(request.user, Member):
        raise PermissionDenied
    return request.user
