"""The way back: `manage.py recover`, as the setup role, when fewer than two officers are able to act."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from gatekeeper.installation import roles
from gatekeeper.pages import people_health
from staff.directory import recoveries
from staff.frame import background
from staff.models import Invitation, Proposal, Recovery, TotpDevice
from tests import environment
from tests.conftest import AsRole
from tests.world import LONG_AGO, Person, now, racing
from tests.world.officers import Company, able, changed, company, desk, is_let_in, running, text
from tests.world.people import PASSWORD, member, password_of

__all__ = ["company"]  # the fixture

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

ROOT = Path(__file__).resolve().parents[2]
SQL = "SELECT reason FROM staff.recover(%s::text[], %s::bytea[], 'recover (tests)')"


def run(*arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """The command as it is run on the database's machine, in a process of its own."""
    known: dict[str, str | None] = {
        name: one for name, one in os.environ.items() if name.startswith(("GATEKEEPER_", "PATH"))
    }
    variables = known | {"GATEKEEPER_SITE_URL": "https://gatekeeper.test"} | changes
    return subprocess.run(
        [sys.executable, "manage.py", "recover", *arguments],
        cwd=ROOT,
        env={name: one for name, one in variables.items() if one is not None},
        capture_output=True,
        text=True,
        check=False,
    )


def block_all_officers(company: Company) -> None:
    """Both officers are suspended for good, and one has lost the factor too."""
    for one in company.officers:
        changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, one)
    changed("staff_totpdevice", "user_id", confirmed=False)(company.world, company.officers[1])


def ask(company: Company, *numbers: str) -> str:
    """What the function answers the setup role."""
    digests = [os.urandom(32) for _ in numbers]
    return str(company.world.setup.execute(SQL, [list(numbers), digests]).fetchone()[0])  # type: ignore[index]


def numbers(*people: Person) -> list[str]:
    return [one.number for one in people]


def test_two_officers_are_brought_back_by_links_that_work(company: Company) -> None:
    block_all_officers(company)
    done = run(*numbers(*company.officers))
    assert done.returncode == 0, done.stderr
    assert "Able to act now: nobody." in done.stdout
    assert f"{company.officers[1].number} is suspended, has no second factor in use." in done.stdout
    links = re.findall(r"https://gatekeeper\.test(/\S+)", done.stdout)
    assert len(set(links)) == 2
    for person in company.officers:
        one = member(person)
        assert (one.suspended_at, password_of(one), one.roles) == (None, "!", ["people"])
        assert not TotpDevice.objects.filter(user_id=person.id).exists()
        assert Invitation.objects.filter(member_id=person.id, used_at=None).count() == 1
        assert is_let_in(person)
    told = Entry.objects.filter(event="recover", outcome="allowed").order_by("id")
    assert [one.subject for one in told] == numbers(*company.officers)
    assert all(one.source.startswith("recover (") for one in told)
    assert isinstance(told[0].details, dict)
    assert told[0].details["able"] == []
    assert told[0].details["hindered"][company.officers[1].number] == ["member_suspended", "mfa_missing"]
    client = Client()
    followed = client.post(links[0], {"password": PASSWORD, "again": PASSWORD}, follow=True)
    assert followed.redirect_chain[-1][0] == reverse("enrol")  # a second factor comes next


def test_where_one_is_able_one_is_brought_back(company: Company) -> None:
    first, second = company.officers
    changed("staff_member", "id", left_on=date(2021, 1, 1))(company.world, first)
    company.world.session(second)
    refused = run(*numbers(first, second))
    assert refused.returncode == 1
    assert "Name as many as are lacking" in refused.stderr
    done = run(first.number)
    assert done.returncode == 0, done.stderr
    assert f"Able to act now: {second.number}." in done.stdout
    one = member(first)
    assert (one.left_on, one.roles) == (None, ["people"])
    assert running(second) == 1  # whoever is able is left alone


def test_while_two_are_able_it_refuses_and_says_so(company: Company) -> None:
    third = company.able("people")
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, third)
    refused = run(third.number)
    assert refused.returncode == 1
    assert "Two people officers or more are able to act" in refused.stderr
    assert member(third).suspended_at is not None
    entry = Entry.objects.get(event="recover")
    assert (entry.outcome, entry.reason) == ("refused", "enough_able")
    assert not Recovery.objects.exists()


def refused(company: Company, *named: str) -> str:
    """The reason for which the function brings nobody back, as it stands in the log too."""
    reason = ask(company, *named)
    entry = Entry.objects.filter(event="recover").order_by("-id")[0]
    assert (entry.outcome, entry.reason, Recovery.objects.count()) == ("refused", reason, 0)
    return reason


