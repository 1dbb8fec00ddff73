"""Every address with each method and actor, and the answer that each has."""

from __future__ import annotations

import hashlib
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from audit.models import Entry
from staff.sign_in import invitations
from tests.conftest import Connection
from tests.world import Person
from tests.world.people import PASSWORD, fresh_code
from tests.world.scene import REFERENCE, TICKET, Scene, enter

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


ACTORS = (
    "anonymous",
    "password only",
    "consultant with a claim",
    "consultant without",
    "manager of the team",
    "another manager",
    "reviewer",
    "people",
    "privacy",
    "administrator",
)


#: Address (an action after the colon), method, and the answer to each actor in the order above. After
#: the status: + an entry says allowed, - an entry says refused. `*`: every method that is not named;
#: where there is none, a stranger is sent to sign in, and everybody else is told 405.
TABLE = """
account                    GET    302  302  200  403  403  403  403  403  403  403
acknowledge_recovery       POST   302  302  403- 403- 403- 403- 302+ 403- 403- 403-
add_passkey                GET    302  302  200  200  200  200  200  200  200  200
add_passkey                POST   302  302  200  200  200  200  200  200  200  200
add_totp                   GET    302  302  200  200  200  200  200  200  200  200
add_totp                   POST   302  302  200  200  200  200  200  200  200  200
api_account                PUT    401  401  401  401  401  401  401  401  401  401
api_account                DELETE 401  401  401  401  401  401  401  401  401  401
api_account                *      405  405  405  405  405  405  405  405  405  405
api_heartbeat              POST   401  401  401  401  401  401  401  401  401  401
api_heartbeat              *      405  405  405  405  405  405  405  405  405  405
api_tickets                POST   401  401  401  401  401  401  401  401  401  401
api_tickets                *      405  405  405  405  405  405  405  405  405  405
approval                   GET    302  302  200  403  200  403  200  200  403  403
approve                    POST   302  302  403- 403- 302+ 403- 403- 403- 403- 403-
approve_more               POST   302  302  403- 403- 302+ 403- 403- 403- 403- 403-
ask                        GET    302  302  200  403  403  403  403  403  403  403
ask                        POST   302  302  302+ 403  403  403  403  403  403  403
ask_more                   POST   302  302  302  302+ 403- 403- 403- 403- 403- 403-
change_password            GET    302  302  200  200  200  200  200  200  200  200
change_password            POST   302  302  200  200  200  200  200  200  200  200
authorisation_pdf        POST   302  302  403- 200+ 403- 403- 403- 200+ 403- 403-
authorisations             GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
authorisations_export      POST   302  302  403- 403- 403- 403- 403- 200+ 403- 403-
checks                     GET    302  302  403- 403- 403- 403- 403- 403- 403- 200
confirm_proposal           POST   302  302  403- 403- 403- 403- 403- 302+ 403- 302+
decline_proposal           POST   302  302  403- 403- 403- 403- 403- 302+ 403- 302+
deny                       POST   302  302  403- 403- 302+ 403- 403- 403- 403- 403-
deny_more                  POST   302  302  403- 403- 302+ 403- 403- 403- 403- 403-
deputies                   POST   302  302  403- 403- 302+ 422- 403- 403- 403- 403-
end_deputy                 POST   302  302  403- 403- 302+ 302+ 302+ 302+ 403- 403-
end_grant                  POST   302  302  302+ 302- 302+ 302+ 302+ 302+ 302- 302-
end_other_sessions         POST   302  302  302+ 302+ 302+ 302+ 302+ 302+ 302+ 302+
end_session                POST   302  302  404  404  404  404  404  404  404  404
enrol                      GET    302  302  302  302  302  302  302  302  302  302
enrol                      POST   302  302  302  302  302  302  302  302  302  302
enrol                      *      302  405  405  405  405  405  405  405  405  405
entries                    GET    302  302  403- 403- 403- 403- 200+ 403- 403- 403-
entries                    POST   302  302  403- 403- 403- 403- 302  403- 403- 403-
entry                      GET    302  302  403- 403- 403- 403- 200+ 403- 403- 403-
log_export                 POST   302  302  403- 403- 403- 403- 200+ 403- 403- 403-
log_figures                GET    302  302  403- 403- 403- 403- 200+ 403- 403- 403-
factors                    GET    302  302  200  200  200  200  200  200  200  200
forgot                     GET    200  200  200  200  200  200  200  200  200  200
forgot                     POST   200  200  200  200  200  200  200  200  200  200
forgot                     *      405  405  405  405  405  405  405  405  405  405
gate_state                 GET    302  302  200  403  403  403  403  403  403  403
go                         POST   302  302  302  302  302  302  302  302  302  302
home                       GET    302  302  200  200  200  200  200  200  200  200
home_list                  GET    302  302  200  200  200  200  200  200  200  200
inbox                      GET    302  302  403- 403- 200  200  403- 403- 403- 403-
inbox_list                 GET    302  302  403- 403- 200  200  403- 403- 403- 403-
invitation                 GET    200  200  200  200  200  200  200  200  200  200
invitation                 POST   302+ 302+ 302+ 302+ 302+ 302+ 302+ 302+ 302+ 302+
invitation                 *      405  405  405  405  405  405  405  405  405  405
member                     GET    302  302  403- 403- 200  200  200  200  403- 403-
member_authorisations      GET    302  302  403- 200  403- 403- 403- 200  403- 403-
member_authorisations      POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
members                    GET    302  302  403- 403- 200  200  200  200  403- 403-
members                    POST   302  302  403- 403- 200  200  200  200  403- 403-
ndas                       GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
nda                        GET    302  302  200  200  200  200  200  200  200  200
nda                        POST   302  302  302  302  302  302  302  302  302  302
nda_countersign            GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
nda_countersign            POST   302  302  403- 403- 403- 403- 403- 422- 403- 403-
nda_draft                  GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
nda_draft                  POST   302  302  403- 403- 403- 403- 403- 422  403- 403-
nda_file                   GET    302  302  403- 200+ 403- 403- 403- 200+ 403- 403-
unconfirmed_scans                 GET    302  302  403- 403- 403- 403- 403- 200  403- 200
unconfirmed_scans                 POST   302  302  403- 403- 403- 403- 403- 422- 403- 422-
nda_preview                GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
nda_publish                GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
nda_publish                POST   302  302  403- 403- 403- 403- 403- 409- 403- 403-
nda_recall                 POST   302  302  403- 403- 403- 403- 403- 302- 403- 403-
nda_register               GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
nda_register               POST   302  302  403- 403- 403- 403- 403- 200  403- 403-
nda_register_csv           POST   302  302  403- 403- 403- 403- 403- 200+ 403- 403-
nda_upload                 GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
nda_upload                 POST   302  302  403- 403- 403- 403- 403- 422- 403- 403-
nda_version                GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
new_member                 GET    302  302  403- 403- 403- 403- 403- 200  403- 403-
new_member                 POST   302  302  403- 403- 403- 403- 403- 200+ 403- 403-
open_window                POST   302  302  302  403- 403- 403- 403- 403- 403- 403-
participants               POST   302  302  200+ 403- 403- 403- 403- 403- 403- 403-
passkey_add_begin          POST   302  403- 200  200  200  200  200  200  200  200
passkey_add_begin          *      302  405  405  405  405  405  405  405  405  405
passkey_add_complete       POST   302  403- 403- 403- 403- 403- 403- 403- 403- 403-
passkey_add_complete       *      302  405  405  405  405  405  405  405  405  405
passkey_begin              POST   302  200  200  200  200  200  200  200  200  200
passkey_begin              *      302  405  405  405  405  405  405  405  405  405
passkey_complete           POST   302  403- 403- 403- 403- 403- 403- 403- 403- 403-
passkey_complete           *      302  405  405  405  405  405  405  405  405  405
pulse                      GET    302  302  200  200  200  200  200  200  200  200
preferences                POST   302  302+ 302+ 302+ 302+ 302+ 302+ 302+ 302+ 302+
preferences                *      405  405  405  405  405  405  405  405  405  405
own_entries                GET    302  302  200+ 200+ 200+ 200+ 200+ 200+ 200+ 200+
profile                    GET    302  302  200  200  200  200  200  200  200  200
proposals                  GET    302  302  403- 403- 200  200  200  200  403- 200
recovery_codes             POST   302  302  200  200  200  200  200  200  200  200
recovery_file              POST   302  302  403  403  403  403  403  403  403  403
recovery_kept              POST   302  302  302  302  302  302  302  302  302  302
remove_factor              POST   302  302  409  409  409  409  409  409  409  409
review                     GET    302  302  403- 403- 403- 403- 200+ 403- 403- 403-
review_affected            POST   302  302  403- 403- 403- 403- 200+ 403- 403- 403-
review_answer              POST   302  302  302+ 403- 302+ 403- 403- 403- 403- 403-
review_decide              POST   302  302  403- 403- 403- 403- 302+ 403- 403- 403-
review_questions           GET    302  302  200  200  200  200  200  200  200  200
review_report              POST   302  302  403- 403- 403- 403- 200+ 403- 403- 403-
reviews                    GET    302  302  403- 403- 403- 403- 200  403- 403- 403-
print_grant                POST   302  302  200+ 403- 200+ 403- 200+ 403- 403- 403-
reports                    GET    302  302  403- 403- 403- 403- 403- 403- 200  403-
reports                    POST   302  302  403- 403- 403- 403- 403- 403- 200+ 403-
reveal                     POST   302  302  200+ 403- 403- 403- 403- 403- 403- 403-
session_left               GET    302  302  200  200  200  200  200  200  200  200
session_stay               POST   302  302  200  200  200  200  200  200  200  200
sessions                   GET    302  302  200  200  200  200  200  200  200  200
sign_in                    GET    200  302  302  302  302  302  302  302  302  302
sign_in                    POST   200- 302  302  302  302  302  302  302  302  302
sign_in                    *      405  405  405  405  405  405  405  405  405  405
sign_in_code               GET    302  200  302  302  302  302  302  302  302  302
sign_in_code               POST   302  302+ 302  302  302  302  302  302  302  302
sign_in_code               *      302  405  405  405  405  405  405  405  405  405
sign_out                   POST   302  302+ 302+ 302+ 302+ 302+ 302+ 302+ 302+ 302+
sign_out                   *      405  405  405  405  405  405  405  405  405  405
step_up                    GET    302  302  200  200  200  200  200  200  200  200
step_up                    POST   302  302  302+ 302+ 302+ 302+ 302+ 302+ 302+ 302+
team                       GET    302  302  403- 403- 200  200  200  200  403- 403-
team                       POST   302  302  403- 403- 200  200  200  200  403- 403-
test_mail                  POST   302  302  403- 403- 403- 403- 403- 403- 403- 302
ticket                     GET    302  302  302  403  403  403  403  403  403  403
withdraw_authorisation     POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
withdraw                   POST   302  302  302+ 404- 404- 404- 404- 404- 404- 404-
withdraw_more              POST   302  302  302+ 403- 403- 403- 403- 403- 403- 403-
member_action:suspend      POST   302  302  403- 403- 302+ 302+ 302+ 302+ 403- 403-
member_action:lift         POST   302  302  403- 403- 403- 403- 403- 409- 403- 403-
member_action:leave        POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
member_action:start        POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
member_action:roles        POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
member_action:manager      POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
member_action:name         POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
member_action:email        POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
member_action:language     POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
member_action:withdraw     POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
member_action:reset-factor POST   302  302  403- 403- 403- 403- 403- 302+ 403- 403-
member_action:invite       POST   302  302  403- 403- 403- 403- 403- 200+ 403- 403-
member_action:nonsense     POST   302  302  404  404  404  404  404  404  404  404
"""


