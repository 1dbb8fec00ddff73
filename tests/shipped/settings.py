"""Every optional setting with a value that is not its default; a new setting must get one here."""

from __future__ import annotations

from gatekeeper.installation import roles
from gatekeeper.installation.settings_table import SETTINGS

#: What `configure` decides by itself; and what a unit says, or is the demo's and the tests' alone.
GIVEN = {"COMPANY", "TRUSTED_PROXIES"}
NOT_HERE = {"SERVES", "MODE", "DEBUG", "DATA_DIR", "POSTGRES"}
#: Links and keys of processes that are not the web's.
ELSEWHERE = {
    *("LOG_KEY", "DATABASE_URL_SETUP"),
    *(f"DATABASE_URL_{name}" for name in roles.LINKS if name not in roles.SERVING),
}
NOWHERE = 9  # the port 'discard', on which nothing listens

#: The row that says so when a setting is lacking, and how it stands then.
ROWS = {
    "LOG_VERIFIER": ("gatekeeper.E005", "to_fix"),  # here nobody has sealed, so there is no key at all
    "TRUST_ROOTS": ("gatekeeper.roots", "off"),
    "HELPDESK_TICKET_URL": ("gatekeeper.links", "off"),
    "MAIL_URL": ("gatekeeper.mail", "off"),
    "MAIL_FROM": ("gatekeeper.mail", "to_fix"),
    "SIEM_TARGET": ("gatekeeper.stream", "off"),
    "LOG_ANCHORS": ("gatekeeper.copies", "to_fix"),
}
#: Empty by default, and without a row: the default is a whole one.
WHOLE = {
    "LOG_ORIGIN": "the site's host and /log",
    "SIEM_TOKEN": "the process that sends has it alone",
    "SIEM_ROOTS": "the system's",
    "DETECTION_THRESHOLDS": "the rules' own",
    "TEAM_HOURS": "the company's, for every team",
    "TICKET_STATES": "the words of the four states",
}


def optional() -> list[str]:
    """The settings that a web process may lack."""
    named = [setting.name for setting in SETTINGS if setting.default is not None]
    return [name for name in named if name not in GIVEN | NOT_HERE | ELSEWHERE]


def values(*, folder: str, verifier: str, origin: str, roots: str) -> dict[str, str]:
    """A value for each. `folder`: where files may lie; `roots`: a file of certificates."""
    numbers = {s.name: str(int(s.default or 0) + 1) for s in SETTINGS if s.kind == "limit"}
    found = numbers | {
        "LOG_VERIFIER": verifier,
        "LOG_ORIGIN": origin,
        "LOG_ANCHORS": f"directory:{folder}/copies",
        "SIEM_TARGET": f"file:{folder}/siem/log.jsonl",
        "SIEM_IN_EU": "yes",
        "SIEM_TOKEN": "a-token-of-the-tests",
        "SIEM_ROOTS": roots,
        "TRUST_ROOTS": roots,
        "PROCESSES": "pages+api:2x4",
        "FORWARDED_HEADER": "X-Forwarded-For",
        "TIME_ZONE": "Europe/Warsaw",
        "TICKET_STATES": "Pending Reminder=pending",
        "HELPDESK_TICKET_URL": "https://helpdesk.test/tickets/{number}",
        "MAIL_URL": f"smtps://gatekeeper:secret@127.0.0.1:{NOWHERE}",
        "MAIL_FROM": "gatekeeper@akovana.test",
        "DETECTION_THRESHOLDS": "refusals.count=8",
        "TEAM_HOURS": "K-0020=6-22 1-7 Europe/Warsaw",
    }
    assert set(found) == set(optional()), set(found) ^ set(optional())
    return found
