"""The gate's eight verdicts, each asked directly: from facts that let it pass, each row takes one away."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest
from psycopg.types.json import Jsonb

from gatekeeper import catalogue
from tests.conftest import Connection

pytestmark = pytest.mark.quick

NOW: Final = "2026-06-01T12:00:00Z"
EARLIER: Final = "2026-06-01T11:00:00Z"
LATER: Final = "2026-06-01T13:00:00Z"
#: What staff judges of the person alone.
PERSONAL: Final = ("member", "session", "nda")
SUPPORT, PARTICIPANTS = ["support"], ["participants"]
Facts = dict[str, Any]

LIMITS: Facts = {
    "session_idle": "30 minutes",
    "session_whole": "10 hours",
    "factor": "15 minutes",
    "factor_signing": "5 minutes",
    "feed_age": "1 hour",
    "views_per_grant": 50,
}


class Verdict(NamedTuple):
    """A function's parameters in order, each with its type, and the facts with which it passes."""

    parameters: dict[str, str]
    passing: Facts


VERDICTS: Final = {
    "member": Verdict(
        {"act": "text", "m": "public.staff_member", "suspended": "boolean", "role": "text", "today": "date"},
        {
            "act": "view",
            "m": {"id": 1, "starts_on": "2026-06-01", "left_on": "2026-06-01"},
            "suspended": False,
            "role": "consultant",
            "today": "2026-06-01",
        },
    ),
    "session": Verdict(
        {
            "act": "text",
            "other": "boolean",
            "s": "public.staff_session",
            "member": "bigint",
            "l": "staff.limits",
            "at": "timestamptz",
        },
        {
            "act": "view",
            "other": False,
            "s": {
                "member_id": 1,
                "started_at": "2026-06-01T03:00:00Z",
                "last_seen_at": "2026-06-01T11:50:00Z",
                "verified_at": "2026-06-01T11:50:00Z",
            },
            "member": 1,
            "l": LIMITS,
            "at": NOW,
        },
    ),
    "nda": Verdict(
        {
            "act": "text",
            "member": "bigint",
            "in_force": "bigint",
            "newest": "public.staff_signature",
            "at": "timestamptz",
        },
        {"act": "view", "member": 1, "in_force": 1, "newest": {}, "at": NOW},
    ),
    "ticket": Verdict(
        {
            "t": "public.gatekeeper_ticket",
            "claimed": "boolean",
            "member": "bigint",
            "assignment": "bigint",
            "account": "text",
            "contact_at": "timestamptz",
            "l": "staff.limits",
            "at": "timestamptz",
        },
        {
            "t": {"id": 1, "state": "open", "assignee_id": 1, "accounts": ["MOC-1"]},
            "claimed": True,
            "member": 1,
            "assignment": 1,
            "account": "MOC-1",
            "contact_at": "2026-06-01T11:01:00Z",
            "l": LIMITS,
            "at": NOW,
        },
    ),
    "approval": Verdict(
        {
            "act": "text",
            "ticket_code": "text",
            "ticket_kind": "text",
            "g": "public.gatekeeper_grant",
            "r": "public.gatekeeper_accessrequest",
            "listed": "boolean",
            "categories": "text[]",
            "l": "staff.limits",
            "beyond": "jsonb",
            "at": "timestamptz",
        },
        {
            "act": "view",
            "ticket_code": "passed",
            "ticket_kind": "support",
            "g": {"id": 1, "categories": ["contact", "participants"], "views": 49},
            "r": {},
            "listed": True,
            "categories": PARTICIPANTS,
            "l": LIMITS,
            "beyond": None,
            "at": NOW,
        },
    ),
    "time": Verdict(
        {
            "act": "text",
            "g": "public.gatekeeper_grant",
            "assignment": "bigint",
            "signature_runs": "boolean",
            "approval_ends": "timestamptz",
            "at": "timestamptz",
        },
        {
            "act": "view",
            "g": {
                "id": 1,
                "member_id": 1,
                "assignment_id": 1,
                "opened_at": EARLIER,
                "window_ends_at": LATER,
                "open_before": LATER,
                "while_open": False,
            },
            "assignment": 1,
            "signature_runs": True,
            "approval_ends": LATER,
            "at": NOW,
        },
    ),
    "consent": Verdict(
        {
            "a": "public.gatekeeper_account",
            "claimed": "boolean",
            "categories": "text[]",
            "asked": "boolean",
            "support": "text",
            "participants": "text",
        },
        {
            "a": {"id": 1},
            "claimed": True,
            "categories": [*SUPPORT, *PARTICIPANTS],
            "asked": True,
            "support": "passed",
            "participants": "passed",
        },
    ),
    "account": Verdict(
        {"a": "public.gatekeeper_account", "claimed": "boolean"}, {"a": {"id": 1}, "claimed": True}
    ),
}

