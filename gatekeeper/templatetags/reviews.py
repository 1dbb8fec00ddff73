"""What home says of reviews: questions that wait for one's answer, and clocks that run."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from gatekeeper.reviews import queue, units
from staff.models import Member, Role

register = template.Library()


@register.inclusion_tag("gatekeeper/reviews/_notice.html", takes_context=True)
def review_notice(context: template.Context) -> dict[str, Any]:
    """Whoever is asked meets the question where they begin; whoever tells the authority, the clock."""
    member = context.get("user")
    if not isinstance(member, Member):
        return {}
    told = {Role.REVIEWER, Role.PRIVACY} & set(member.roles)
    now = timezone.now()
    clocks = [(one, units.clock_ends(one)) for one in queue.clocks()] if told else []
    return {
        "questions": queue.questions(member).filter(state="asked").count(),
        "clocks": [{"review": one, "ends": ends, "over": ends and ends <= now} for one, ends in clocks],
        "linked": Role.REVIEWER in member.roles,
    }
