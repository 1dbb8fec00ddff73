"""Whose request this is."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.middleware import is_verified

from staff.frame.names import is_found_by
from staff.models import Member
from staff.session import sessions


def found_by(text: str) -> Q:
    """The members whom a typed number or name finds."""
    everybody = Member.objects.values_list("pk", "number", "name")
    return Q(pk__in=[pk for pk, number, name in everybody if is_found_by(text, number, name)])


def put_member(request: HttpRequest) -> None:
    """Set `request.user` to the session's member, with `otp_device` and `is_verified` as django-otp has them.

    Django's and django-otp's own middlewares would each ask the database again for what came with
    the session. Whatever is not plainly in order is left to Django's `get_user`.
    """
    session = sessions.of(request)
    user: Any = session.member if _is_signed_in(session) else auth.get_user(request)
    # Its name is enough: the database forgets that a factor was proved when the factor goes.
    user.otp_device = session.get(DEVICE_ID_SESSION_KEY) if session.verified_at else None
    user.is_verified = partial(is_verified, user)
    request.user = user


def sign_out(request: HttpRequest, reason: str = "") -> None:
    """End the session, locked or not, and record it, or neither. `reason`: a code; '' for signing out."""
    locked = sessions.of(request).locked
    session = sessions.of(request)
    if request.user.is_authenticated or locked is not None:
        session.end(reason)
    auth.logout(request)
    session.left = not reason


def member_of(request: HttpRequest) -> Member:
    """The signed-in member. Raises PermissionDenied for a visitor: the middleware sends them away
    before, unless somebody has taken it out."""
    if not isinstance(request.user, Member):
        raise PermissionDenied
    return request.user


def _is_signed_in(session: sessions.SessionStore) -> bool:
    """What `auth.get_user` asks: this member, by a backend of ours, since the password was changed."""
    member = session.member
    return (
        member is not None
        and session.get(auth.SESSION_KEY) == str(member.pk)
        and session.get(auth.BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(session.get(auth.HASH_SESSION_KEY, ""), member.get_session_auth_hash())
    )