WAITING: Facts = {"window_ends_at": None, "opened_at": None}
OVER: Facts = {"window_ends_at": NOW}

#: What is changed, and what the verdict then is; a row's facts are changed one by one.
ROWS: Final[dict[str, list[tuple[Facts, str]]]] = {
    "member": [
        ({"m": {"id": None}}, "cannot_start_yet"),
        ({"m": {"starts_on": "2026-06-02"}}, "member_not_started"),
        ({"m": {"starts_on": None}}, "member_not_started"),
        ({"m": {"starts_on": "2026-06-02"}, "act": "sign"}, "passed"),
        ({"suspended": True}, "member_suspended"),
        ({"suspended": None}, "member_suspended"),
        ({"suspended": True, "act": "sign"}, "member_suspended"),
        ({"m": {"left_on": "2026-05-31"}}, "member_left"),
        ({"m": {"left_on": "2026-05-31"}, "act": "sign"}, "member_left"),
        ({"m": {"left_on": None}}, "passed"),
        ({"role": None}, "role_missing"),
        ({"role": None, "act": "sign"}, "passed"),
    ],
    "session": [
        ({"other": True, "s": {"member_id": None}}, "not_required"),
        ({"s": {"member_id": None}}, "session_missing"),
        ({"s": {"member_id": 2}}, "session_missing"),
        ({"s": {"ended_at": EARLIER}}, "session_missing"),
        ({"s": {"last_seen_at": "2026-06-01T11:30:00Z"}}, "session_expired"),
        ({"s": {"started_at": "2026-06-01T02:00:00Z"}}, "session_expired"),
        ({"l": {"session_idle": None}}, "session_expired"),
        ({"l": {"session_whole": None}}, "session_expired"),
        ({"s": {"verified_at": None}}, "mfa_missing"),
        *[
            ({"s": {"verified_at": "2026-06-01T11:45:00Z"}, "act": act}, "mfa_stale")
            for act in ("gate", "view", "search", "open", "approve", "people", "confirm")
        ],
        *[({"act": act}, "mfa_stale") for act in ("sign", "countersign", "export")],
        ({"s": {"verified_at": "2026-06-01T11:45:00Z"}, "act": "request"}, "passed"),
        ({"s": {"verified_at": "2026-06-01T11:56:00Z"}, "act": "sign"}, "passed"),
        ({"l": {"factor": None}}, "mfa_stale"),
        ({"l": {"factor_signing": None}, "act": "export"}, "mfa_stale"),
    ],
    "nda": [
        ({"in_force": None, "act": "sign"}, "not_required"),
        ({"in_force": None, "act": "countersign"}, "not_required"),
        ({"in_force": None, "member": None}, "cannot_start_yet"),
        ({"in_force": None}, "nda_missing"),
        ({"in_force": None, "newest": {"counts_from": LATER, "valid_until": LATER}}, "nda_missing"),
        ({"in_force": None, "newest": {"counts_from": EARLIER, "valid_until": LATER}}, "nda_old_version"),
        ({"in_force": None, "newest": {"counts_from": EARLIER, "valid_until": NOW}}, "nda_expired"),
        ({"in_force": None, "newest": {"withdrawn_at": EARLIER, "valid_until": NOW}}, "nda_withdrawn"),
    ],
    "ticket": [
        ({"claimed": False}, "ticket_missing"),
        ({"claimed": None}, "ticket_missing"),
        ({"t": {"id": None}}, "ticket_missing"),
        ({"t": {"state": "pending"}}, "passed"),
        ({"t": {"state": "solved"}}, "ticket_closed"),
        ({"t": {"state": None}}, "ticket_closed"),
        ({"t": {"assignee_id": 2}}, "ticket_not_yours"),
        ({"t": {"assignee_id": None}}, "ticket_not_yours"),
        ({"assignment": None}, "ticket_not_yours"),
        ({"t": {"accounts": ["MOC-2"]}}, "ticket_other_account"),
        ({"t": {"accounts": None}}, "ticket_other_account"),
        ({"contact_at": EARLIER}, "ticket_feed_stale"),
        ({"contact_at": None}, "ticket_feed_stale"),
        ({"contact_at": None, "l": {"feed_age": "0"}}, "passed"),
        ({"l": {"feed_age": None}}, "ticket_feed_stale"),
    ],
    "approval": [
        ({"act": "request", "g": {"id": None}}, "not_required"),
        ({"g": {"id": None}, "ticket_code": "ticket_closed"}, "cannot_start_yet"),
        ({"g": {"id": None}}, "approval_missing"),
        ({"g": {"id": None}, "r": {"state": "pending", "expires_at": LATER}}, "approval_pending"),
        ({"g": {"id": None}, "r": {"state": "pending", "expires_at": NOW}}, "approval_missing"),
        ({"g": {"id": None}, "r": {"state": "denied"}}, "approval_denied"),
        ({"listed": False}, "approval_missing"),
        ({"listed": None}, "approval_missing"),
        ({"listed": False, "g": {"ended_at": EARLIER}}, "passed"),
        ({"categories": ["billing"]}, "category_not_covered"),
        ({"categories": None}, "category_not_covered"),
        ({"ticket_kind": "privacy"}, "category_not_covered"),
        ({"ticket_kind": "privacy", "categories": ["contact"]}, "passed"),
        ({"g": {"views": 50}}, "view_limit_reached"),
        ({"l": {"views_per_grant": None}}, "view_limit_reached"),
        ({"beyond": {"daily_budget": {}}}, "daily_budget_reached"),
    ],
    "time": [
        ({"act": "request", "g": {"id": None}}, "not_required"),
        ({"g": {"id": None}}, "cannot_start_yet"),
        ({"g": {"ended_at": EARLIER, "ended_by_id": 2}}, "grant_revoked"),
        ({"g": {"ended_at": EARLIER, "ended_by_id": 1}}, "grant_ended"),
        ({"g": {"ended_at": EARLIER}}, "grant_ended"),
        ({"assignment": 2}, "grant_ended"),
        ({"assignment": None}, "grant_ended"),
        ({"signature_runs": False}, "grant_ended"),
        ({"signature_runs": None}, "grant_ended"),
        ({"approval_ends": NOW}, "passed"),
        ({"g": WAITING}, "grant_not_started"),
        ({"g": WAITING, "act": "open"}, "passed"),
        ({"g": WAITING, "approval_ends": NOW, "act": "open"}, "grant_ended"),
        ({"g": WAITING, "approval_ends": None, "act": "open"}, "grant_ended"),
        ({"g": {**WAITING, "open_before": NOW}}, "grant_start_lapsed"),
        ({"g": OVER}, "grant_expired"),
        ({"g": {**OVER, "while_open": True}}, "grant_not_started"),
        ({"g": {**OVER, "while_open": True, "open_before": NOW}}, "grant_expired"),
    ],
    "consent": [
        ({"claimed": False}, "cannot_start_yet"),
        ({"a": {"id": None}}, "not_required"),
        ({"a": {"erased_at": EARLIER}}, "not_required"),
        ({"categories": ["contact"]}, "not_required"),
        ({"categories": None}, "not_required"),
        ({"support": "consent_missing"}, "consent_missing"),
        ({"participants": "consent_expired"}, "consent_expired"),
        ({"support": "consent_missing", "participants": "consent_expired"}, "consent_missing"),
        ({"categories": SUPPORT, "participants": "consent_missing"}, "passed"),
        ({"categories": PARTICIPANTS, "support": "consent_missing"}, "passed"),
        ({"support": "consent_missing", "asked": False}, "passed"),
        ({"participants": "consent_missing", "asked": False}, "passed"),
        (
            {"support": "consent_expired", "participants": "consent_missing", "asked": False},
            "consent_expired",
        ),
        ({"categories": SUPPORT, "support": "consent_missing", "asked": False}, "consent_missing"),
        ({"categories": PARTICIPANTS, "participants": "consent_missing", "asked": False}, "consent_missing"),
        ({"categories": ["contact", *SUPPORT], "support": "consent_missing"}, "consent_missing"),
        ({"categories": ["contact", *SUPPORT], "support": "x", "asked": False}, "not_required"),
    ],
    "account": [
        ({"claimed": False}, "cannot_start_yet"),
        ({"claimed": None, "a": {"id": None}}, "cannot_start_yet"),
        ({"a": {"id": None}}, "account_unknown"),
        ({"a": {"erased_at": EARLIER}}, "account_erased"),
        ({"a": {"restricted_at": EARLIER}}, "account_restricted"),
    ],
}


