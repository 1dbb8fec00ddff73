"""What a page needs to know to ask for a second factor."""

from __future__ import annotations

from dataclasses import dataclass

from django import template

from staff.models import Member
from staff.sign_in import factors

register = template.Library()


@dataclass(frozen=True)
class Ways:
    """By what a member can pass a step-up: a passkey, an application's code, a recovery code."""

    passkey: bool = False
    totp: bool = False
    recovery: bool = False


@register.simple_tag
def ways_of(user: object) -> Ways:
    """The ways of a member; none of a visitor."""
    if not isinstance(user, Member):
        return Ways()
    return Ways(*(factors.has(user, kind) for kind in (factors.PASSKEY, factors.TOTP, factors.RECOVERY)))
