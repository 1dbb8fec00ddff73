"""What a people officer does, as the database does it: thin calls of `staff/directory/sql/people.sql`.

Each function returns the reason for which nothing was done, or the empty string; `PROPOSED` says
that it waits for a second person. The database decides, changes and records in one transaction;
nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from audit.database import Jsonb, call, calls
from staff.frame.callers import Caller

#: The alias under which commands about members run; web processes have none such.
ALIAS: Final = "people"
#: What is returned in place of a reason when a second person has to confirm.
PROPOSED: Final = "proposed"
#: The same of a suspension that counts for some hours, and longer only when a second person confirms it.
HELD: Final = "held"


class Unusable:
    """In place of a value: a form that could not be used. The database refuses and records it."""


UNUSABLE: Final = Unusable()
Value = str | bool | list[str] | dict[str, Any] | Unusable | None


def authorize(caller: Caller, act: str) -> str:
    """Return why the caller may not do this act now, as a reason code; "" where they may.

    `act`: one of those of staff.officer. Conditions: member, session and NDA. Raises django.db.Error.
    """
    return str(call("staff.officer", caller, act=act) or "")


def change_member(caller: Caller, number: str, fact: str, value: Value) -> str:
    """Change one fact: suspended, starts_on, left_on, roles, manager, name, email, language, factor
    or invitation. `PROPOSED` where it waits for a second person, `HELD` of a suspension for some hours.
    `UNUSABLE` changes nothing, and is recorded as refused."""
    sent = None if isinstance(value, Unusable) else Jsonb(value)
    return str(call("staff.change_member", caller, number=number, fact=fact, value=sent) or "")


def is_own_address(member: int, by: int) -> bool:
    """Whether `by` changed this member's e-mail, and nobody has proved both their factors since: then another
    people officer makes the link. For the eye: the act is judged again."""
    return bool(call("staff.is_own_address", member=member, by=by))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What suspending a member would do now: `reach` '' (until lifted), `HELD` or `PROPOSED`; `hours` of the
    former; `waits`, another's suspension that it would confirm. For the eye: the act is judged again."""

    reach: str
    waits: int | None
    hours: int


def foresee_suspension(caller: Caller, number: str) -> Foreseen:
    """How far the caller's suspension of this member would go."""
    found = call("staff.foresee_suspension", digest=caller.digest, number=number, into=Foreseen)
    return Foreseen(found.reach or "", found.waits, found.hours or 0)


def able(role: str) -> int:
    """How many people officers, reviewers or administrators are able to act at this moment."""
    return len(calls("staff.able", role=role))


def add_member(caller: Caller, facts: Mapping[str, Any]) -> str:
    """Add a member: number, name, email (normalised), language, starts_on, manager, roles; none of these is a
    form that could not be used, which is refused and recorded.

    `PROPOSED` where the member is there, and roles of theirs wait for a second person.
    """
    return str(call("staff.add_member", caller, facts=facts) or "")


# Commands, on a connection of their own (`staff/directory/sql/commands.sql`). `source` says which, and whose:
# 'import_staff (root)'.


class _Applied(NamedTuple):
    number: str
    outcome: str


class _Unlocked(NamedTuple):
    reason: str
    counts: int | None


def apply_members(members: Iterable[Mapping[str, Any]], source: str) -> list[tuple[str, str]]:
    """Take members from the personnel system; their numbers and outcomes, in order.

    An outcome is new, changed, same, proposed (something waits for a second person), or
    refused:email, refused:manager, refused:value.
    """
    lines = Jsonb(list(members))
    return [*calls("staff.apply_members", members=lines, source=source, into=_Applied, using=ALIAS)]


def record_import(counts: Mapping[str, int], source: str, *, finished: bool) -> None:
    """Write the entry of one run of `apply_members`."""
    call("staff.record_staff_import", finished=finished, counts=counts, source=source, using=ALIAS)


def found(number: str, name: str, email: str, role: str, source: str) -> str:
    """Make one of the first members: new; known or enrolled, where they are there without or with a
    second factor; or why not. The e-mail is normalised."""
    return str(
        call(
            "staff.found_member",
            number=number,
            name=name,
            email=email,
            role=role,
            source=source,
            using=ALIAS,
        )
        or ""
    )


def invite(number: str, digest: bytes, hours: int, source: str) -> str:
    """Make a one-time link, of whose token that is the digest; every earlier one of the member's ends."""
    found = call(
        "staff.invite_by_command", number=number, digest=digest, hours=hours, source=source, using=ALIAS
    )
    return str(found or "")


def open_lock(number: str, name: str, source: str) -> tuple[str, int]:
    """Forget the failed sign-ins that are counted under that name; the reason, and how many rows went."""
    reason, counts = call(
        "staff.open_lock", number=number, name=name, source=source, into=_Unlocked, using=ALIAS
    )
    return reason, counts or 0