def test_the_database_asks_each_thing_itself(company: Company) -> None:
    first, second = numbers(*company.officers)
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, company.officers[0])
    assert refused(company, "K-9999") == "member_unknown"
    assert refused(company, first, second) == "two_needed"
    assert refused(company, second) == "two_needed"  # who is able needs no way back
    assert refused(company, company.anna.number) == "not_an_officer"
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, company.officers[1])
    assert refused(company, first) == "two_needed"
    assert refused(company, first, first) == "member_unknown"


def test_where_the_officers_are_gone_another_member_becomes_one(company: Company) -> None:
    first, second = company.officers
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, first)
    changed("staff_member", "id", roles=["consultant"])(company.world, second)
    assert ask(company, first.number, company.anna.number) == ""
    assert member(company.anna).roles == ["people"]


def test_a_day_that_keeps_nobody_from_acting_stays(company: Company) -> None:
    first, second = company.officers
    coming = date(2099, 1, 1)
    changed("staff_member", "id", left_on=coming, suspended_at=LONG_AGO)(company.world, first)
    changed("staff_member", "id", starts_on=coming)(company.world, second)
    started = member(first).starts_on
    assert ask(company, first.number, second.number) == ""
    assert (member(first).left_on, member(first).starts_on) == (coming, started)
    begins = member(second).starts_on
    assert begins is not None
    assert begins < coming


def test_an_agreement_that_has_ended_keeps_an_officer_from_acting(company: Company) -> None:
    first, _ = company.officers
    changed("staff_signature", "member_id", withdrawn_at=LONG_AGO)(company.world, first)
    assert ask(company, first.number) == ""
    entry = Entry.objects.get(event="recover")
    assert isinstance(entry.details, dict)
    assert entry.details["hindered"] == {first.number: ["nda_withdrawn"]}


def test_the_password_of_before_opens_nothing_more(company: Company) -> None:
    first, _ = company.officers
    changed("staff_member", "id", suspended_at=LONG_AGO, password="of before")(company.world, first)
    assert ask(company, first.number) == ""
    assert password_of(member(first)) == "!"


WOULD = "SELECT reason, able FROM staff.recover(%s::text[], NULL, 'recover (tests)')"


@contextmanager
def another_superuser() -> Iterator[psycopg.Connection]:
    url = environment.setup_url(environment.database_name())
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def test_an_officer_who_is_about_to_be_able_counts(company: Company) -> None:
    """Also one whom nobody named: all officers are looked at when nobody changes them any more."""
    second = company.officers[1]
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, second)
    with another_superuser() as lifting, another_superuser() as asking, ThreadPoolExecutor(1) as pool:
        lifting.execute("BEGIN")
        lifting.execute("SET session_replication_role = replica")
        lifting.execute("UPDATE staff_member SET suspended_at = NULL WHERE id = %s", [second.id])
        answer = pool.submit(racing.row, asking, WOULD, [[company.anna.number]])
        try:
            racing.until_waiting(company.world.setup, 1)
        finally:
            lifting.commit()
        assert answer.result() == ("enough_able", sorted(numbers(*company.officers)))


def test_who_is_named_is_looked_at_when_nobody_changes_them_any_more(company: Company) -> None:
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, company.officers[1])
    with another_superuser() as changing, another_superuser() as asking, ThreadPoolExecutor(1) as pool:
        changing.execute("BEGIN")
        changing.execute("SELECT FROM staff_member WHERE id = %s FOR NO KEY UPDATE", [company.anna.id])
        answer = pool.submit(racing.row, asking, WOULD, [[company.anna.number]])
        try:
            racing.until_waiting(company.world.setup, 1)
        finally:
            changing.rollback()
        assert answer.result() == ("not_an_officer", numbers(company.officers[0]))


def test_each_gets_the_link_of_their_own(company: Company) -> None:
    """In the order in which they were named, and not in that of their numbers."""
    block_all_officers(company)
    people = company.officers[::-1]
    digests = [os.urandom(32) for _ in people]
    assert company.world.setup.execute(SQL, [numbers(*people), digests]).fetchone() == ("",)
    kept = dict(Invitation.objects.filter(used_at=None).values_list("member_id", "digest"))
    assert [bytes(kept[one.id]) for one in people] == digests
    entries = Entry.objects.filter(event="recover").order_by("id")
    assert [one.subject for one in entries] == numbers(*people)