def room(name: str) -> str:
    """Whose verdict it is: staff judges the person alone, the gatekeeper all that is about an account."""
    return "staff" if name in PERSONAL else "gatekeeper"


def verdict(setup: Connection, name: str, changed: Facts) -> str | None:
    """What the verdict of this name says of its passing facts with these changes."""
    parameters, passing = VERDICTS[name]
    facts = {**passing, **{fact: _changed(passing[fact], value) for fact, value in changed.items()}}
    asked = ", ".join(_parameter(fact, kind) for fact, kind in parameters.items())
    given = {fact: Jsonb(value) if isinstance(value, dict) else value for fact, value in facts.items()}
    [(code,)] = setup.execute(f"SELECT {room(name)}.{name}_code({asked})".encode(), given).fetchall()
    return None if code is None else str(code)


def _changed(passing: Any, value: Any) -> Any:
    return {**passing, **value} if isinstance(passing, dict) else value


def _parameter(fact: str, kind: str) -> str:
    row = "." in kind
    return f"jsonb_populate_record(NULL::{kind}, %({fact})s)" if row else f"%({fact})s::{kind}"


@pytest.mark.parametrize("name", VERDICTS)
def test_the_facts_pass(setup_connection: Connection, name: str) -> None:
    assert verdict(setup_connection, name, {}) == "passed"


