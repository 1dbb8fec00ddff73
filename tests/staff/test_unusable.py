"""A form that would change a fact and cannot be used leaves one refused entry; nothing typed is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from audit.models import Entry
from tests.world import now
from tests.world.doors import ACTORS, DOORS, House, expected

if TYPE_CHECKING:
    from tests.conftest import Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

TYPED: Final = "Aldona Przykładowa, ul. Próbna 1"
BEYOND: Final = "9" * 25
#: No choice of ours, no number or day that there is, and what no database takes.
BAD: Final = (TYPED, "\0", BEYOND)
NOBODYS: Final = 99_999_999


@dataclass(frozen=True)
class Form:
    """Who sends it, what is recorded, and the field in which each bad value is sent beside the good ones."""

    actor: str
    event: str
    field: str
    bad: tuple[str, ...] = BAD
    empty: bool = True  # also nothing at all cannot be used

    def sent(self, house: House, door: str) -> list[dict[str, Any]]:
        good = house.form(door, self.actor)
        return [good | {self.field: value} for value in self.bad] + [{}] * self.empty


PEOPLE: Final = "people"
MANAGER: Final = "manager of the team"
CONSULTANT: Final = "consultant with a claim"
#: Door -> its form. The reason is that the value cannot be taken.
FORMS: Final[dict[str, Form]] = {
    "ask": Form(CONSULTANT, "request", "minutes", empty=False),
    "approve": Form(MANAGER, "approve", "categories"),
    "deny": Form(MANAGER, "deny", "denial"),
    "ask_more": Form("consultant without", "change", "grant", empty=False),
    "deputies": Form(MANAGER, "change", "deputy", (*BAD, "")),
    "new_member": Form(PEOPLE, "change", "number"),
    "member_authorisations": Form(PEOPLE, "change", "starts_on"),
    "member_action:leave": Form(PEOPLE, "change", "leave-day", (*BAD, "9999-12-31"), empty=False),
    "member_action:start": Form(PEOPLE, "change", "start-day", (*BAD, "9999-12-31"), empty=False),
    "member_action:roles": Form(PEOPLE, "change", "roles-roles"),
    "member_action:manager": Form(PEOPLE, "change", "manager-manager", empty=False),
    "member_action:name": Form(PEOPLE, "change", "name-name", ("\0", "Aldona\0", "A" * 201)),
    "member_action:email": Form(PEOPLE, "change", "email-email"),
    "member_action:language": Form(PEOPLE, "change", "language-language"),
    "member_action:withdraw": Form(PEOPLE, "sign", "signature", (*BAD, "9223372036854775808")),
    "nda": Form("consultant without", "sign", "name"),
    "nda_countersign": Form(PEOPLE, "sign", "signature"),
    "unconfirmed_scans": Form("administrator", "sign", "signature"),
    "nda_publish": Form(PEOPLE, "change", "seen"),
    "nda_upload": Form(PEOPLE, "sign", "version"),
    "review_decide": Form("reviewer", "review", "verdict", (*BAD, "question")),
    "review_answer": Form(CONSULTANT, "review", "text", ("aldona@example.com", "", "x" * 501)),
}


@dataclass(frozen=True)
class Button:
    """Who presses it, what is recorded, and the number of nobody's that its address, or its form, names."""

    actor: str
    event: str
    reason: str
    number: str | int = NOBODYS