REST = {"anonymous": "302", "password only": "302"}


FORMS: dict[str, dict[str, Any]] = {
    "member_authorisations": {"scope": "x", "starts_on": "TODAY", "ends_on": ""},
    "go": {"q": TICKET},
    "ask": {
        "ticket": "ZD-10003",
        "purpose": "support_request",
        "reason": "check_settings",
        "categories": ["contact"],
        "minutes": "60",
        "stretch": "once",
    },
    "entries": {"line": REFERENCE},
    "log_export": {"q": "", "top": 10**15, "form": "csv"},
    "open_window": {"grant": "GRANT"},
    "reveal": {"grant": "GRANT", "fields": ["contact.name"]},
    "participants": {"grant": "GRANT", "page": 1},
    "review_decide": {"verdict": "in_order"},
    "review_answer": {"text": "The customer wrote again."},
    "review_report": {"month": "2026-11"},
    "approve": {"categories": ["contact"]},
    "deny": {"denial": "unclear"},
    "reports": {"about": REFERENCE, "kind": "pdf"},
    "deputies": {"deputy": "OTHER", "begins": "TODAY", "ends": "TODAY"},
    "member_action:suspend": {"sure": "1"},
    "member_action:name": {"name-name": "Somebody Else"},
    "member_action:email": {"email-email": "else@firma.example"},
    "member_action:language": {"language-language": "pl"},
    "new_member": {
        "number": "K-5001",
        "name": "Iza Nowa",
        "email": "iza@firma.example",
        "language": "pl",
        "roles": ["consultant"],
    },
    "member_action:leave": {"leave-day": "2030-01-01"},
    "member_action:roles": {"roles-roles": ["manager"]},
    "member_action:manager": {"manager-manager": ""},
    "member_action:start": {"start-day": "2020-02-02"},
    "member_action:withdraw": {"signature": "SIGNATURE", "why": "revoked"},
    "nda_draft": {
        "text_en": "Keep it.",
        "text_pl": "Zachowaj.",
        "effective_on": "2030-01-01",
        "term_days": 365,
        "grace_days": 14,
    },
    "nda_publish": {"seen": "another"},
    "nda_upload": {"version": 1, "kind": "paper"},
    "preferences": {"theme": "dark"},
    "step_up": {"_code": "CODE"},
    "forgot": {"email": "nobody@firma.example"},
    "sign_in_code": {"code": "CODE"},
    "sign_in": {"email": "nobody@firma.example", "password": PASSWORD},
    "invitation": {"password": "another four quiet otters", "again": "another four quiet otters"},
}


