"""What OCSF 1.8.0 asks of the events that we make: written down from the schema's classes and objects.

`!`: the attribute must be there. Of the schema's attributes only those that we use stand here, so that one
of which nobody thought is a failure. Enumerations are the schema's own numbers and captions.
"""

from __future__ import annotations

from typing import Any, Final

_BASE: Final = {
    "activity_id!": int,
    "activity_name": str,
    "category_name": str,
    "category_uid!": int,
    "class_name": str,
    "class_uid!": int,
    "metadata!": "metadata",
    "severity": str,
    "severity_id!": int,
    "status": str,
    "status_code": str,
    "status_id": int,
    "time!": int,
    "timezone_offset": int,
    "type_name": str,
    "type_uid!": int,
    "unmapped": dict,
    "actor": "actor",
    "http_request": "http_request",
    "src_endpoint": "network_endpoint",
}
CLASSES: Final[dict[int, dict[str, Any]]] = {
    3002: _BASE
    | {"user!": "user", "service": "service", "session": "session", "is_mfa": bool, "is_remote": bool},
    3004: _BASE | {"entity!": "managed_entity"},
}
OBJECTS: Final[dict[str, dict[str, Any]]] = {
    "actor": {"app_name": str, "session": "session", "user": "user"},
    "http_request": {"uid": str, "user_agent": str},
    "managed_entity": {"name": str, "type": str, "type_id": int, "uid": str, "user": "user"},
    "metadata": {
        "correlation_uid": str,
        "event_code": str,
        "log_name": str,
        "log_version": str,
        "original_time": str,
        "product!": "product",
        "sequence": int,
        "uid": str,
        "version!": str,
    },
    "network_endpoint": {"ip": str},
    "product": {"name": str, "vendor_name": str},
    "service": {"name": str},
    "session": {"is_mfa": bool, "uid": str},
    "user": {"name": str, "type": str, "type_id": int, "uid": str},
}
#: One of these at least has to be there.
ANY_OF: Final[dict[str, set[str]]] = {
    "3002": {"service", "dst_endpoint"},
    "actor": {"process", "user", "invoked_by", "session", "app_name", "app_uid"},
    "managed_entity": {"name", "uid", "device", "group", "org", "policy", "user"},
    "network_endpoint": {"ip", "uid", "name", "hostname"},
    "product": {"name", "uid"},
    "service": {"name", "uid"},
    "user": {"account", "name", "uid"},
}
ACTIVITIES: Final[dict[int, dict[int, str]]] = {
    3002: {1: "Logon", 2: "Logoff"},
    3004: {
        1: "Create",
        2: "Read",
        3: "Update",
        4: "Delete",
        8: "Enable",
        9: "Disable",
        10: "Activate",
        11: "Deactivate",
    },
}
CAPTIONS: Final[dict[str, dict[int, str]]] = {
    "severity": {1: "Informational", 2: "Low", 3: "Medium"},
    "status": {1: "Success", 2: "Failure"},
}


def wrong(event: dict[str, Any]) -> list[str]:
    """What an event has that the schema has not, or lacks."""
    number = event["class_uid"]
    found = _wrong(event, CLASSES[number], str(number))
    activity = event["activity_id"]
    if ACTIVITIES[number].get(activity) != event["activity_name"]:
        found.append(f"activity {activity} is not {event['activity_name']}")
    if event["type_uid"] != number * 100 + activity or number // 1000 != event["category_uid"]:
        found.append("type or category are not the class's")
    found += [
        f"{name} {event[f'{name}_id']} is not {event[name]}"
        for name, captions in CAPTIONS.items()
        if captions.get(event[f"{name}_id"]) != event[name]
    ]
    return found


def _wrong(value: dict[str, Any], attributes: dict[str, Any], where: str) -> list[str]:
    known = {name.rstrip("!"): kind for name, kind in attributes.items()}
    found = [f"{where}: {name} is not known" for name in value.keys() - known.keys()]
    found += [
        f"{where}: {name[:-1]} lacks" for name in attributes if name[-1] == "!" and name[:-1] not in value
    ]
    if where in ANY_OF and not ANY_OF[where] & value.keys():
        found.append(f"{where}: none of {sorted(ANY_OF[where])}")
    for name, given in value.items():
        kind = known.get(name)
        if isinstance(kind, str):
            found += _wrong(given, OBJECTS[kind], kind)
        elif kind is not None and type(given) is not kind:
            found.append(f"{where}: {name} is no {kind.__name__}")
    return found