def test_a_long_name_of_the_command_is_cut(company: Company) -> None:
    source = "recover (" + 100 * "x" + ")"
    long = SQL.replace("'recover (tests)'", f"'{source}'")
    named = [numbers(*company.officers), [os.urandom(32), os.urandom(32)]]
    assert company.world.setup.execute(long.encode(), named).fetchone() == ("enough_able",)
    block_all_officers(company)
    assert company.world.setup.execute(long.encode(), named).fetchone() == ("",)
    assert set(Entry.objects.filter(event="recover").values_list("source", flat=True)) == {source[:80]}
    assert Recovery.objects.get().source == source[:80]


def test_a_refusal_says_who_is_able_and_who_was_named(company: Company) -> None:
    first, second = company.officers
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, first)
    assert refused(company, first.number, company.anna.number) == "two_needed"
    entry = Entry.objects.get(event="recover")
    assert entry.details == {
        "able": [second.number],
        "named": sorted([first.number, company.anna.number]),
        "hindered": {first.number: ["member_suspended"], company.anna.number: ["role_missing"]},
    }


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_who_reads_an_older_state_brings_nobody_back(company: Company, level: str) -> None:
    block_all_officers(company)
    setup = company.world.setup
    with setup.transaction(force_rollback=True):
        setup.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="setup role alone"):
            ask(company, *numbers(*company.officers))
    assert member(company.officers[0]).suspended_at is not None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["K-9998", "K-9999"], "There is no member with this number."),
        (["OFFICER", "OFFICER"], "Name as many as are lacking"),
        (["OFFICER"], "Name as many as are lacking"),
        (["OFFICER", "ANNA"], "Name people officers"),
        (["K-1", "OFFICER"], "K-1 is no member's number"),
        ([], "the following arguments are required: NUMBER"),
        (["OFFICER", "OTHER", "--everything"], "unrecognized arguments: --everything"),
    ],
)
def test_wrong_arguments_change_nothing(company: Company, given: list[str], said: str) -> None:
    block_all_officers(company)
    known = {
        "OFFICER": company.officers[0].number,
        "OTHER": company.officers[1].number,
        "ANNA": company.anna.number,
    }
    refused = run(*(known.get(one, one) for one in given))
    assert refused.returncode != 0
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert member(company.officers[0]).suspended_at is not None
    assert not Recovery.objects.exists()


