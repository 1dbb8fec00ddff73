"""`has_perm` gives the gate's answer, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.backends import BaseBackend

from gatekeeper.gate import decision
from gatekeeper.models import Account

if TYPE_CHECKING:
    from django.db.models import Model

VIEW_PERSONAL_DATA = "gatekeeper.view_personal_data"


class GateBackend(BaseBackend):
    """Answers for the session that is bound to the member object (staff.session.middleware binds it)."""

    def has_perm(self, user_obj: object, perm: str, obj: Model | None = None) -> bool:
        """True when some category of the account is open now: no entry, no clock started.

        A member object without a session gets False, as does any other permission.
        """
        caller = getattr(user_obj, "caller", None)
        if perm != VIEW_PERSONAL_DATA or not isinstance(obj, Account) or caller is None:
            return False
        return decision.evaluate(caller, account=obj.reference).open
