"""An entry as an event of the Open Cybersecurity Schema Framework, 1.8.0 (schema.ocsf.io).

A view is Entity Management (3004) with the activity Read, of the customer's account. `EVENTS` says what the
rest are. Who signs in or out is Authentication (3002). What the schema has no place for is under
`unmapped`, by our names for it. As in the log itself there is no customer's value here; members are numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audit.models import VIEWS, Event, Outcome

if TYPE_CHECKING:
    from audit.models import Entry

VERSION: Final = "1.8.0"
CATEGORY: Final = (3, "Identity & Access Management")
AUTHENTICATION: Final = (3002, "Authentication")
ENTITY_MANAGEMENT: Final = (3004, "Entity Management")


@dataclass(frozen=True)
class Kind:
    """What an event is in the schema: class, activity with its caption, and what it is done to."""

    of: tuple[int, str]
    activity: int
    caption: str
    entity: str = ""


def _managed(activity: int, caption: str, entity: str) -> Kind:
    return Kind(ENTITY_MANAGEMENT, activity, caption, entity)


#: Each event of the log. The entity's word says of which kind it is; its number is the entry's own.
EVENTS: Final[dict[str, Kind]] = {
    Event.SIGN_IN: Kind(AUTHENTICATION, 1, "Logon"),
    Event.SIGN_IN_FAILED: Kind(AUTHENTICATION, 1, "Logon"),
    Event.SIGN_OUT: Kind(AUTHENTICATION, 2, "Logoff"),
    **{one: _managed(2, "Read", "Account") for one in VIEWS},
    Event.SEARCH: _managed(2, "Read", "Account"),
    Event.REPORT: _managed(2, "Read", "Account"),
    Event.EXPORT: _managed(2, "Read", "Account"),
    Event.REQUEST: _managed(1, "Create", "Request"),
    Event.WITHDRAW: _managed(4, "Delete", "Request"),
    Event.DENY: _managed(3, "Update", "Request"),
    Event.APPROVE: _managed(8, "Enable", "Grant"),
    Event.START: _managed(10, "Activate", "Grant"),
    Event.END: _managed(11, "Deactivate", "Grant"),
    Event.REVOKE: _managed(9, "Disable", "Grant"),
    Event.SIGN: _managed(3, "Update", "Signature"),
    Event.REVIEW: _managed(3, "Update", "Review"),
    Event.IMPORT: _managed(3, "Update", "Import"),
    Event.CHANGE: _managed(3, "Update", "Member"),
    Event.RECOVER: _managed(3, "Update", "Member"),
    Event.ERASE: _managed(4, "Delete", "Account"),
    Event.SEAL: _managed(3, "Update", "Log"),
}
#: The kinds of entities, and where an entry has the number of one; another fact stands in for it.
_NUMBERED: Final = {
    "Account": "account",
    "Request": "request_id",
    "Grant": "grant_id",
    "Signature": "signature",
    "Member": "subject",
    "Review": "grant_id",
}
_LOG: Final = "Log"
_USER, _OTHER = (2, "User"), (99, "Other")

#: Status and severity, with their captions. A refused release follows a record that was allowed: look at it.
_OUTCOMES: Final[dict[str, tuple[int, str, int, str]]] = {
    Outcome.ALLOWED: (1, "Success", 1, "Informational"),
    Outcome.REFUSED: (2, "Failure", 2, "Low"),
    Outcome.FAILED: (2, "Failure", 2, "Low"),
    Outcome.WITHHELD: (2, "Failure", 3, "Medium"),
}
#: Facts that the schema has no place for, under their own names.
_UNMAPPED: Final = (
    *("event", "outcome", "failed", "answers", "role", "factor", "source", "account", "subject"),
    *("ticket", "ticket_kind", "ticket_state", "purpose", "categories", "fields", "results"),
    *("request_id", "grant_id", "approver", "signature", "nda_version", "consent", "details"),
)

#: What an event is made of: nothing else of an entry is read for it.
COLUMNS: Final = tuple(
    dict.fromkeys(
        [
            *("id", "timestamp", "event", "outcome", "reason", "schema_version", "cid", "remote_addr"),
            *("user_agent", "member", "session", "factor", "source", "account", "ticket", "object_pk"),
            *("records", "nda_ends", "changes"),
            *_UNMAPPED,
            *_NUMBERED.values(),
        ]
    )
)


def event(entry: Entry, *, origin: str, vendor: str, place: int, leaf: bytes) -> dict[str, Any]:
    """The entry as an event. `origin`: the log's name. `place`, `leaf`: where it appears in the tree, and the
    hash there, so that a receiver can see later that neither was exchanged."""
    kind = EVENTS[entry.event]
    found = _class(kind) | {
        "time": int(entry.timestamp.timestamp() * 1000),
        "timezone_offset": 0,
        **_outcome(entry.outcome),
        "metadata": _metadata(entry, origin, vendor, place),
        "actor": _actor(entry),
        "unmapped": _unmapped(entry) | {"leaf": place, "leaf_hash": leaf.hex()},
    }
    found |= _authentication(entry) if kind.of == AUTHENTICATION else {"entity": _entity(entry, kind.entity)}
    if entry.reason:
        found["status_code"] = entry.reason
    if entry.remote_addr:
        found["src_endpoint"] = {"ip": str(entry.remote_addr)}
    request = _present({"uid": entry.cid, "user_agent": entry.user_agent})
    return found | ({"http_request": request} if request else {})


def _class(kind: Kind) -> dict[str, Any]:
    """Category, class, activity and type, each by number and name."""
    number, name = kind.of
    return {
        "category_uid": CATEGORY[0],
        "category_name": CATEGORY[1],
        "class_uid": number,
        "class_name": name,
        "activity_id": kind.activity,
        "activity_name": kind.caption,
        "type_uid": number * 100 + kind.activity,
        "type_name": f"{name}: {kind.caption}",
    }


def _outcome(outcome: str) -> dict[str, Any]:
    status, status_words, severity, severity_words = _OUTCOMES[outcome]
    return {
        "severity_id": severity,
        "severity": severity_words,
        "status_id": status,
        "status": status_words,
    }


def _metadata(entry: Entry, origin: str, vendor: str, place: int) -> dict[str, Any]:
    return {
        "version": VERSION,
        "product": {"name": "Gatekeeper", "vendor_name": vendor},
        "uid": f"{origin}/{entry.pk}",
        "log_name": origin,
        "log_version": str(entry.schema_version),
        "event_code": entry.event,
        "original_time": entry.timestamp.isoformat(),
        "sequence": place,
        **({"correlation_uid": entry.cid} if entry.cid else {}),
    }


def _user(number: str) -> dict[str, Any]:
    if number:
        return {"uid": number, "name": number, "type_id": 1, "type": "User"}
    return {"name": "unknown", "type_id": 0, "type": "Unknown"}


def _actor(entry: Entry) -> dict[str, Any]:
    """Who: a member in a session; or what: a command, a feed, the application by itself."""
    if not entry.member:
        return {"app_name": entry.source or "Gatekeeper"}
    session = {"session": _session(entry)} if entry.session else {}
    return {"user": _user(entry.member)} | session


def _session(entry: Entry) -> dict[str, Any]:
    return {"uid": str(entry.session), "is_mfa": bool(entry.factor)}


def _authentication(entry: Entry) -> dict[str, Any]:
    return {
        "user": _user(entry.member),
        "service": {"name": "Gatekeeper"},
        "is_mfa": bool(entry.factor),
        "is_remote": True,
        **({"session": _session(entry)} if entry.session else {}),
    }


def _entity(entry: Entry, kind: str) -> dict[str, Any]:
    """What it was done to. Where the entry does not number such a thing: its account, its ticket, the log."""
    number = getattr(entry, _NUMBERED.get(kind, ""), None)
    if not number:
        kind, number = _instead(entry, kind)
    type_id, caption = _USER if kind == "Member" else _OTHER
    user = {"user": _user(str(number))} if kind == "Member" else {}
    return {
        "uid": str(number),
        "name": str(number),
        "type_id": type_id,
        "type": caption if kind == "Member" else kind,
        **user,
    }


def _instead(entry: Entry, kind: str) -> tuple[str, str]:
    """What an entry is about that lacks the number of its kind. Reading and exporting are then of the log."""
    if entry.account:
        return "Account", entry.account
    if entry.ticket:
        return "Ticket", entry.ticket
    if kind == "Import":
        return "Import", entry.source or "import"
    if kind == "Member" and entry.object_pk:
        return "Object", entry.object_pk
    return _LOG, "log"


def _unmapped(entry: Entry) -> dict[str, Any]:
    facts = _present({name: getattr(entry, name) for name in _UNMAPPED})
    if entry.nda_ends:
        facts["nda_ends"] = entry.nda_ends.isoformat()
    if entry.records is not None:
        facts["records"] = len(entry.records)  # how many, as their numbers are the customer's
    if entry.changes:
        facts["changed"] = sorted(entry.changes)  # which facts, never their values
    return facts


def _present(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}