def test_a_dry_run_says_it_and_changes_nothing(company: Company) -> None:
    block_all_officers(company)
    entries = Entry.objects.count()
    done = run(*numbers(*company.officers), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "is suspended" in done.stdout
    assert "Nothing was changed." in done.stdout
    assert "https://" not in done.stdout
    assert member(company.officers[0]).suspended_at is not None
    assert (Entry.objects.count(), Recovery.objects.count()) == (entries, 0)


def test_help_says_what_it_does_and_what_it_needs() -> None:
    told = " ".join(run("--help").stdout.split())
    for words in (
        "only while fewer are",
        "web.env and setup.env",
        "--dry-run",
        "until a reviewer has acknowledged",
    ):
        assert words in told


def test_without_the_setup_role_it_says_what_it_lacks(company: Company) -> None:
    block_all_officers(company)
    lacking = run("K-1000", "K-1001", GATEKEEPER_DATABASE_URL_SETUP=None)
    assert lacking.returncode == 1
    assert "recover needs GATEKEEPER_DATABASE_URL_SETUP" in lacking.stderr
    other = run(
        "K-1000",
        "K-1001",
        GATEKEEPER_DATABASE_URL_SETUP=environment.role_url(roles.PEOPLE),
    )
    assert other.returncode == 1
    assert "permission denied" in other.stderr


@pytest.mark.parametrize("role", [roles.MIGRATOR, *roles.RUN_TIME])
def test_no_other_role_brings_anybody_back(company: Company, as_role: AsRole, role: str) -> None:
    block_all_officers(company)
    connection = as_role(role)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(SQL, [numbers(*company.officers), [b"x" * 32, b"y" * 32]])
    if role == roles.MIGRATOR:
        connection.execute("SET ROLE gatekeeper_owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="setup role alone"):
            connection.execute(SQL, [numbers(*company.officers), [b"x" * 32, b"y" * 32]])
    assert member(company.officers[0]).suspended_at is not None


def test_whom_it_brought_back_nobody_suspends_for_good_alone(company: Company) -> None:
    block_all_officers(company)
    assert ask(company, *numbers(*company.officers)) == ""
    assert able("people") == set()  # they have to set up a factor first
    for one in company.officers:
        assert company.suspend(one, company.boss) == "held"


def test_what_waited_to_suspend_whom_it_brings_back_is_over(company: Company) -> None:
    block_all_officers(company)
    assert ask(company, *numbers(*company.officers)) == ""
    for one in company.officers:
        assert company.suspend(one, company.boss) == "held"
    assert ask(company, *numbers(*company.officers)) == ""
    waited = Proposal.objects.filter(fact="suspended", value=True)
    assert [one.state for one in waited] == ["lapsed", "lapsed"]


# On every page


def test_everybody_reads_it_on_every_page_until_a_reviewer_acknowledges_it(company: Company) -> None:
    block_all_officers(company)
    clients = {
        name: desk(company, one)
        for name, one in (("anna", company.anna), ("boss", company.boss), ("reviewer", company.reviewers[0]))
    }
    said = "A command on the server brought people officers back"
    assert all(said not in text(client.get("/")) for client in clients.values())
    ask(company, *numbers(*company.officers))
    for client in clients.values():
        for address in ("/", reverse("profile")):
            page = text(client.get(address))
            assert said in page
            assert all(one.number in page for one in company.officers)
    address = reverse("acknowledge_recovery", args=[Recovery.objects.get().pk])
    assert address not in text(clients["anna"].get("/"))
    assert clients["anna"].post(address).status_code == 403
    assert clients["boss"].post(address).status_code == 403
    assert address in text(clients["reviewer"].get("/"))
    assert "Acknowledged, and recorded." in text(clients["reviewer"].post(address, follow=True))
    assert all(said not in text(client.get("/")) for client in clients.values())
    entry = Entry.objects.filter(event="recover").order_by("-id")[0]
    assert (entry.outcome, entry.member) == ("allowed", company.reviewers[0].number)
    assert entry.details == {"acknowledged": Recovery.objects.get().pk}
    one = Recovery.objects.get()
    assert one.acknowledged_by_id == company.reviewers[0].id
    assert recoveries.acknowledge(company.world.session(company.reviewers[1]), one.pk) == "no_change"


def test_one_acknowledges_what_there_is_and_as_a_reviewer_alone(company: Company) -> None:
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, company.officers[0])
    assert ask(company, company.officers[0].number) == ""
    one = int(Recovery.objects.get().pk)
    another = company.world.insert("staff_recovery", at=now(), source="tests", numbers=["K-9999"])
    for by, number, reason in (
        (company.boss, one, "role_missing"),
        (company.reviewers[0], another + 1, "no_change"),
    ):
        assert recoveries.acknowledge(company.world.session(by), number) == reason
        entry = Entry.objects.filter(event="recover").order_by("-id")[0]
        assert (entry.outcome, entry.reason) == ("refused", reason)
        assert not Recovery.objects.exclude(acknowledged_at=None).exists()
    assert recoveries.acknowledge(company.world.session(company.reviewers[0]), one) == ""
    assert Recovery.objects.get(acknowledged_at=None).pk == another


def test_two_acknowledge_at_once_and_one_is_told(company: Company, as_role: AsRole) -> None:
    one = company.world.insert("staff_recovery", at=now(), source="tests", numbers=["K-9999"])
    sql = "SELECT staff.acknowledge_recovery(%s::bytea, '{\"cid\": 1}', %s::bigint)"
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    callers = [company.world.session(reviewer) for reviewer in company.reviewers[:2]]
    first.execute("BEGIN")
    assert racing.row(first, sql, [callers[0].digest, one]) == ("",)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(racing.row, second, sql, [callers[1].digest, one])
        try:
            racing.until_waiting(company.world.setup, 1)
        finally:
            first.commit()
        assert answer.result() == ("no_change",)
    assert Recovery.objects.get().acknowledged_by_id == company.reviewers[0].id


def test_all_are_told_by_mail(company: Company, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    changed("staff_member", "id", left_on=date(2021, 1, 1))(company.world, company.anna)
    recoveries.notify_officers(numbers(*company.officers))
    background.finish()
    told = {one.to[0] for one in mail.outbox}
    assert member(company.boss).email in told
    assert member(company.anna).email not in told
    assert company.officers[0].number in mail.outbox[0].body


def test_checks_name_the_way_back(company: Company) -> None:
    assert people_health.able().state == "ok"
    changed("staff_member", "id", suspended_at=LONG_AGO)(company.world, company.reviewers[0])
    assert (people_health.able().state, people_health.able().command) == ("to_fix", "")
    block_all_officers(company)
    assert people_health.able().command == "python manage.py recover NUMBER NUMBER"
