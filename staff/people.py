"""What a people officer does, as the database does it: thin calls of `staff/sql/people.sql`.

Each function returns the reason for which nothing was done, or the empty string; `PROPOSED` says
that it waits for a second person. The database decides, changes and records in one transaction;
nothing is judged here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import connections, transaction

from staff.callers import Caller

#: The alias under which commands run; web processes have none such.
MIGRATOR: Final = "migrator"
#: What is returned in place of a reason when a second person has to confirm.
PROPOSED: Final = "proposed"
Value = str | bool | list[str] | dict[str, Any] | None


def _ask(sql: str, values: list[Any], using: str = "default") -> str:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return str(row[0] or "") if row else ""


def officer(caller: Caller, act: str) -> str:
    """Why this officer's act is not the caller's at this moment (DESIGN §1: member, session, nda)."""
    return _ask(
        "SELECT vault.officer(%s::bytea, %s::jsonb, %s::text)",
        [caller.digest, json.dumps(caller.context), act],
    )


def change_member(caller: Caller, number: str, fact: str, value: Value) -> str:
    """Change one fact: suspended, starts_on, left_on, roles, manager, name, email, language, factor
    or invitation. `PROPOSED` where it opens something up, and waits for a second person."""
    return _ask(
        "SELECT vault.change_member(%s::bytea, %s::jsonb, %s::text, %s::text, %s::jsonb)",
        [caller.digest, json.dumps(caller.context), number, fact, json.dumps(value)],
    )


def add_member(caller: Caller, facts: Mapping[str, Any]) -> str:
    """Add a member: number, name, email (normalised), language, starts_on, manager, roles.

    `PROPOSED` where the member is there, and roles of theirs wait for a second person.
    """
    return _ask(
        "SELECT vault.add_member(%s::bytea, %s::jsonb, %s::jsonb)",
        [caller.digest, json.dumps(caller.context), json.dumps(dict(facts))],
    )


# Commands, as the migrator. `source` says which, and whose: 'import_staff (root)'.


def apply_members(members: Iterable[Mapping[str, Any]], source: str) -> list[tuple[str, str]]:
    """Take members from the personnel system; their numbers and outcomes, in order.

    An outcome is new, changed, same, proposed (something waits for a second person), or
    refused:email, refused:manager, refused:value.
    """
    with connections[MIGRATOR].cursor() as cursor:
        cursor.execute(
            "SELECT number, outcome FROM vault.apply_members(%s::jsonb, %s::text)",
            [json.dumps(list(members)), source],
        )
        return [(str(number), str(outcome)) for number, outcome in cursor.fetchall()]


def change_member_by_command(source: str, number: str, fact: str, value: Value) -> str:
    """Change one fact of a member from the server's terminal, recorded under `source`."""
    with transaction.atomic(using=MIGRATOR), connections[MIGRATOR].cursor() as cursor:
        cursor.execute(
            "SELECT j.x->>'reason', (j.x->>'subject_id')::bigint, j.x::text"
            " FROM (SELECT vault.judge_command(%s::text, %s::text) AS x) AS j",
            [source, number],
        )
        reason, subject, judged = cursor.fetchone()
        if not reason:
            cursor.execute(
                "SELECT vault.apply_change(%s::bigint, NULL, %s::text, %s::jsonb)",
                [subject, fact, json.dumps(value)],
            )
            (reason,) = cursor.fetchone()
        judged = json.dumps({**json.loads(judged), "reason": reason})
        cursor.execute(
            "SELECT vault.record_act('change', %s::jsonb, '{}', jsonb_build_object(%s::text, true))",
            [judged, fact],
        )
    return str(reason)
