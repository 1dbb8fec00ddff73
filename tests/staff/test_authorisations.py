"""Standing authorisations, the register of authorised persons, and the print of one grant."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from gatekeeper.access import prints as grant_pdf
from staff.models import Authorisation
from staff.nda import authorisations
from tests.conftest import AsRole, Connection
from tests.world import VALUES, Person, World, now
from tests.world.poppler import facts_of, fonts_of, signatures_of, text_of
from tests.world.scene import REFERENCE, TICKET, Scene, enter, newest

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

SCOPE = "Przeglądanie danych klientów: kontakt, firma, zgłoszenia – ąćęłńóśźż"
STALE = timedelta(minutes=6)


class Office:
    """Anna, and two people officers."""

    def __init__(self, setup: Connection) -> None:
        self.world = world = World(setup)
        world.version()
        self.anna = world.member("consultant", name="Łucja Żółć-Wiśniewska")
        self.officer = world.member("people", name="Kinga Łęcka")
        self.second = world.member("people", name="Ewa Śliwa")
        for one in (self.anna, self.officer, self.second):
            world.signature(one)
        self.caller = world.session(self.officer)
        self.today = timezone.localdate()

    def issue(self, person: Person | None = None, **changes: Any) -> tuple[int | None, str]:
        facts: dict[str, Any] = {"scope": SCOPE, "starts_on": self.today, "ends_on": None} | changes
        return authorisations.issue(self.caller, (person or self.anna).number, **facts)

    def issued(self, person: Person | None = None, **changes: Any) -> int:
        number, reason = self.issue(person, **changes)
        assert reason == ""
        assert number is not None
        return number

    def browser(self, person: Person | None = None) -> Client:
        return enter(self.world, person or self.officer)


@pytest.fixture
def office(setup_connection: Connection) -> Office:
    return Office(setup_connection)


# Issuing and withdrawing


def test_an_officer_issues_one_and_it_is_recorded_without_what_was_typed(office: Office) -> None:
    number = office.issued(ends_on=office.today + timedelta(days=30))
    one = Authorisation.objects.get(pk=number)
    assert (one.member_id, one.scope, one.issued_by_id) == (office.anna.id, SCOPE, office.officer.id)
    entry = newest("change")
    assert (entry.outcome, entry.member, entry.subject) == (
        "allowed",
        office.officer.number,
        office.anna.number,
    )
    assert entry.details is not None
    assert entry.details["authorisation"] == number
    assert "Przeglądanie" not in str(entry.details)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scope": "  "}, "value_refused"),
        ({"scope": "x" * 501}, "value_refused"),
        ({"starts_on": -1}, "value_refused"),
        ({"ends_on": -1}, "value_refused"),
        ({"starts_on": 5, "ends_on": 4}, "value_refused"),
        ({"starts_on": 4000}, "value_refused"),
    ],
)
def test_what_cannot_be_is_refused_and_recorded(office: Office, change: dict[str, Any], reason: str) -> None:
    days: dict[str, Any] = {
        k: office.today + timedelta(days=v) if isinstance(v, int) else v for k, v in change.items()
    }
    assert office.issue(**days) == (None, reason)
    assert not Authorisation.objects.exists()
    assert (newest("change").outcome, newest("change").reason) == ("refused", reason)


def test_nobody_authorises_themselves_nor_withdraws_their_own(office: Office) -> None:
    assert office.issue(office.officer) == (None, "not_yourself")
    number = office.issued(office.second)
    theirs = office.world.session(office.second)
    assert authorisations.withdraw(theirs, number) == "not_yourself"
    assert authorisations.withdraw(office.caller, number) == ""


def test_who_has_left_is_not_authorised(office: Office) -> None:
    office.world.quietly("staff_member", office.anna.id, left_on=office.today - timedelta(days=1))
    assert office.issue() == (None, "member_left")


@pytest.mark.parametrize("role", ["consultant", "manager", "reviewer", "privacy", "administrator"])
def test_only_people_officers_issue_withdraw_and_take_out(office: Office, role: str) -> None:
    number = office.issued()
    person = office.world.member(role)
    office.world.signature(person)
    caller = office.world.session(person)
    assert authorisations.issue(
        caller, office.anna.number, scope="x", starts_on=office.today, ends_on=None
    ) == (None, "role_missing")
    assert authorisations.withdraw(caller, number) == "role_missing"
    assert authorisations.record_taking(caller, number) == "role_missing"
    assert authorisations.record_taking(caller, 999_999) == "role_missing"


def test_it_is_withdrawn_once_and_by_whom_is_kept(office: Office) -> None:
    number = office.issued()
    assert authorisations.withdraw(office.caller, number) == ""
    one = Authorisation.objects.get(pk=number)
    assert one.withdrawn_by_id == office.officer.id
    assert authorisations.withdraw(office.caller, number) == "no_change"
    assert authorisations.withdraw(office.caller, 999_999) == "member_unknown"


def test_one_that_has_run_out_is_not_withdrawn(office: Office) -> None:
    number = office.issued()
    past = office.today - timedelta(days=2)
    office.world.quietly("staff_authorisation", number, starts_on=past, ends_on=past)
    assert authorisations.withdraw(office.caller, number) == "no_change"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE staff_authorisation SET scope = 'everything'",
        "UPDATE staff_authorisation SET ends_on = '2099-01-01'",
        "UPDATE staff_authorisation SET withdrawn_at = NULL, withdrawn_by_id = NULL",
        "DELETE FROM staff_authorisation",
        "TRUNCATE staff_authorisation",
    ],
)
def test_what_was_issued_stays_as_it_was(
    office: Office, setup_connection: Connection, as_role: AsRole, statement: str
) -> None:
    number = office.issued()
    assert authorisations.withdraw(office.caller, number) == ""
    for connection in (setup_connection, as_role("gatekeeper_web")):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_the_pages_role_writes_none_by_itself(office: Office, as_role: AsRole) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("gatekeeper_web").execute(
            "INSERT INTO staff_authorisation (member_id, scope, starts_on, issued_by_id, issued_at)"
            " VALUES (%s, 'x', now(), %s, now())",
            [office.anna.id, office.officer.id],
        )


# The register as of a day


def test_the_register_is_what_stands_at_the_end_of_a_day(office: Office) -> None:
    number = office.issued()
    first = date(2026, 3, 1)
    issued = timezone.make_aware(datetime(2026, 2, 20, 9))  # noqa: DTZ001
    office.world.quietly(
        "staff_authorisation", number, starts_on=first, ends_on=date(2026, 6, 30), issued_at=issued
    )

    def stands(on: date) -> bool:
        return authorisations.in_force(on).filter(pk=number).exists()

    assert [stands(first - timedelta(days=1)), stands(first), stands(date(2026, 6, 30))] == [
        False,
        True,
        True,
    ]
    assert not stands(date(2026, 7, 1))
    withdrawn = timezone.make_aware(datetime(2026, 5, 10, 23, 59))  # noqa: DTZ001
    office.world.quietly("staff_authorisation", number, withdrawn_at=withdrawn)
    assert [stands(date(2026, 5, 9)), stands(date(2026, 5, 10))] == [True, False]
    office.world.quietly("staff_member", office.anna.id, left_on=date(2026, 4, 1))
    assert [stands(date(2026, 4, 1)), stands(date(2026, 4, 2))] == [True, False]


def test_one_that_was_issued_later_was_not_there_before(office: Office) -> None:
    number = office.issued()
    office.world.quietly("staff_authorisation", number, starts_on=date(2020, 1, 1))
    assert not authorisations.in_force(office.today - timedelta(days=1)).exists()
    assert authorisations.in_force(office.today).exists()


# The pages


def test_the_pages_issue_show_and_withdraw(office: Office) -> None:
    client = office.browser()
    address = reverse("member_authorisations", args=[office.anna.number])
    form = {"scope": SCOPE, "starts_on": office.today.isoformat(), "ends_on": ""}
    assert client.post(address, form).status_code == 302
    number = Authorisation.objects.get().pk
    assert SCOPE in client.get(address).content.decode()
    assert SCOPE in client.get(reverse("authorisations")).content.decode()
    assert client.post(reverse("withdraw_authorisation", args=[number])).status_code == 302
    assert SCOPE not in client.get(reverse("authorisations")).content.decode()
    again = client.post(reverse("withdraw_authorisation", args=[number]))
    assert again.status_code == 409
    before = {"on": (office.today - timedelta(days=1)).isoformat()}
    assert client.get(reverse("authorisations"), before).status_code == 200
    assert client.get(reverse("authorisations"), {"on": "soon"}).status_code == 422


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": ""}, "id_scope"),
        ({"starts_on": "2020-01-01"}, "id_starts_on"),
        ({"starts_on": "2999-01-01"}, "id_starts_on"),
        ({"ends_on": "2020-01-01"}, "id_ends_on"),
        ({"scope": "\u200b"}, "id_scope"),
        ({"scope": "\u202e-"}, "id_scope"),
    ],
)
def test_a_wrong_form_keeps_what_was_typed_and_says_what_is_wrong(
    office: Office, change: dict[str, str], error: str
) -> None:
    form = {"scope": SCOPE, "starts_on": office.today.isoformat(), "ends_on": ""} | change
    response = office.browser().post(reverse("member_authorisations", args=[office.anna.number]), form)
    assert response.status_code == 422
    assert f'href="#{error}"' in response.content.decode()
    assert form["scope"] in response.content.decode()
    assert not Authorisation.objects.exists()


def test_a_member_sees_and_takes_their_own_and_changes_none(office: Office) -> None:
    number, foreign = office.issued(), office.issued(office.second, scope="Inny zakres")
    client = office.browser(office.anna)
    page = client.get(reverse("member_authorisations", args=[office.anna.number])).content.decode()
    assert SCOPE in page
    assert reverse("withdraw_authorisation", args=[number]) not in page
    assert client.post(reverse("authorisation_pdf", args=[number])).status_code == 200
    for name, part in (
        ("authorisation_pdf", foreign),
        ("withdraw_authorisation", number),
        ("withdraw_authorisation", foreign),
    ):
        assert client.post(reverse(name, args=[part])).status_code == 403
    assert client.get(reverse("member_authorisations", args=[office.second.number])).status_code == 403
    assert client.get(reverse("authorisations")).status_code == 403


# The documents


def pdf_of(response: Any) -> bytes:
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"].startswith("attachment")
    content: bytes = response.content
    return content


def check_seal(pdf: bytes) -> None:
    (seen,) = signatures_of(pdf)
    assert (seen.field, seen.is_valid, seen.is_total) == ("Seal", True, True)
    assert all("SourceSansPro" in name and embedded for name, embedded in fonts_of(pdf))
    assert facts_of(pdf)["Author"] == "Akovana LLC"


def test_the_paper_is_polish_sealed_and_recorded(office: Office) -> None:
    number = office.issued(ends_on=office.today + timedelta(days=30))
    pdf = pdf_of(office.browser().post(reverse("authorisation_pdf", args=[number])))
    check_seal(pdf)
    text = text_of(pdf)
    for words in (
        "Upoważnienie do przetwarzania danych osobowych", "Łucja Żółć-Wiśniewska", office.anna.number, SCOPE,
        f"{office.today:%d.%m.%Y}", "Kinga Łęcka", "Obowiązek zachowania tajemnicy trwa nadal.",
    ):  # fmt: skip
        assert words in text
    assert "Wycofano" not in text
    entry = newest("export")
    assert (entry.member, entry.subject) == (office.officer.number, office.anna.number)
    assert entry.details == {"authorisation": number}


def test_a_withdrawn_paper_says_so(office: Office) -> None:
    number = office.issued()
    authorisations.withdraw(office.caller, number)
    text = text_of(pdf_of(office.browser().post(reverse("authorisation_pdf", args=[number]))))
    assert "Wycofano" in text
    assert "bezterminowo, do odwołania" in text


def test_the_register_as_pdf_and_csv_has_each_line_and_is_recorded(office: Office) -> None:
    office.issued()
    office.issued(office.second, scope='=HYPERLINK("x")', ends_on=office.today)
    client, address = office.browser(), reverse("authorisations_export")
    pdf = pdf_of(client.post(address, {"on": office.today.isoformat(), "kind": "pdf"}))
    check_seal(pdf)
    text = text_of(pdf)
    assert "Ewidencja osób upoważnionych" in text
    assert "Łucja Żółć-Wiśniewska" in text
    assert "Ewa Śliwa" in text
    entry = newest("export")
    assert entry.details == {"register": "authorisations", "on": office.today.isoformat(), "rows": 2}
    response = client.post(address, {"on": office.today.isoformat(), "kind": "csv"})
    assert response.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(StringIO(response.content.decode("utf-8-sig"))))
    assert len(rows) == 3
    assert SCOPE in rows[1]
    assert '\'=HYPERLINK("x")' in rows[2]
    assert Entry.objects.filter(event="export", outcome="allowed").count() == 2


def test_a_register_of_many_goes_over_pages_with_its_head(office: Office) -> None:
    for number in range(60):
        person = office.world.member("consultant", name=f"Osoba {number}")
        office.world.insert(
            "staff_authorisation", member_id=person.id, scope=SCOPE, starts_on=office.today,
            issued_by_id=office.officer.id, issued_at=now(),
        )  # fmt: skip
    pdf = pdf_of(office.browser().post(reverse("authorisations_export"), {"on": office.today.isoformat()}))
    pages = int(facts_of(pdf)["Pages"])
    assert pages > 2
    assert text_of(pdf).count("Imię i nazwisko") == pages
    assert "Osoba 59" in text_of(pdf)


def test_taking_a_paper_out_asks_for_a_fresh_proof_of_presence(office: Office) -> None:
    number = office.issued()
    stale = office.world.session(office.officer, verified_at=now() - STALE)
    assert authorisations.record_taking(stale, number) == "mfa_stale"
    assert newest("export").outcome == "refused"
    own = office.world.session(office.anna, verified_at=now() - STALE)
    assert authorisations.record_taking(own, number) == ""


# The print of one grant


def an_eventful_grant(scene: Scene) -> int:
    """Opened, viewed, refused and ended."""
    grant = scene.opened()
    assert scene.reason("contact.name", "contact.email") == ""
    assert scene.reason("company.address") == ""
    assert scene.reason("billing.bank_account") == "category_not_covered"
    scene.world.setup.execute("UPDATE gatekeeper_ticket SET state = 'closed'")
    return grant


def printed(scene: Scene, person: Person, grant: int) -> Any:
    return enter(scene.world, person).post(reverse("print_grant", args=[grant]))


def test_the_print_has_every_fact_and_no_value(scene: Scene) -> None:
    grant = an_eventful_grant(scene)
    reviewer = scene.world.member("reviewer")
    scene.world.signature(reviewer)
    pdf = pdf_of(printed(scene, reviewer, grant))
    check_seal(pdf)
    text = text_of(pdf)
    for words in (
        f"Grant {grant}", REFERENCE, TICKET, scene.anna.number, scene.boss.number, "support request",
        "Reproduce the fault", "60 minutes, once", "contact, company, told to support",
        "Name or nickname, E-mail", "Company address", "category_not_covered", "ticket_closed",
        "The duty of secrecy goes on.", f"Signature {scene.signatures[scene.anna.id]}",
    ):  # fmt: skip
        assert words in text, words
    for value in VALUES.values():
        assert str(value) not in text
    entry = newest("export")
    assert (entry.outcome, entry.account, entry.subject, entry.grant_id, entry.approver) == (
        "allowed", REFERENCE, scene.anna.number, grant, scene.boss.number,
    )  # fmt: skip


def test_a_grant_that_was_not_opened_is_printed_too(scene: Scene) -> None:
    grant = scene.approved()
    assert "Nothing: it was not opened." in text_of(pdf_of(printed(scene, scene.anna, grant)))


def test_the_people_concerned_may_print_it_and_nobody_else(scene: Scene) -> None:
    grant = scene.approved()
    others = [scene.carl, *(scene.world.member(role) for role in ("manager", "people", "administrator"))]
    for one in others[1:]:
        scene.world.signature(one)
    assert printed(scene, scene.anna, grant).status_code == 200
    assert printed(scene, scene.boss, grant).status_code == 200
    for one in others:
        known, unknown = printed(scene, one, grant), printed(scene, one, 999_999)
        assert (known.status_code, unknown.status_code) == (403, 403)
        assert newest("export").outcome == "refused"
        assert newest("export").account == ""


def test_printing_asks_for_a_fresh_proof_of_presence(scene: Scene) -> None:
    grant = scene.approved()
    reviewer = scene.world.member("reviewer")
    scene.world.signature(reviewer)
    for person in (scene.anna, scene.boss, reviewer):
        stale = scene.world.session(person, verified_at=now() - STALE)
        assert grant_pdf.record_print(stale, grant) == "mfa_stale"
        assert newest("export").reason == "mfa_stale"


def test_a_grant_that_is_none_is_not_found_by_a_reviewer(scene: Scene) -> None:
    reviewer = scene.world.member("reviewer")
    scene.world.signature(reviewer)
    assert printed(scene, reviewer, 999_999).status_code == 404
    assert newest("export").reason == "grant_unknown"


def test_without_an_nda_in_force_nothing_is_taken_out(scene: Scene) -> None:
    grant = scene.approved()
    scene.world.quietly("staff_signature", scene.signatures[scene.boss.id], withdrawn_at=now())
    assert grant_pdf.record_print(scene.world.session(scene.boss), grant) == "nda_withdrawn"