class House(Scene):
    """The scene with one of each role, something open, something waiting."""

    def __init__(self, setup: Connection) -> None:
        super().__init__(setup)
        world = self.world
        self.clients: dict[str, Client] = {}
        self.people = {
            "consultant with a claim": self.anna,
            "consultant without": self.carl,
            "manager of the team": self.boss,
            "another manager": world.member("manager"),
        } | {role: world.member(role) for role in ("reviewer", "people", "privacy", "administrator")}
        for one in self.people.values():
            if one.id not in self.signatures:
                self.signatures[one.id] = world.signature(one)
        world.participants(REFERENCE, 2)
        self.opened(categories=["contact", "participants"])
        world.ticket("ZD-10002", assignee=self.anna)
        world.ticket("ZD-10003", assignee=self.anna)
        self.last: Any = None
        self.waiting = self.ask(ticket="ZD-10002")
        self.more = self.asked_more(self.anna)
        self.review = self.asked_about(self.anna, self.grant)
        self.deputy = world.insert(
            "gatekeeper_deputy",
            manager_id=self.boss.id,
            deputy_id=self.people["another manager"].id,
            begins_at="2020-01-01",
            ends_at="2099-01-01",
            named_at="2020-01-01",
        )
        self.recovery = world.insert(
            "staff_recovery", at="2020-01-01", source="recover (tests)", numbers=["K-0001"]
        )
        proposer = world.member("people")
        world.signature(proposer)
        self.proposal = world.insert(
            "staff_proposal",
            subject_id=self.boss.id,
            fact="roles",
            before='["manager"]',
            value='["consultant", "manager"]',
            source="",
            proposed_by_id=proposer.id,
            proposed_at="2020-01-01",
            expires_at="2099-01-01",
            state="pending",
        )
        self.authorisation = world.insert(
            "staff_authorisation",
            member_id=self.carl.id,
            scope="Aldona",
            starts_on="2020-01-01",
            issued_by_id=self.people["people"].id,
            issued_at="2020-01-01",
        )
        world.insert(
            "staff_signaturefile",
            signature_id=self.signatures[self.carl.id],
            kind="uploaded",
            data=b"%PDF-1.7",
            sha256=hashlib.sha256(b"%PDF-1.7").digest(),
            added_at="2020-01-01",
        )
        world.insert(
            "staff_ndadraft",
            text_en="Keep it.",
            text_pl="Zachowaj.",
            effective_on="2030-01-01",
            term_days=365,
            grace_days=14,
            countersigned=False,
            updated_by_id=self.people["people"].id,
            updated_at="2020-01-01",
        )
        self.entry = Entry.objects.earliest("id").pk
        self.token = "a" * 43
        world.insert(
            "staff_invitation",
            purpose="invitation",
            digest=invitations.digest_of(self.token),
            member_id=self.carl.id,
            created_at="2020-01-01",
            expires_at="2099-01-01",
        )

    def asked_about(self, person: Person, grant: int) -> int:
        """A review of the person's grant, with a reviewer's question."""
        review = self.world.insert(
            "gatekeeper_review",
            grant_id=grant,
            member_id=person.id,
            rules=["hours"],
            sampled=False,
            queued_at="2020-01-01",
            due_at="2099-01-01",
            state="asked",
        )
        self.world.insert(
            "gatekeeper_remark",
            review_id=review,
            kind="question",
            by_id=self.people["reviewer"].id,
            at="2020-01-01",
        )
        return review

    def asked_more(self, who: Person) -> int:
        """A request for more today that waits."""
        today = timezone.localdate()
        facts = {"member_id": who.id, "day": today, "requested_at": timezone.now(), "state": "pending"}
        return self.world.insert("gatekeeper_moretoday", **facts)

    def person(self, actor: str) -> Person:
        return self.people.get(actor, self.anna)

    def client(self, actor: str, *, again: bool = False) -> Client:
        """A browser in which the actor has just signed in; `again`: the one that they had, if any."""
        if not again or actor not in self.clients:
            self.clients[actor] = (
                Client(raise_request_exception=False)
                if actor == "anonymous"
                else enter(self.world, self.person(actor), verified=actor != "password only")
            )
        return self.clients[actor]

    def address(self, door: str) -> str:
        name, _, action = door.partition(":")
        parts: dict[str, list[object]] = {
            "ticket": [TICKET],
            "approval": [self.waiting],
            "approve": [self.waiting],
            "deny": [self.waiting],
            "withdraw": [self.waiting],
            **{key: [self.more] for key in ("approve_more", "deny_more", "withdraw_more")},
            "end_grant": [self.grant],
            "print_grant": [self.grant],
            "review": [self.review],
            "review_affected": [self.review],
            "review_answer": [self.review],
            "review_decide": [self.review],
            "authorisation_pdf": [self.authorisation],
            "withdraw_authorisation": [self.authorisation],
            "member_authorisations": [self.carl.number],
            "end_deputy": [self.deputy],
            "acknowledge_recovery": [self.recovery],
            "confirm_proposal": [self.proposal],
            "decline_proposal": [self.proposal],
            "member": [self.carl.number],
            "member_action": [self.carl.number, action],
            "end_session": [1],
            "nda_file": [self.signatures[self.carl.id]],
            "entry": [self.entry],
            "nda_version": [1],
            "nda_recall": [1],
            "nda_upload": [self.carl.number],
            "invitation": [self.token],
        }
        pattern = next(one for one in patterns() if one.name == name)
        accounts = [REFERENCE] if "<account:" in str(pattern.pattern) else []
        return reverse(name, args=parts.get(name, list(accounts)))

    def form(self, door: str, actor: str) -> dict[str, Any]:
        named = {
            "GRANT": self.grant,
            "TODAY": timezone.localdate().isoformat(),
            "OTHER": self.people["another manager"].number,
            "SIGNATURE": self.signatures[self.carl.id],
        }
        form = {key: named.get(str(value), value) for key, value in FORMS.get(door, {}).items()}
        for field in {"code", "_code"} & form.keys():
            form[field] = fresh_code(self.world, self.person(actor)) if actor != "anonymous" else "000000"
        if door == "end_other_sessions":
            self.world.session(self.person(actor))
        return form


