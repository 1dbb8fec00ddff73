"""What a people officer does, as the database does it: thin calls of `staff/directory/sql/people.sql`.

Each function returns the reason for which nothing was done, or the empty string; `PROPOSED` says
that it waits for a second person. The database decides, changes and records in one transaction;
nothing is judged here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections

from staff.frame.callers import Caller
from staff.frame.database import row

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


def _ask(sql: str, values: list[Any], using: str = "default") -> str:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return str(row[0] or "") if row else ""


def officer(caller: Caller, act: str) -> str:
    """Why this officer's act is not the caller's at this moment (of member, session and nda)."""
    return _ask(
        "SELECT staff.officer(%s::bytea, %s::jsonb, %s::text)",
        [caller.digest, json.dumps(caller.context), act],
    )


def change_member(caller: Caller, number: str, fact: str, value: Value) -> str:
    """Change one fact: suspended, starts_on, left_on, roles, manager, name, email, language, factor
    or invitation. `PROPOSED` where it waits for a second person, `HELD` of a suspension for some hours.
    `UNUSABLE` changes nothing, and is recorded as refused."""
    sent = None if isinstance(value, Unusable) else json.dumps(value)
    return _ask(
        "SELECT staff.change_member(%s::bytea, %s::jsonb, %s::text, %s::text, %s::jsonb)",
        [caller.digest, json.dumps(caller.context), number, fact, sent],
    )


def is_own_address(member: int, by: int) -> bool:
    """Whether `by` changed this member's e-mail, and nobody has proved both their factors since: then another
    people officer makes the link. For the eye: the act is judged anew."""
    return bool(row("SELECT staff.is_own_address(%s::bigint, %s::bigint)", [member, by])[0])


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What suspending a member would do now: `reach` '' (until lifted), `HELD` or `PROPOSED`; `hours` of the
    former; `waits`, another's suspension that it would confirm. For the eye: the act is judged anew."""

    reach: str
    waits: int | None
    hours: int


def foresee_suspension(caller: Caller, number: str) -> Foreseen:
    """How far the caller's suspension of this member would go."""
    sql = "SELECT reach, waits, hours FROM staff.foresee_suspension(%s::bytea, %s::text)"
    reach, waits, hours = row(sql, [caller.digest, number])
    return Foreseen(str(reach or ""), waits, int(hours or 0))


def able(role: str) -> int:
    """How many people officers, reviewers or administrators are able to act at this moment."""
    return int(row("SELECT count(*) FROM staff.able(%s::text)", [role])[0])


def add_member(caller: Caller, facts: Mapping[str, Any]) -> str:
    """Add a member: number, name, email (normalised), language, starts_on, manager, roles; none of these is a
    form that could not be used, which is refused and recorded.

    `PROPOSED` where the member is there, and roles of theirs wait for a second person.
    """
    return _ask(
        "SELECT staff.add_member(%s::bytea, %s::jsonb, %s::jsonb)",
        [caller.digest, json.dumps(caller.context), json.dumps(dict(facts))],
    )


# Commands, on a connection of their own (`staff/directory/sql/commands.sql`). `source` says which, and whose:
# 'import_staff (root)'.


def apply_members(members: Iterable[Mapping[str, Any]], source: str) -> list[tuple[str, str]]:
    """Take members from the personnel system; their numbers and outcomes, in order.

    An outcome is new, changed, same, proposed (something waits for a second person), or
    refused:email, refused:manager, refused:value.
    """
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT number, outcome FROM staff.apply_members(%s::jsonb, %s::text)",
            [json.dumps(list(members)), source],
        )
        return [(str(number), str(outcome)) for number, outcome in cursor.fetchall()]


def record_import(counts: Mapping[str, int], source: str, *, finished: bool) -> None:
    """Write the entry of one run of `apply_members`."""
    _ask(
        "SELECT staff.record_staff_import(%s::boolean, %s::jsonb, %s::text)",
        [finished, json.dumps(counts), source],
        ALIAS,
    )


def found(number: str, name: str, email: str, role: str, source: str) -> str:
    """Make one of the first members: new; known or enrolled, where they are there without or with a
    second factor; or why not. The e-mail is normalised."""
    return _ask(
        "SELECT staff.found_member(%s::text, %s::text, %s::text, %s::text, %s::text)",
        [number, name, email, role, source],
        ALIAS,
    )


def invite(number: str, digest: bytes, hours: int, source: str) -> str:
    """Make a one-time link, of whose token that is the digest; every earlier one of the member's ends."""
    return _ask(
        "SELECT staff.invite_by_command(%s::text, %s::bytea, %s::int, %s::text)",
        [number, digest, hours, source],
        ALIAS,
    )


def open_lock(number: str, name: str, source: str) -> tuple[str, int]:
    """Forget the failed sign-ins that are counted under that name; the reason, and how many rows went."""
    (reason, counts) = row(
        "SELECT reason, counts FROM staff.open_lock(%s::text, %s::text, %s::text)",
        [number, name, source],
        using=ALIAS,
    )
    return str(reason), int(counts or 0)
