"""The customer's report: what it says and leaves out, that it is recorded first, and its proof."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from psycopg.types.json import Jsonb
from pyhanko.pdf_utils.reader import PdfFileReader

from audit import verify_bundle
from audit.models import Entry
from audit.seal import proofs, stored
from gatekeeper.feeds import store
from gatekeeper.gate import decision
from gatekeeper.installation import roles
from gatekeeper.reports import files, words
from gatekeeper.reports import proof as proofs_of
from gatekeeper.reports import report as reading
from gatekeeper.reports.forms import ReportForm
from gatekeeper.reports.report import read
from gatekeeper.reports.scope import Scope, record
from tests.conftest import AsRole, Connection
from tests.world import VALUES, now
from tests.world.keys import session_of
from tests.world.log import VIEW, Log
from tests.world.poppler import attachments_of, problems_of, signatures_of, text_of
from tests.world.scene import REFERENCE, TICKET, Scene, enter, newest
from tests.world.sealed import WARSAW, sealed_report
from tests.world.twins import Twins

DATABASE = pytest.mark.django_db(transaction=True, databases="__all__")


class Desk(Scene):
    """The scene, and a privacy officer; Anna has looked at the contact, and once in vain."""

    def __init__(self, setup: Connection) -> None:
        super().__init__(setup)
        self.eve = self.world.member("privacy", name="Ewa Poufna")
        self.signature = self.world.signature(self.eve)
        self.officer = self.world.session(self.eve)

    def browser_of_officer(self) -> Client:
        return enter(self.world, self.eve)

    def report(self, *accounts: str, participant: int | None = None) -> reading.Report:
        at = timezone.now()
        day = timedelta(days=1)
        scope = Scope(accounts or (REFERENCE,), participant, at - day, at + day, WARSAW)
        return read(scope, at=at)

    def send(self, client: Client | None = None, **form: Any) -> Any:
        zone = ZoneInfo(form.get("zone") or settings.TIME_ZONE)
        today = timezone.localdate(timezone=zone).isoformat()
        given = {"about": REFERENCE, "since": today, "until": today, "language": "en"} | form
        return (client or self.browser_of_officer()).post(reverse("reports"), given)


@pytest.fixture
def desk(setup_connection: Connection) -> Desk:
    return Desk(setup_connection)


# What a report lists


@DATABASE
def test_a_view_is_a_line_with_when_why_what_and_by_which_role(desk: Desk) -> None:
    desk.opened(categories=["contact"])
    desk.reveal("contact.name", "contact.email")
    [line] = desk.report().lines
    entry = newest("view")
    assert (line.number, line.at, line.account) == (entry.pk, entry.timestamp, REFERENCE)
    assert (line.ticket, line.purpose, line.categories) == (TICKET, "support_request", ("contact",))
    assert (line.roles, line.member, line.participants) == (("consultant",), desk.anna.number, None)


@DATABASE
def test_what_was_refused_is_no_line(desk: Desk) -> None:
    desk.opened(categories=["contact"])
    desk.reveal("billing.bank_account")
    assert newest("view").outcome == "refused"
    assert desk.report().lines == ()


def record_again(desk: Desk, vault: Connection) -> Entry:
    """A view that is recorded, and whose release nobody has asked for yet."""
    vault.execute(
        "SELECT vault.record_view(%s, %s, %s, %s, '{contact.email}', false)",
        [desk.caller.digest, Jsonb(desk.caller.context), REFERENCE, desk.grant],
    )
    return newest("view")


def release(desk: Desk, vault: Connection, entry: int, digest: bytes | None) -> str | None:
    statement = "SELECT reason FROM vault.release_view(%s, %s, %s)"
    while True:
        [(reason,)] = vault.execute(statement, [digest, Jsonb(desk.caller.context), entry]).fetchall()
        if reason != "record_pending":
            return None if reason is None else str(reason)


@DATABASE
def test_a_release_that_was_refused_subtracts_nothing_and_stands_beside(desk: Desk, as_role: AsRole) -> None:
    """A release that is rolled back, and one that is refused: the ciphertext was in the caller's hands."""
    desk.opened(categories=["contact"])
    desk.reveal("contact.name")
    vault = as_role(roles.VAULT)
    recorded = record_again(desk, vault)
    with vault.transaction(force_rollback=True):
        assert release(desk, vault, recorded.pk, desk.caller.digest) is None
    desk.world.quietly("staff_member", desk.anna.id, suspended_at=now())
    assert release(desk, vault, recorded.pk, desk.caller.digest) == "member_suspended"
    refusal = newest("view")
    assert (refusal.outcome, refusal.answers) == ("withheld", recorded.pk)
    report = desk.report()
    assert [line.number for line in report.lines][1:] == [recorded.pk]
    assert [[one.number for one in line.refusals] for line in report.lines] == [[], [refusal.pk]]
    with translation.override("en"):
        said = words.rows(report)[1][2]
        assert said.endswith(f"a later release was refused at {words.moment(refusal.timestamp, WARSAW)}")
        assert words.sums(report) == "2 views · 1 ticket · 1 with a later release refused"
        assert any("takes nothing back" in note for note in words.notes(report))


