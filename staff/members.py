"""Whose request this is."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.middleware import is_verified
from django_otp.models import Device

from audit.context import attempt_by
from staff import records, sessions
from staff.models import Member


def put_member(request: HttpRequest) -> None:
    """Set `request.user` to the session's member, with `otp_device` and `is_verified` as django-otp has them.

    Django's and django-otp's own middlewares would each ask the database again for what came with
    the session. Whatever is not plainly in order is left to Django's `get_user`.
    """
    session = sessions.of(request)
    user: Any = session.member if _is_signed_in(session) else auth.get_user(request)
    user.otp_device = _factor(session, user) if user.is_authenticated else None
    user.is_verified = partial(is_verified, user)
    request.user = user


def sign_out(request: HttpRequest, reason: str = "") -> None:
    """End the session, locked or not, and record it, or neither. `reason`: one of ours; '' for a wish."""
    locked = sessions.of(request).locked
    if locked is not None and locked.member is not None:
        attempt_by(request, locked.member)  # for the entry: nobody is signed in
    with transaction.atomic():
        if request.user.is_authenticated or locked is not None:
            records.signed_out(reason)
        auth.logout(request)
    sessions.of(request).left = not reason


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


def _factor(session: sessions.SessionStore, member: Member) -> Device | None:
    """The member's second factor that the session names, if it is in use; a name that leads nowhere is
    dropped. A code's came with the session; a passkey or a sheet of codes is asked for."""
    name = session.get(DEVICE_ID_SESSION_KEY)
    found = session.device or (Device.from_persistent_id(name) if name else None)
    if found is not None and found.user_id == member.pk and found.confirmed:
        return found
    session.pop(DEVICE_ID_SESSION_KEY, None)
    return None
