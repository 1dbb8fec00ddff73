"""Signing in by e-mail and password, the first of two factors."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from audit.context import attempt_by
from staff.frame.emails import normalise
from staff.frame.sign_in import SIGN_IN
from staff.models import Member
from staff.sign_in import lockout
from staff.sign_in.hashing import hash_in_vain, is_right


class PasswordBackend(BaseBackend):
    """Find a member by normalised e-mail; every refusal costs the same and says the same.

    Nobody learns by text, code or time whether an address is known (ASVS 6.3.8): for an unknown
    one a password is hashed as well, and a suspended member's password is checked before the no.
    While a lock holds nothing is looked at; each failure counts towards one.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        email: str | None = None,
        password: str | None = None,
        **_others: Any,
    ) -> Member | None:
        """The member, or None. Names on the request whom the attempt was about, for the log.

        Without a request there is no address to count, so nobody. Raises BusyError.
        """
        if request is None or email is None or password is None:
            return None
        if lockout.refuses(request, email, password):
            return None
        member = self._judged(request, email, password)
        if member is None:
            lockout.count_failure(request, email)
        return member

    def get_user(self, user_id: Any) -> Member | None:
        """The session's member. Suspension ends sessions; the guard asks again at each request."""
        return Member.objects.filter(pk=user_id).first()

    @staticmethod
    def _judged(request: HttpRequest, email: str, password: str) -> Member | None:
        member = Member.objects.using(SIGN_IN).filter(email=normalise(email)).first()
        if member is None:
            hash_in_vain(password)
            return None
        attempt_by(request, member)
        right = is_right(password, member.password)
        return member if right and not member.barred_because() else None