@DATABASE
def test_of_a_refused_release_page_paper_and_table_say_the_same(desk: Desk, as_role: AsRole) -> None:
    desk.opened(categories=["contact"])
    vault = as_role(roles.VAULT)
    recorded = record_again(desk, vault)
    desk.world.quietly("gatekeeper_grant", desk.grant, window_ends_at=now())
    release(desk, vault, recorded.pk, desk.caller.digest)
    for kind in ("page", "pdf", "csv"):
        made = desk.send(kind=kind).content
        text = " ".join((text_of(made) if kind == "pdf" else made.decode("utf-8-sig")).split())
        assert str(recorded.pk) in text
        assert "a later release was refused at" in text, kind
        if kind != "csv":
            assert "1 view · 1 ticket · 1 with a later release refused" in text


@DATABASE
@pytest.mark.parametrize("stranger", ["nobody", "colleague", "another session of hers"])
def test_nobody_puts_a_refusal_beside_anothers_view(desk: Desk, as_role: AsRole, stranger: str) -> None:
    desk.opened(categories=["contact"])
    desk.reveal("contact.name")
    seen = newest("view")
    who = {"colleague": desk.carl, "another session of hers": desk.anna}.get(stranger)
    release(desk, as_role(roles.VAULT), seen.pk, desk.world.session(who).digest if who else None)
    refusal = newest("view")
    assert (refusal.outcome, refusal.answers) == ("withheld", None)
    desk.world.quietly("audit_entry", refusal.pk, answers=seen.pk)  # as logs of before may have it
    [line] = desk.report().lines
    assert (line.number, line.refusals) == (seen.pk, ())


@DATABASE
def test_a_search_that_found_nobody_showed_nothing(desk: Desk) -> None:
    desk.world.participants(REFERENCE, 30)
    desk.opened(categories=["participants"])
    for email in ("nobody@gosc.example", "p7@gosc.example"):
        decision.find_participant(desk.caller, account=REFERENCE, grant=desk.grant, email=email)
    assert Entry.objects.filter(event="search", outcome="allowed").count() == 2
    [line] = desk.report().lines
    assert (line.categories, line.participants) == (("participants",), 1)


@DATABASE
def test_of_a_participant_only_their_own_pages_count(desk: Desk) -> None:
    desk.world.participants(REFERENCE, 30)
    desk.opened(categories=["participants"])
    for page in (1, 2):
        decision.participants(desk.caller, account=REFERENCE, grant=desk.grant, page=page)
    first, second = (line.number for line in desk.report().lines)
    assert [line.number for line in desk.report(participant=25).lines] == [first]
    assert [line.number for line in desk.report(participant=26).lines] == [second]
    assert desk.report(participant=31).lines == ()


@DATABASE
def test_several_accounts_stand_in_one_report_by_time(desk: Desk) -> None:
    desk.world.account("MOC-40002")
    desk.world.account("MOC-40003")
    for number, account in ((1, "MOC-40002"), (2, REFERENCE), (3, "MOC-40003")):
        write(desk, account, member=f"K-000{number}")
    report = desk.report(REFERENCE, "MOC-40002")
    assert [line.account for line in report.lines] == ["MOC-40002", REFERENCE]
    with translation.override("en"):
        assert words.rows(report)[0][1] == "MOC-40002"
        assert len(words.rows(report)[0]) == len(words.head(report.scope)) == 6


