"""What home says of agreements: one's own when it ends soon, and what waits for a people officer."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from staff.models import Member, Role, Signature
from staff.nda import versions
from staff.nda.register import State, counts, line_of, lines

register = template.Library()


@register.inclusion_tag("staff/nda/_nda_notice.html", takes_context=True)
def nda_notice(context: template.Context) -> dict[str, Any]:
    """Reminders without mail: whoever works here meets them where they begin."""
    member = context.get("user")
    if not isinstance(member, Member):
        return {}
    now = timezone.now()
    facts: dict[str, Any] = {"line": line_of(member)}
    if facts["line"].reason or facts["line"].state != State.VALID:
        facts["to_sign"] = versions.to_sign(member)
    waiting = Signature.objects.filter(counts_from=None, withdrawn_at=None, valid_until__gt=now)
    if Role.PEOPLE in member.roles:
        facts["counts"] = counts(lines(at=now))
        facts["to_countersign"] = waiting.filter(form=Signature.Form.DOCUMENTARY).count()
    if {Role.PEOPLE, Role.ADMINISTRATOR} & set(member.roles):
        facts["to_confirm"] = waiting.filter(form=Signature.Form.PAPER).count()
    return facts
