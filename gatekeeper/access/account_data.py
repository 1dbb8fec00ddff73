"""What an account's page shows of its data: each category's fields, the participants, under which access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper import catalogue
from gatekeeper.access.pieces import request_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.access.daily import Day
    from gatekeeper.access.grants import OpenGrant
    from gatekeeper.gate.cipher import Json


def _under(grant: OpenGrant, here: Sequence[OpenGrant], code: str) -> OpenGrant | None:
    """The open access under which a category is shown: not one in which it is blocked, of the page's ticket
    if there is one, and the one that lasts longest. None: no open access covers the category."""
    covering = [one for one in here if code in one.categories]
    return max(
        covering,
        key=lambda one: (code not in one.blocked, one.ticket == grant.ticket, one.ends_at),
        default=None,
    )


def _field(grant: OpenGrant, name: str, label: str, values: dict[str, Json]) -> dict[str, object]:
    return {
        "name": name,
        "label": label,
        "filled": name in grant.filled,
        "revealed": name in values,
        "value": values.get(name),
        "over": not grant.today.has_room_for([name]),
    }


def section(
    grant: OpenGrant, here: Sequence[OpenGrant], category: catalogue.Category, values: dict[str, Json]
) -> dict[str, object]:
    """One category, with the access under which each of its fields is revealed: what was just shown was
    shown under the page's own."""
    fields = [_field(grant, name, label, values) for name, label in category.fields]
    code = category.code
    filled = [str(field["name"]) for field in fields if field["filled"]]
    revealed = any(field["revealed"] for field in fields)
    under = grant if revealed else _under(grant, here, code)
    return {
        "code": code,
        "title": category.title,
        "covered": under is not None,
        "blocked": under.blocked.get(code, "") if under else "",
        "grant": under.id if under else "",
        "under": under if len(here) > 1 else None,
        "all": len(filled) > 1 and grant.today.has_room_for(filled),
        "ask_url": "" if under else request_url(grant.reference, grant.ticket, add=code),
        "fields": fields,
    }


def people(grant: OpenGrant, here: Sequence[OpenGrant], shown: dict[str, object]) -> dict[str, object] | None:
    """What the page shows of participants under a grant; None where no access covers them."""
    under = grant if shown else _under(grant, here, catalogue.PARTICIPANTS)
    if under is None:
        return None
    left = _left(under)
    day_over = "daily_budget_reached" if _is_day_over(under.today) and not shown else ""
    people = {
        "grant": under,
        "under": under if len(here) > 1 else None,
        "total": under.participants,
        "left": left,
        "page": 0,
        "pages": -(-under.participants // catalogue.PAGE_OF_PARTICIPANTS),
        "records": [],
        "query": "",
        "missed": False,
        "blocked": under.blocked.get(catalogue.PARTICIPANTS, "") or day_over,
    } | shown
    return people | {"offered": _offered(int(str(people["page"])), under.participants, left)}


def _left(under: OpenGrant) -> int:
    """How many participants may still be shown under this access today."""
    of_the_grant = max(under.today.participants_per_grant - under.participants_shown, 0)
    return min(of_the_grant, under.today.participants_left)


def _is_day_over(today: Day) -> bool:
    return not today.participants_left or not today.has_room_for([catalogue.PARTICIPANTS])


def _offered(page: int, total: int, left: int) -> list[int]:
    """The pages that a button leads to from this one: before it, itself, after it. A page is shown whole, so
    not one with more records than may still be shown."""
    first, size = max(page - 1, 1), catalogue.PAGE_OF_PARTICIPANTS
    return [n for n in range(first, page + 2) if 0 < min(size, total - size * (n - 1)) <= left]
