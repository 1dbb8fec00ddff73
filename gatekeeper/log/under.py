"""Which entries are under which grant: the database says it (gatekeeper.grant_of), for queue and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import BigIntegerField, F, Func

from audit.models import Entry

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from gatekeeper.models import Grant

_FACTS = ("grant_id", "account", "actor_id", "event", "outcome")


def with_grant() -> QuerySet[Entry]:
    """Every entry, with the number of the grant under which it stands as `unit`; None: under none.

    It may name another: a number that somebody typed says nothing of the grant's holder.
    """
    unit = Func(*map(F, _FACTS), function="gatekeeper.grant_of", output_field=BigIntegerField())
    found: QuerySet[Entry] = Entry.objects.annotate(unit=unit)
    return found


def under(grant: Grant) -> QuerySet[Entry]:
    """What its holder did under a grant, and what was decided about it, in no order."""
    return with_grant().filter(account=grant.account.reference, grant_id=grant.pk, unit=grant.pk)