def write(desk: Desk, account: str = REFERENCE, **facts: Any) -> None:
    """A view in the log, by its one writer."""
    with desk.world.setup.transaction():
        desk.world.setup.execute("SET LOCAL ROLE gatekeeper_owner")
        desk.world.setup.execute(
            "SELECT audit.write_entry('view', 'allowed', %s)", [Jsonb(VIEW | {"account": account} | facts)]
        )


@DATABASE
def test_of_days_to_come_a_report_says_nothing(desk: Desk) -> None:
    today, tomorrow = timezone.localdate(), timezone.localdate() + timedelta(days=1)
    page = desk.send(kind="page", since=tomorrow, until=tomorrow)
    assert page.context["form"].errors["since"] == ["These days are still to come."]
    form = ReportForm({"about": REFERENCE, "since": today, "until": today + timedelta(days=300)})
    assert form.is_valid()
    before, scope = timezone.now(), form.scope()
    assert before - timedelta(seconds=30) < scope.until <= timezone.now()
    assert f"{timezone.localtime(scope.until):%H:%M:%S}" in words.period(scope)


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"since": "2026-12-01", "until": "2026-12-01"}, "since"), ({"month": "2026-12"}, "month")],
    ids=["days", "month"],
)
def test_what_is_still_to_come_is_so_in_the_reports_own_zone(
    asked: dict[str, str], field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half past midnight where the company is, half past ten in the evening in UTC."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 30, 22, 30, tzinfo=UTC))
    ours = ReportForm({"about": REFERENCE, "zone": "Europe/Vilnius", **asked})
    assert ours.is_valid(), ours.errors
    assert ours.scope().since < ours.scope().until
    assert list(ReportForm({"about": REFERENCE, "zone": "UTC", **asked}).errors) == [field]


def test_what_it_is_about_may_be_copied_from_a_document() -> None:
    form = ReportForm({"about": "moc\u201148213,\u200bMOC\u201348214", "zone": "UTC"})
    assert form.is_valid(), form.errors
    assert form.scope().accounts == ("MOC-48213", "MOC-48214")


def test_a_period_is_from_midnight_to_midnight_in_its_own_zone() -> None:
    form = ReportForm(
        {"about": REFERENCE, "since": "2026-10-25", "until": "2026-10-25", "zone": "Europe/Warsaw"}
    )
    assert form.is_valid(), form.errors
    scope = form.scope()
    assert scope.until.astimezone(UTC) - scope.since.astimezone(UTC) == timedelta(hours=25)
    assert scope.since.astimezone(UTC) == datetime(2026, 10, 24, 22, tzinfo=UTC)


@DATABASE
def test_a_month_is_whole(desk: Desk) -> None:
    form = ReportForm({"about": REFERENCE})  # the company's last one, unless another is chosen
    assert form.is_valid(), form.errors
    scope = form.scope()
    assert (scope.since.day, scope.until.day, scope.until > scope.since) == (1, 1, True)
    assert timedelta(days=27) < scope.until - scope.since < timedelta(days=32)


@DATABASE
def test_an_empty_report_says_that_nobody_looked(desk: Desk) -> None:
    page = desk.send(kind="page")
    assert page.status_code == 200
    assert "Nobody on the staff viewed these data in this period." in page.content.decode()
    paper = desk.send(kind="pdf").content
    assert "Nobody on the staff viewed these data in this period." in text_of(paper)
    assert signatures_of(paper)[0].is_valid


@DATABASE
def test_of_an_erased_account_it_says_what_can_no_longer_be_told(desk: Desk) -> None:
    desk.opened(categories=["contact"])
    desk.reveal("contact.name")
    store.erase_account(REFERENCE, "tests")
    report = desk.report()
    assert report.lines == ()
    assert [reference for reference, _at in report.erased] == [REFERENCE]
    page = desk.send(kind="page").content.decode()
    assert f"{REFERENCE} was erased on" in page
    assert desk.send(kind="zip").status_code == 200


@DATABASE
def test_a_period_that_the_log_has_outlived_says_so(desk: Desk) -> None:
    old = (timezone.localdate() - timedelta(days=settings.LIMITS["log_retention_days"] + 2)).isoformat()
    assert "may be removed" in desk.send(kind="page", since=old).content.decode()
    assert "may be removed" not in desk.send(kind="page").content.decode()


@DATABASE
def test_more_lines_than_a_paper_takes_ask_for_a_shorter_period(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST", 1)
    write(desk)
    assert desk.send(kind="pdf").status_code == 200
    write(desk)
    assert desk.send(kind="pdf").status_code == 422


# Recorded first, and by whom


@DATABASE
@pytest.mark.parametrize("kind", ["page", "pdf", "csv", "zip"])
def test_a_report_is_an_entry_for_each_account(desk: Desk, kind: str) -> None:
    desk.world.account("MOC-40002")
    assert desk.send(about=f"moc-40002 {REFERENCE}", kind=kind).status_code == 200
    found = list(Entry.objects.filter(event="report").order_by("account"))
    assert [one.account for one in found] == [REFERENCE, "MOC-40002"]
    for one in found:
        assert (one.outcome, one.member, one.role) == ("allowed", desk.eve.number, "privacy")
        assert one.session is not None
        assert one.details is not None
        assert one.details["form"] == kind
        until = datetime.fromisoformat(one.details["to"])
        assert timedelta() <= one.timestamp - until < timedelta(minutes=10)


@DATABASE
def test_a_participants_report_is_recorded_with_the_participant(desk: Desk) -> None:
    desk.send(about=f"{REFERENCE}-P17", kind="page")
    assert newest("report").records == [17]


@DATABASE
def test_without_the_entry_nothing_leaves(desk: Desk, twins: Twins) -> None:
    desk.opened(categories=["contact"])
    desk.reveal("contact.name")
    client = desk.browser_of_officer()
    client.raise_request_exception = False
    twins.setup.execute(
        "CREATE TRIGGER no_reports BEFORE INSERT ON public.audit_entry FOR EACH ROW"
        " WHEN (NEW.event = 'report') EXECUTE FUNCTION audit.refuse_rewriting()"
    )
    try:
        answer = desk.send(client, kind="page")
    finally:
        twins.setup.execute("DROP TRIGGER no_reports ON public.audit_entry")
    assert answer.status_code == 500
    assert desk.anna.number not in answer.content.decode()


@DATABASE
@pytest.mark.parametrize("role", ["consultant", "manager", "reviewer", "people", "administrator"])
def test_no_other_role_makes_one(desk: Desk, role: str) -> None:
    other = desk.world.member(role)
    desk.world.signature(other)
    assert record(desk.world.session(other), desk.report().scope, "page") == "role_missing"
    assert (newest("report").outcome, newest("report").reason) == ("refused", "role_missing")


@DATABASE
@pytest.mark.parametrize(
    ("table", "change", "reason"),
    [
        ("staff_member", {"suspended_at": now()}, "member_suspended"),
        ("staff_session", {"verified_at": None}, "mfa_missing"),
        ("staff_session", {"ended_at": now()}, "session_missing"),
        ("staff_signature", {"withdrawn_at": now()}, "nda_withdrawn"),
    ],
)
def test_member_session_and_nda_are_asked_each_time(
    desk: Desk, table: str, change: dict[str, Any], reason: str
) -> None:
    session = session_of(desk.officer.digest).pk
    numbers = {"staff_member": desk.eve.id, "staff_session": session, "staff_signature": desk.signature}
    desk.world.quietly(table, numbers[table], **change)
    assert record(desk.officer, desk.report().scope, "page") == reason


@DATABASE
@pytest.mark.parametrize(
    ("kind", "reason"), [("page", ""), ("pdf", "mfa_stale"), ("csv", "mfa_stale"), ("zip", "mfa_stale")]
)
def test_a_file_leaves_only_after_a_fresh_proof(desk: Desk, kind: str, reason: str) -> None:
    old = now() - timedelta(minutes=settings.LIMITS["factor_minutes_signing"] + 1)
    desk.world.setup.execute("UPDATE staff_session SET verified_at = %s", [old])
    assert record(desk.officer, desk.report().scope, kind) == reason


@DATABASE
def test_what_is_typed_and_no_reference_reaches_no_log_and_no_message(desk: Desk) -> None:
    before = Entry.objects.count()
    client = desk.browser_of_officer()
    for typed in ("Aldona Przykładowa", "aldona@klient.example", f"{REFERENCE} {REFERENCE}-P1", "MOC-1"):
        assert desk.send(client, about=typed, kind="pdf").status_code == 422
    assert not Entry.objects.filter(event="report").exists()
    assert Entry.objects.count() == before
    scope, officer = desk.report().scope, desk.world.session(desk.eve)
    for accounts in (("Aldona",), (REFERENCE, "Aldona"), ()):
        forged = Scope(accounts, None, scope.since, scope.until, WARSAW)
        assert record(officer, forged, "page") == "value_refused"
        assert newest("report").account in {"", REFERENCE}
    assert record(officer, scope, "Aldona") == "value_refused"
    assert "Aldona" not in str(newest("report").details)


@DATABASE
def test_an_account_that_never_was_is_told_to_the_officer_alone(desk: Desk) -> None:
    answer = desk.send(about="MOC-99999", kind="pdf")
    assert answer.status_code == 422
    assert "There is no such account here" in answer.content.decode()
    assert (newest("report").outcome, newest("report").reason) == ("refused", "account_unknown")
    scope = Scope(("MOC-99999",), None, now() - timedelta(days=1), now(), WARSAW)
    assert record(desk.caller, scope, "page") == "role_missing"


# Paper and table


@DATABASE
def test_the_paper_is_polish_for_a_polish_customer_and_names_nobody(desk: Desk) -> None:
    desk.opened(categories=["contact"])
    desk.reveal("contact.name")
    paper = desk.send(kind="pdf", language="", zone="Europe/Warsaw").content
    text = text_of(paper)
    entry = newest("view")
    assert f"{entry.timestamp.astimezone(WARSAW):%H:%M:%S}" in text
    for said in (TICKET, REFERENCE, desk.anna.number, "Europe/Warsaw", str(entry.pk)):
        assert said in text
    for hidden in (f"Member {desk.anna.number}", "Ewa Poufna", *map(str, VALUES.values())):
        assert hidden not in text
    assert (signatures_of(paper)[0].is_valid, signatures_of(paper)[0].is_total) == (True, True)
    with translation.override("pl"):
        assert words.why(desk.report().lines[0]).split(" · ")[1] in text


@DATABASE
def test_the_table_has_each_time_with_its_offset_and_no_formula(desk: Desk) -> None:
    write(desk, purpose="=1+1", role="consultant")
    data = desk.send(kind="csv", zone="Europe/Warsaw")
    assert data.headers["Content-Type"].startswith("text/csv")
    head, row = csv.reader(StringIO(data.content.decode("utf-8-sig")))
    assert len(head) == len(row)
    assert datetime.fromisoformat(row[-1]) == newest("view").timestamp
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


@DATABASE
def test_the_archive_has_paper_table_and_what_checks_the_proof(desk: Desk) -> None:
    answer = desk.send(kind="zip")
    assert 'filename="report-MOC-40001-' in answer.headers["Content-Disposition"]
    with ZipFile(BytesIO(answer.content)) as opened:
        endings = {name.rpartition(".")[2] for name in opened.namelist()}
        assert {"pdf", "csv", "py"} <= endings
        assert opened.read("verify_bundle.py") == files.VERIFIER.read_bytes()


@DATABASE
def test_the_officers_home_has_the_form_and_nobody_elses(desk: Desk) -> None:
    assert 'name="about"' in desk.browser_of_officer().get("/").content.decode()
    assert 'name="about"' not in enter(desk.world, desk.boss).get("/").content.decode()


@DATABASE
def test_account_month_and_button_are_enough(desk: Desk) -> None:
    client = desk.browser_of_officer()
    page = client.get("/").content.decode()
    months = re.findall(r'<option value="(\d{4}-\d{2})"', page)
    assert len(months) > 12
    form = {"about": REFERENCE, "month": months[1], "kind": "pdf"}
    answer = client.post(reverse("reports"), form)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")


@DATABASE
@pytest.mark.parametrize("language", ["en", "pl"])
def test_several_accounts_fit_on_the_paper(desk: Desk, language: str) -> None:
    desk.world.account("MOC-40002")
    desk.world.participants(REFERENCE, 30)
    desk.opened(categories=["contact", "participants"])
    desk.reveal("contact.name")
    decision.participants(desk.caller, account=REFERENCE, grant=desk.grant, page=1)
    answer = desk.send(about=f"{REFERENCE} MOC-40002", kind="pdf", language=language)
    assert answer.status_code == 200
    text = text_of(answer.content)
    assert all(said in text for said in (REFERENCE, "MOC-40002", "25", desk.anna.number))


# The proof


@DATABASE
def test_the_bundle_has_every_sealed_entry_of_the_account_and_holds(log: Log) -> None:
    log.sealed(3)
    log.write(account="MOC-40002")
    refused = log.sealed(1, reason="ticket_closed")
    made = sealed_report(log)
    proof = proofs_of.of(made)
    assert (proof.waiting, proof.problem, list(proof.files)) == (0, "", [f"proof-{REFERENCE}.json"])
    [data] = proof.files.values()
    found = json.loads(data)
    assert verify_bundle.check_bundle(found, key=settings.LOG_VERIFIER) == []
    listed = {int(entry["customer"]["id"]) for entry in found["entries"]}
    assert {line.number for line in made.lines} <= listed
    assert set(refused) <= listed
    assert {entry["customer"]["account"] for entry in found["entries"]} == {REFERENCE}


@DATABASE
def test_an_entry_that_lacks_in_an_accounts_bundle_shows(log: Log) -> None:
    log.sealed(3)
    [data] = proofs_of.of(sealed_report(log)).files.values()
    found = json.loads(data)
    del found["entries"][1]
    assert verify_bundle.check_bundle(found, key=settings.LOG_VERIFIER) != []


@DATABASE
def test_what_waits_for_its_seal_is_counted_and_the_rest_is_proved(log: Log) -> None:
    log.sealed(2)
    log.write()
    proof = proofs_of.of(sealed_report(log))
    assert (len(proof.files), proof.waiting) == (1, 1)
    with translation.override("en"):
        said = list(words.proof(proof))
    assert any("1 entry is not sealed yet" in one for one in said)


@DATABASE
def test_a_participants_bundle_is_a_selection_that_says_so(log: Log) -> None:
    log.write(fields=["participants"], categories=["participants"], records=[1, 2], results=2)
    log.write(fields=["participants"], categories=["participants"], records=[3], results=1)
    seen = log.write(fields=["participants"], categories=["participants"], records=[2], results=1)
    log.write(outcome="withheld", answers=seen, fields=["participants"], records=[2], reason="ticket_closed")
    log.sealer().seal()
    [data] = proofs_of.of(sealed_report(log, participant=2)).files.values()
    found = json.loads(data)
    assert [entry["customer"]["records"] for entry in found["entries"]] == ["{1,2}", "{2}", "{2}"]
    assert found["selection"] is True
    assert verify_bundle.check_bundle(found, key=settings.LOG_VERIFIER) == []
    del found["selection"]
    assert verify_bundle.check_bundle(found, key=settings.LOG_VERIFIER) != []


@DATABASE
def test_a_bundle_at_the_edge_of_a_period_lacks_no_number(log: Log) -> None:
    """The seal's order is that of transactions; times may cross it where a period begins or ends."""
    first, second, third = log.sealed(3)
    at = {one.pk: one.timestamp for one in Entry.objects.all()}
    moved = at[third] + timedelta(hours=1)
    log.tamper("UPDATE audit_entry SET timestamp = %s WHERE id = %s", [moved, second])
    found = proofs.sealed(stored.raw("default"), REFERENCE, at[first], at[third] + timedelta(seconds=1))
    assert found == [first, second, third]


@DATABASE
def test_a_log_that_does_not_prove_it_is_said_in_the_report(log: Log) -> None:
    [entry, *_more] = log.sealed(3)
    log.tamper("UPDATE audit_entry SET ticket = 'ZD-1' WHERE id = %s", [entry])
    proof = proofs_of.of(sealed_report(log))
    assert proof.files == {}
    assert str(entry) in proof.problem


@DATABASE
def test_the_paper_carries_the_bundle(log: Log) -> None:
    log.sealed(2)
    made = sealed_report(log)
    proof = proofs_of.of(made)
    with translation.override("en"):
        paper = files.pdf(made, proof, by="privacy officer · K-0001")
    names = PdfFileReader(BytesIO(paper)).root["/Names"]["/EmbeddedFiles"]["/Names"]
    attached = {str(names[place]): names[place + 1]["/EF"]["/F"].data for place in range(0, len(names), 2)}
    assert attached[f"proof-{REFERENCE}.json"] == proof.files[f"proof-{REFERENCE}.json"]
    assert list(attached) == sorted(attached) == attachments_of(paper)
    assert "facts.json" in attached
    assert problems_of(paper) == ""
    assert signatures_of(paper)[0].is_total
    assert "are in the log, unaltered" in text_of(paper)