NO_MEMBER: Final = Button(PEOPLE, "change", "member_unknown", "K-9999")
#: Forms without a field: what of them can be unusable is the number in the address.
BUTTONS: Final[dict[str, Button]] = {
    "acknowledge_recovery": Button("reviewer", "recover", "no_change"),
    "approve_more": Button(MANAGER, "change", "role_missing"),
    "deny_more": Button(MANAGER, "change", "role_missing"),
    "withdraw_more": Button(CONSULTANT, "change", "role_missing"),
    "withdraw": Button(CONSULTANT, "withdraw", "role_missing"),
    "end_deputy": Button(MANAGER, "change", "no_change"),
    "end_grant": Button("administrator", "revoke", "role_missing"),
    "confirm_proposal": Button(PEOPLE, "change", "member_unknown"),
    "decline_proposal": Button(PEOPLE, "change", "member_unknown"),
    "withdraw_authorisation": Button(PEOPLE, "change", "member_unknown"),
    "nda_recall": Button(PEOPLE, "change", "value_refused"),
    "member_action:suspend": NO_MEMBER,
    "member_action:lift": NO_MEMBER,
    "member_action:reset-factor": NO_MEMBER,
    "member_action:invite": NO_MEMBER,
}
#: What changes no fact that access rests on, with what stands in the place of such an entry.
ELSEWHERE: Final[dict[str, str]] = {
    **dict.fromkeys(("reveal", "participants", "open_window"), "the gate refuses: test_refusals, test_gate"),
    **dict.fromkeys(("members", "team", "nda_register", "entries", "go"), "a search"),
    **dict.fromkeys(
        (
            *("reports", "log_export", "log_figures", "nda_register_csv", "authorisations_export"),
            *("authorisation_pdf", "review_affected", "review_report", "print_grant"),
        ),
        "takes something out: an export has its own entry",
    ),
    **dict.fromkeys(("nda_draft", "preferences", "test_mail"), "binds nobody: an ordinary model, a mail"),
    **dict.fromkeys(
        (
            *("sign_in", "sign_in_code", "step_up", "enrol", "invitation", "forgot", "sign_out"),
            *("passkey_begin", "passkey_complete", "passkey_add_begin", "passkey_add_complete"),
            *("add_passkey", "add_totp", "remove_factor", "recovery_codes", "recovery_kept", "recovery_file"),
            *("change_password", "end_session", "end_other_sessions", "session_stay"),
        ),
        "one's own way in: what fails is counted and recorded there",
    ),
    **dict.fromkeys(("api_tickets", "api_heartbeat", "api_account"), "a machine's, by its own key"),
    "member_action:nonsense": "no address",
}


def takes_forms(door: str) -> bool:
    return {expected(door)["POST"][actor] for actor in ACTORS} - {"405", "302"} != set()


def test_every_address_that_takes_a_form_is_known_here() -> None:
    taking = {door for door in DOORS if takes_forms(door)}
    assert taking <= {*FORMS, *BUTTONS, *ELSEWHERE}
    assert not {*FORMS, *BUTTONS} & {*ELSEWHERE}


@pytest.fixture
def house(setup_connection: Connection) -> House:
    return House(setup_connection)


def refused_since(newest: int) -> list[Entry]:
    return list(Entry.objects.filter(pk__gt=newest).exclude(outcome="allowed"))


def the_log(house: House) -> str:
    [(text,)] = house.world.setup.execute("SELECT string_agg(e::text, ' ') FROM audit_entry e").fetchall()
    return str(text)


@pytest.mark.parametrize("door", sorted(FORMS))
def test_a_form_that_cannot_be_used_is_one_refused_entry(house: House, door: str) -> None:
    form = FORMS[door]
    if door == "nda":  # there is something to sign
        house.world.version(2, effective_at=now() - timedelta(days=1))
    actor = house.person(form.actor)
    for sent in form.sent(house, door):
        newest = Entry.objects.latest("pk").pk
        answer = house.client(form.actor, again=True).post(house.address(door), sent)
        assert answer.status_code in {200, 302, 409, 422}, (sent, answer.status_code)
        said = [(one.event, one.outcome, one.reason, one.member) for one in refused_since(newest)]
        assert said == [(form.event, "refused", "value_refused", actor.number)], sent
    log = the_log(house)
    assert not [word for word in ("Aldona P", "aldona@", "AAAA", "xxxx", BEYOND, "Próbna") if word in log]


@pytest.mark.parametrize("door", sorted(BUTTONS))
def test_a_number_of_nobodys_is_one_refused_entry(house: House, door: str) -> None:
    button = BUTTONS[door]
    known = house.address(door)
    parts = known.split("/")
    at = next(place for place, part in enumerate(parts) if any(one.isdigit() for one in part))
    address = "/".join([*parts[:at], str(button.number), *parts[at + 1 :]])
    newest = Entry.objects.latest("pk").pk
    house.client(button.actor).post(address, house.form(door, button.actor))
    said = [(one.event, one.outcome, one.reason, one.member) for one in refused_since(newest)]
    assert said == [(button.event, "refused", button.reason, house.person(button.actor).number)]


def test_what_is_unusable_changes_nothing_beside(house: House) -> None:
    """A day that is none is not read as no day, nor a manager who is none as no manager."""
    client = house.client(PEOPLE)
    before = house.world.setup.execute("SELECT * FROM staff_member ORDER BY id").fetchall()
    for action in ("leave", "start", "manager"):
        field = f"{action}-{'manager' if action == 'manager' else 'day'}"
        client.post(house.address(f"member_action:{action}"), {field: TYPED})
    assert house.world.setup.execute("SELECT * FROM staff_member ORDER BY id").fetchall() == before