def patterns() -> list[URLPattern]:
    """Every address that there is."""

    def walk(found: list[URLPattern | URLResolver]) -> list[URLPattern]:
        return [
            one
            for entry in found
            for one in (walk(entry.url_patterns) if isinstance(entry, URLResolver) else [entry])
        ]

    return walk(get_resolver().url_patterns)


LEADING = {pattern.name for pattern in patterns() if hasattr(pattern.callback, "post_only")}


def expected(door: str) -> dict[str, dict[str, str]]:
    """Method -> actor -> answer, from the table."""
    rows = {one[1]: one[2:] for one in map(str.split, TABLE.strip().splitlines()) if one[0] == door}
    rest = rows.pop("*", [REST.get(actor, "405") for actor in ACTORS])
    if door.partition(":")[0] in LEADING:  # whoever comes without a form is led to its page
        rows["GET"] = ["302"] * len(ACTORS)
    rows["HEAD"] = ["200"] * len(ACTORS)  # the same to everybody: no view answers it
    assert all(len(row) == len(ACTORS) for row in rows.values())
    return {method: dict(zip(ACTORS, rows.get(method, rest), strict=True)) for method in METHODS}


DOORS = sorted({line.split()[0] for line in TABLE.strip().splitlines()})


POLICY = "default-src 'none'"


def check_headers(response: Any) -> None:
    """What every response says, whatever it is."""
    headers = response.headers
    assert headers["Cache-Control"] == "no-store"
    assert POLICY in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "ETag" not in headers
    assert "Last-Modified" not in headers


def facts(setup: Connection) -> list[Any]:
    """What access rests on, and how many entries speak of an account."""
    tables = ("gatekeeper_grant", "gatekeeper_accessrequest", "gatekeeper_accountpermission",
              "gatekeeper_deputy", "staff_member", "staff_signature")  # fmt: skip
    rows = [setup.execute(f"SELECT x::text FROM {table} x ORDER BY 1").fetchall() for table in tables]
    return [*rows, Entry.objects.exclude(account="").count()]