@pytest.mark.parametrize(
    ("name", "changed", "code"), [(name, *row) for name, rows in ROWS.items() for row in rows]
)
def test_a_verdict(setup_connection: Connection, name: str, changed: Facts, code: str) -> None:
    assert verdict(setup_connection, name, changed) == code


@pytest.mark.parametrize("name", catalogue.CONDITIONS)
def test_every_code_is_tried(name: str) -> None:
    tried = {code for _changed, code in ROWS[name]}
    assert set(catalogue.CONDITIONS[name]) <= tried


@pytest.mark.parametrize(
    ("since", "until", "stands"),
    [
        (None, None, "consent_missing"),
        (LATER, None, "consent_missing"),
        (NOW, None, "passed"),
        (EARLIER, LATER, "passed"),
        (EARLIER, NOW, "consent_expired"),
    ],
)
def test_a_consent(setup_connection: Connection, since: str | None, until: str | None, stands: str) -> None:
    found = setup_connection.execute(
        "SELECT gatekeeper.consent_at(%s::timestamptz, %s::timestamptz, %s::timestamptz)", [since, until, NOW]
    ).fetchone()
    assert found == (stands,)


@pytest.mark.parametrize(
    ("covered", "kind", "support", "participants", "blocked"),
    [
        (["contact"], "support", "consent_missing", "consent_missing", None),
        (["contact", *SUPPORT], "support", "passed", "consent_missing", None),
        (SUPPORT, "support", "consent_expired", "passed", [["support", "consent_expired"]]),
        (PARTICIPANTS, "support", "passed", "passed", None),
        (PARTICIPANTS, "support", "passed", "consent_missing", [["participants", "consent_missing"]]),
        (PARTICIPANTS, "privacy", "passed", "passed", [["participants", "category_not_covered"]]),
        (
            [*SUPPORT, *PARTICIPANTS],
            "support",
            "consent_missing",
            "consent_expired",
            [["support", "consent_missing"], ["participants", "consent_expired"]],
        ),
    ],
)
def test_what_stays_shut(
    setup_connection: Connection,
    covered: list[str],
    kind: str,
    support: str,
    participants: str,
    blocked: list[list[str]] | None,
) -> None:
    found = setup_connection.execute(
        "SELECT gatekeeper.blocked_categories(%s::text[], %s::text, %s::text, %s::text)",
        [covered, kind, support, participants],
    ).fetchone()
    assert found == (blocked,)


def test_verdicts_are_expressions_without_settings(setup_connection: Connection) -> None:
    """So that PostgreSQL makes each a part of the expression that asks it."""
    found = setup_connection.execute(
        "SELECT p.pronamespace::regnamespace::text, p.proname, l.lanname, p.proconfig, p.prosecdef"
        " FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
        " WHERE p.pronamespace IN ('staff'::regnamespace, 'gatekeeper'::regnamespace)"
        " AND p.proname LIKE '%\\_code'"
    ).fetchall()
    assert sorted(found) == sorted(
        (room(name), f"{name}_code", "sql", None, False) for name in catalogue.CONDITIONS
    )
