"""Reviewing: what is queued and what is drawn, verdicts, questions and answers, and what leaves as a file."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry, Round
from gatekeeper.access import grants, prints
from gatekeeper.demo import acts
from gatekeeper.frame.health_row import Health
from gatekeeper.gate import decision
from gatekeeper.log import under
from gatekeeper.models import Draw, Grant, Remark, Review
from gatekeeper.pages import health
from gatekeeper.reviews import calls, files, queue, texts, units
from staff.frame import background
from staff.models import Member, Session
from tests.world import World, now
from tests.world.entries import VIEW, entry
from tests.world.notices import none_taken
from tests.world.past import Past
from tests.world.people import give_factors, member
from tests.world.scene import REFERENCE, TICKET, Scene, enter, newest

if TYPE_CHECKING:
    from django.test import Client

    from staff.frame.callers import Caller
    from tests.conftest import AsRole, Connection, Thresholds
    from tests.world import Person

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

QUESTION = "Why was this opened after the ticket had been answered?"
ANSWER = "The customer wrote again, and the fault was back."


class Recorded(World):
    """A world in which somebody has signed in to each session, by the log."""

    def session(self, member: Person, **facts: Any) -> Caller:
        caller = super().session(member, **facts)
        find = "SELECT id FROM staff_session WHERE digest = %s"
        [(number,)] = self.setup.execute(find, [caller.digest]).fetchall()
        self.signed_in(member, number)
        return caller

    def signed_in(self, member: Person, session: int) -> None:
        entry(self, event="sign_in", object_repr="code", member=member.number, session=session, account=None)


class Desk(Scene):
    """The scene with two reviewers, and views of Anna's to review."""

    world_class = Recorded
    world: Recorded

    def __init__(self, setup: Connection) -> None:
        super().__init__(setup)
        self.rita, self.ray = self.world.member("reviewer"), self.world.member("reviewer")
        for one in (self.rita, self.ray):
            self.signatures[one.id] = self.world.signature(one)
        self.by = self.world.session(self.rita)
        self.past = Past(setup)

    def seen(self) -> Review:
        """Anna opens and looks; the rules find it, and it is queued."""
        self.opened()
        self.reveal()
        return self.queued()

    def queued(self) -> Review:
        call_command("detect")
        return queue.reviews().get(grant=self.grant, closed_at=None)

    def decide(self, review: Review, verdict: str, by: Caller | None = None) -> str:
        text = texts.encrypted(review, QUESTION) if verdict == "question" else None
        return calls.decide(by or self.by, review.pk, verdict, text)

    def day_of(self, person: Person) -> Review:
        """The day of somebody who did something that is flagged without a grant."""
        self.world.signed_in(person, VIEW["session"])
        self.past.write("export", now(), member=person.number, grant_id=None, account=None)
        call_command("detect")
        return queue.reviews().get(member=person.id, grant=None)


@pytest.fixture
def desk(setup_connection: Connection, thresholds: Thresholds) -> Desk:
    thresholds(
        {"hours": {"begins": 0, "ends": 24, "days": 7}, "everything": {"categories": 1}}
    )  # at any hour, any view
    return Desk(setup_connection)


# The queue


def test_a_grant_with_all_views_under_it_is_one_unit(desk: Desk) -> None:
    desk.opened()
    desk.reveal()
    desk.reveal("contact.email")
    review = desk.queued()
    assert "everything" in review.rules
    assert review.member_id == desk.anna.id
    assert [one.event for one in units.entries(review)] == ["request", "approve", "start", "view", "view"]
    assert timedelta(days=6) < review.due_at - now() < timedelta(days=8)


def test_what_is_queued_is_queued_once_and_told_what_else_was_found(desk: Desk) -> None:
    review = desk.seen()
    desk.past.write("view", now(), grant_id=desk.grant, member=desk.anna.number, records=list(range(101)))
    assert desk.queued().pk == review.pk
    assert {"everything", "participants"} <= set(desk.queued().rules)


def test_what_is_found_after_a_verdict_is_queued_again(desk: Desk) -> None:
    review = desk.seen()
    assert desk.decide(review, "in_order") == ""
    desk.world.signed_in(desk.anna, VIEW["session"])
    desk.past.write("view", now(), grant_id=desk.grant, member=desk.anna.number, records=list(range(101)))
    again = desk.queued()
    assert again.pk != review.pk
    assert again.rules == ["everything", "participants"]


def test_what_has_no_grant_is_the_members_day(desk: Desk) -> None:
    review = desk.day_of(desk.carl)
    assert review.day == timezone.localdate()
    assert review.rules == ["export"]
    assert [one.event for one in units.entries(review)] == ["sign_in", "export"]


# Whose unit it is


def tried_in_vain(desk: Desk) -> None:
    """Carl names Anna's grant, again and again, and is refused."""
    by = desk.world.session(desk.carl)
    for _ in range(5):
        decision.reveal(by, account=REFERENCE, grant=desk.grant, fields=["contact.name"])
    grants.end(by, desk.grant)


def test_refusals_with_a_colleagues_grant_are_the_days_of_whoever_was_refused(desk: Desk) -> None:
    review = desk.seen()
    before = [one.pk for one in units.entries(review)]
    tried_in_vain(desk)
    call_command("detect")
    assert "refusals" not in queue.reviews().get(grant=desk.grant).rules
    assert [one.pk for one in units.entries(review)] == before
    his = queue.reviews().get(member=desk.carl.id)
    assert (his.grant, his.rules) == (None, ["refusals"])
    assert [one.event for one in units.entries(his)] == ["sign_in", *["view"] * 5, "revoke"]


def test_a_colleagues_refusals_stand_in_no_print_of_the_grant(desk: Desk) -> None:
    desk.seen()
    tried_in_vain(desk)
    grant = Grant.objects.get(pk=desk.grant)
    assert {one.member for one in under.under(grant) if one.outcome == "refused"} == set()
    assert [one.event for one in under.under(grant).order_by("id")] == ["approve", "start", "view"]


def test_ones_own_refusals_under_a_grant_are_of_its_unit(desk: Desk) -> None:
    desk.opened(categories=["contact"])
    for _ in range(5):
        assert desk.reason("company.name") == "category_not_covered"
    review = desk.queued()
    assert "refusals" in review.rules
    assert [one.outcome for one in units.entries(review)].count("refused") == 5


def test_a_print_that_a_reviewer_takes_out_is_the_reviewers(desk: Desk) -> None:
    desk.opened()
    assert prints.record_print(desk.by, desk.grant) == ""
    call_command("detect")
    mine = queue.reviews().get(rules=["export"])
    assert (mine.member_id, mine.grant) == (desk.rita.id, None)
    assert [one.event for one in units.entries(mine)] == ["sign_in", "export"]


def test_what_a_reviewer_does_in_a_session_of_nobodys_is_not_the_holders(desk: Desk) -> None:
    review = desk.seen()
    made_up = World(desk.world.setup).session(desk.ray)
    assert desk.decide(review, "in_order", made_up) == ""
    call_command("detect")
    [found] = queue.reviews().filter(rules__contains=["unproved"])
    assert (found.member_id, found.grant) == (desk.ray.id, None)


def test_of_a_stranger_who_tries_a_members_password_nobody_is_reviewed(desk: Desk) -> None:
    for _ in range(12):
        stranger = {"actor_id": None, "session": None, "account": None, "grant_id": None}
        desk.past.write(
            "sign_in_failed", now(), "refused", member=desk.carl.number, object_repr="password", **stranger
        )
    call_command("detect")
    assert not queue.reviews().exists()


def test_what_is_not_flagged_is_not_queued_whoever_asks(desk: Desk) -> None:
    desk.opened()
    queued = "SELECT gatekeeper.queue_reviews(%s, 'tests')"
    assert desk.world.setup.execute(queued, [[newest("start").pk]]).fetchone() == (0,)
    assert not Review.objects.exists()


def test_queueing_is_an_entry(desk: Desk) -> None:
    desk.seen()
    entry = newest("review")
    assert (entry.details, entry.results) == ({"act": "queue"}, 1)
    assert entry.source.startswith("detect (")


# The sample


def opened_in(desk: Desk, count: int) -> list[int]:
    """So many grants that were opened in the week before this one."""
    week = last_week() + timedelta(days=2)
    grants = []
    for number in range(count):
        desk.world.ticket(f"ZD-2{number:04}", accounts=[REFERENCE], assignee=desk.anna)
        grant = desk.approved(ticket=f"ZD-2{number:04}")
        desk.past.write("start", week, grant_id=grant, member=desk.anna.number, account=REFERENCE)
        grants.append(grant)
    return grants


def last_week() -> datetime:
    """The Monday before this one, at midnight where the company is."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday() + 7)


def checkpoint(desk: Desk, size: int, root: bytes, at: datetime) -> None:
    note = f"origin\n{size}\n{base64.b64encode(root).decode()}\n\n— origin x\n"
    desk.world.insert(
        "audit_checkpoint", size=size, era=1, horizon="1", ceiling="1", drawn=1, sealed_at=at, note=note
    )


def test_the_sample_is_drawn_from_the_checkpoint_after_the_week_and_nobody_chooses(desk: Desk) -> None:
    grants = opened_in(desk, 30)
    ends = last_week() + timedelta(days=7)
    checkpoint(desk, 5, hashlib.sha256(b"before").digest(), ends - timedelta(seconds=1))
    root = hashlib.sha256(b"after").digest()
    checkpoint(desk, 6, root, ends + timedelta(seconds=1))
    checkpoint(desk, 7, hashlib.sha256(b"later").digest(), ends + timedelta(hours=1))
    assert calls.draw("tests") == 2
    order = sorted(grants, key=lambda one: hashlib.sha256(root + one.to_bytes(8, "big")).digest())
    sampled = set(Review.objects.filter(sampled=True).values_list("grant_id", flat=True))
    assert sampled == set(order[: math.ceil(30 * 5 / 100)])
    draw = Draw.objects.get()
    assert (draw.checkpoint, draw.population, draw.drawn, draw.reviewers) == (6, 30, 2, 2)
    assert calls.draw("tests") == 0
    assert (newest("review").details or {})["checkpoint"] == 6


def test_without_a_checkpoint_after_the_week_the_sample_waits(desk: Desk) -> None:
    opened_in(desk, 1)
    checkpoint(desk, 5, b"r" * 32, last_week() + timedelta(days=6))
    assert calls.draw("tests") == 0
    assert not Draw.objects.exists()


def test_the_sample_is_capped_for_each_reviewer(desk: Desk) -> None:
    opened_in(desk, 6)
    checkpoint(desk, 5, b"r" * 32, last_week() + timedelta(days=8))
    with desk.past.setup.transaction():
        limits = "UPDATE audit_limit SET value = %s WHERE name = %s"
        desk.past.setup.execute(limits, ["100", "review_sample_percent"])
        desk.past.setup.execute(limits, ["1", "review_weekly_cap"])
    try:
        assert calls.draw("tests") == 2  # two reviewers
    finally:
        call_command("apply_settings", verbosity=0)


def test_weeks_that_were_missed_are_drawn_one_by_one(desk: Desk) -> None:
    opened_in(desk, 1)
    checkpoint(desk, 5, b"r" * 32, last_week() + timedelta(days=8))
    desk.world.insert(
        "gatekeeper_draw",
        week=(last_week() - timedelta(days=14)).date(),
        checkpoint=1,
        percent=5,
        cap=20,
        reviewers=1,
        population=0,
        drawn=0,
        drawn_at=now(),
    )
    assert calls.draw("tests") == 1
    assert [one.population for one in Draw.objects.order_by("week")] == [0, 0, 1]


# Verdicts


def test_a_verdict_is_an_entry_that_names_what_it_is_about(desk: Desk) -> None:
    review = desk.seen()
    assert desk.decide(review, "in_order") == ""
    entry = newest("review")
    assert entry.details == {"review": review.pk, "verdict": "in_order"}
    assert (entry.member, entry.subject) == (desk.rita.number, desk.anna.number)
    assert (entry.account, entry.ticket, entry.grant_id) == (REFERENCE, TICKET, desk.grant)
    review.refresh_from_db()
    assert (review.state, review.closed_at is not None) == ("in_order", True)


def test_a_second_verdict_overwrites_nothing(desk: Desk) -> None:
    review = desk.seen()
    assert desk.decide(review, "in_order") == ""
    other = desk.world.session(desk.ray)
    assert desk.decide(review, "in_order", other) == "already_decided"
    assert desk.decide(review, "question", other) == "already_decided"
    assert newest("review").outcome == "refused"
    assert [one.by.number for one in Remark.objects.all()] == [desk.rita.number]


def test_serious_stands_beside_an_earlier_verdict_and_ends_it(desk: Desk) -> None:
    review = desk.seen()
    assert desk.decide(review, "in_order") == ""
    review.refresh_from_db()
    first = review.closed_at
    assert desk.decide(review, "serious", desk.world.session(desk.ray)) == ""
    review.refresh_from_db()
    assert (review.state, review.closed_at) == ("serious", first)
    assert [one.kind for one in Remark.objects.all()] == ["in_order", "serious"]
    assert desk.decide(review, "in_order") == "already_decided"


def test_serious_suspends_the_member_at_once(desk: Desk) -> None:
    review = desk.seen()
    assert desk.decide(review, "serious") == ""
    suspended = Member.objects.get(pk=desk.anna.id)
    assert suspended.suspended_at is not None
    assert suspended.suspended_by_id == desk.rita.id
    assert not Session.objects.filter(member_id=desk.anna.id, ended_at=None).exists()
    assert Grant.objects.get(pk=desk.grant).end_reason == "member_suspended"
    change = newest("change")
    assert (change.subject, (change.details or {})["suspended"]) == (desk.anna.number, [False, True])
    review.refresh_from_db()
    ends = units.clock_ends(review)
    assert ends is not None
    assert timedelta(hours=71, minutes=59) < ends - now() <= timedelta(hours=72)
    assert [one.pk for one in queue.clocks()] == [review.pk]


@pytest.mark.parametrize("verdict", ["in_order", "question", "serious"])
def test_nobody_reviews_their_own(desk: Desk, verdict: str) -> None:
    review = desk.day_of(desk.rita)
    assert desk.decide(review, verdict) == "not_yourself"
    assert not queue.waiting(member(desk.rita)).exists()
    assert desk.decide(review, verdict, desk.world.session(desk.ray)) == ""


def test_nobody_reviews_what_they_approved(desk: Desk) -> None:
    review = desk.seen()
    desk.world.quietly("gatekeeper_grant", desk.grant, approver_id=desk.rita.id)
    assert desk.decide(review, "in_order") == "not_yourself"
    assert not queue.waiting(member(desk.rita)).exists()


@pytest.mark.parametrize("who", ["anna", "boss"])
def test_only_a_reviewer_decides(desk: Desk, who: str) -> None:
    review = desk.seen()
    assert desk.decide(review, "in_order", desk.world.session(getattr(desk, who))) == "role_missing"
    assert newest("review").outcome == "refused"


def test_a_question_without_a_text_is_none(desk: Desk) -> None:
    review = desk.seen()
    assert calls.decide(desk.by, review.pk, "question", None) == "value_refused"
    assert calls.decide(desk.by, review.pk, "nonsense", None) == "value_refused"
    assert calls.decide(desk.by, 0, "in_order", None) == "review_unknown"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE gatekeeper_review SET state = 'in_order'",
        "DELETE FROM gatekeeper_remark",
        "INSERT INTO gatekeeper_remark (review_id, kind, by_id, at) VALUES (1, 'in_order', 1, now())",
        "UPDATE gatekeeper_draw SET drawn = 0",
    ],
)
def test_the_pages_role_writes_no_verdict(as_role: AsRole, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("gatekeeper_web").execute(statement.encode())


# Questions


def test_a_question_goes_to_the_member_and_their_manager_and_nobody_else(desk: Desk) -> None:
    review = desk.seen()
    assert desk.decide(review, "question") == ""
    assert [one.pk for one in queue.questions(member(desk.anna))] == [review.pk]
    assert [one.pk for one in queue.questions(member(desk.boss))] == [review.pk]
    assert not queue.questions(member(desk.carl)).exists()
    assert not queue.waiting(member(desk.rita)).exists()  # it waits for the answer
    text = texts.encrypted(review, ANSWER)
    assert calls.answer(desk.world.session(desk.carl), review.pk, text) == "review_unknown"
    assert newest("review").outcome == "refused"


@pytest.mark.parametrize("who", ["anna", "boss"])
def test_an_answer_brings_it_back_to_the_reviewer(desk: Desk, who: str) -> None:
    review = desk.seen()
    desk.decide(review, "question")
    assert (
        calls.answer(desk.world.session(getattr(desk, who)), review.pk, texts.encrypted(review, ANSWER)) == ""
    )
    assert [one.state for one in queue.waiting(member(desk.rita))] == ["answered"]
    assert newest("review").details == {"review": review.pk, "verdict": "answer"}
    assert [(one.kind, one.text) for one in units.thread(review)] == [
        ("question", QUESTION),
        ("answer", ANSWER),
    ]
    assert desk.decide(review, "in_order") == ""
    late = calls.answer(desk.world.session(desk.boss), review.pk, texts.encrypted(review, ANSWER))
    assert late == "already_decided"


def test_nobody_is_asked_without_a_question(desk: Desk) -> None:
    review = desk.seen()
    answered = calls.answer(desk.world.session(desk.anna), review.pk, texts.encrypted(review, ANSWER))
    assert answered == "review_unknown"


def test_texts_are_encrypted_stand_in_no_entry_and_go_with_the_account(desk: Desk) -> None:
    review = desk.seen()
    desk.decide(review, "question")
    stored = Remark.objects.get().text
    assert stored is not None
    assert QUESTION.encode() not in bytes(stored)
    assert not Entry.objects.filter(details__icontains="customer").exists()
    assert not any(QUESTION in str(vars(one)) for one in Entry.objects.all())
    desk.past.setup.execute("DELETE FROM vault.account")
    [said] = units.thread(review)
    assert (said.text, said.gone) == ("", True)
    assert texts.encrypted(review, ANSWER) is None


def test_texts_about_a_day_open_for_that_review_alone(desk: Desk) -> None:
    first, second = desk.day_of(desk.carl), desk.day_of(desk.ray)
    sealed = texts.encrypted(first, QUESTION)
    assert texts.opened(Remark(review=first, text=sealed)) == QUESTION
    with pytest.raises(Exception, match="for another use, or altered"):
        texts.opened(Remark(review=second, text=sealed))


# Alarms


def rows() -> dict[str, Health]:
    return {one.id: one for one in health.rows()}


def test_what_waits_too_long_is_an_alarm(desk: Desk) -> None:
    review = desk.seen()
    assert rows()["gatekeeper.reviews"].state == "ok"
    desk.world.change("gatekeeper_review", review.pk, queued_at=now() - timedelta(days=15))
    row = rows()["gatekeeper.reviews"]
    assert (row.state, row.cause) == ("to_fix", "1 wait for longer than 14 days.")
    desk.decide(review, "in_order")
    assert rows()["gatekeeper.reviews"].state == "ok"


def test_an_only_reviewers_own_acts_are_an_alarm(desk: Desk) -> None:
    desk.day_of(desk.rita)
    assert rows()["gatekeeper.reviews"].state == "ok"
    desk.world.quietly("staff_member", desk.ray.id, suspended_at=now())
    row = rows()["gatekeeper.reviews"]
    assert row.cause == "1 are about the only reviewer: there is no other."


def test_rules_that_do_not_run_are_an_alarm(desk: Desk) -> None:
    assert rows()["gatekeeper.reviews.rules"].state == "to_fix"
    call_command("detect")
    assert rows()["gatekeeper.reviews.rules"].state == "ok"
    desk.world.quietly("audit_round", Round.objects.latest("pk").pk, done_at=now() - timedelta(minutes=3))
    assert rows()["gatekeeper.reviews.rules"].state == "to_fix"


# Files


def test_affected_are_persons_by_account_with_categories_and_times(desk: Desk) -> None:
    review = desk.seen()
    anna: dict[str, Any] = {"grant_id": desk.grant, "member": desk.anna.number}
    first, last = now() - timedelta(hours=2), now() - timedelta(hours=1)
    for at in (first, last):
        people: dict[str, Any] = {
            "fields": ["participants"],
            "categories": ["participants"],
            "records": [1, 3],
        }
        desk.past.write("view", at, **anna, **people)
    hidden = desk.past.write("view", now(), **anna, categories=["billing"], fields=["billing.bank_account"])
    desk.past.write("view", now(), "withheld", **anna, answers=hidden, reason="ticket_closed")
    desk.past.write("view", now(), "refused", **anna, categories=["activity"], reason="ticket_closed")
    found = files.affected(review, days=0)
    assert [(one.person, one.views, one.refused) for one in found] == [
        ("", 2, 1),
        (f"{REFERENCE}-P1", 2, 0),
        (f"{REFERENCE}-P3", 2, 0),
    ]
    assert found[0].categories == {"contact", "billing"}
    assert (found[1].first, found[1].last) == (first, last)


def test_refusals_push_no_view_off_the_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    review = desk.seen()
    anna: dict[str, Any] = {"grant_id": desk.grant, "member": desk.anna.number}
    for _ in range(5):
        desk.past.write("view", now(), "refused", **anna)
    late = desk.past.write("view", now(), **anna)
    shown = [line.entry for line in units.lines(review)]
    monkeypatch.setattr(units, "MOST", len(shown) - 3)
    fewer = [line.entry.pk for line in units.lines(review)]
    assert len(fewer) == len(shown) - 3
    assert fewer == sorted(fewer)
    assert {one.pk for one in shown if one.outcome == "allowed"} <= {*fewer}
    assert late in fewer


def test_affected_can_be_all_that_the_member_saw(desk: Desk) -> None:
    review = desk.seen()
    other: dict[str, Any] = {"account": "MOC-40002", "member": desk.anna.number, "grant_id": 99}
    desk.past.write("view", now() - timedelta(days=20), **other)
    desk.past.write("view", now() - timedelta(days=40), **other | {"account": "MOC-40003"})
    desk.past.write("view", now() - timedelta(days=1), **other | {"member": desk.carl.number})
    assert [one.account for one in files.affected(review, days=0)] == [REFERENCE]
    assert [one.account for one in files.affected(review, days=30)] == [REFERENCE, "MOC-40002"]
    assert len(files.affected(review, days=90)) == 3


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_months_report_has_each_review_and_its_verdict(desk: Desk) -> None:
    review = desk.seen()
    desk.decide(review, "question")
    calls.answer(desk.world.session(desk.anna), review.pk, texts.encrypted(review, ANSWER))
    desk.decide(review, "in_order")
    head, line = read(files.month_csv(files.of_month(timezone.localdate())))
    told = dict(zip(head, line, strict=True))
    assert told["Account"] == REFERENCE
    assert (told["State"], told["Reviewer"], told["Late"]) == ("In order", desk.rita.number, "no")
    assert (told["Questions"], told["Answers"]) == ("1", "1")
    assert files.of_month(timezone.localdate().replace(day=1) - timedelta(days=40)) == []


# The pages


def open_page(client: Client, review: Review) -> Any:
    return client.get(reverse("review", args=[review.pk]))


def test_home_says_how_many_reviews_wait(desk: Desk) -> None:
    client = enter(desk.world, desk.rita)
    assert "Nothing to do" in client.get("/").content.decode()
    desk.seen()
    desk.day_of(desk.rita)
    page = client.get("/").content.decode()
    assert "1 access to review" in page
    assert "Nothing to do" not in page


def test_the_queue_shows_what_waits_and_how_the_sample_is_capped(desk: Desk) -> None:
    desk.seen()
    desk.day_of(desk.rita)
    page = enter(desk.world, desk.rita).get(reverse("reviews")).content.decode()
    assert "1 access to review." in page
    assert "a random 5% of each week’s accesses, at most 20 for each reviewer and week" in page
    assert "1 is about you, and waits for another reviewer." in page
    assert "1 or more categories of an account at once" in page


def test_reading_a_unit_is_recorded_once_and_before_it_is_shown(desk: Desk) -> None:
    review = desk.seen()
    client = enter(desk.world, desk.rita)
    for _ in range(2):
        assert open_page(client, review).status_code == 200
    found = Entry.objects.filter(event="search", details={"review": review.pk})
    assert [one.member for one in found] == [desk.rita.number]


def test_in_order_opens_the_next_by_itself(desk: Desk) -> None:
    first = desk.seen()
    second = desk.day_of(desk.carl)
    client = enter(desk.world, desk.rita)
    answer = client.post(reverse("review_decide", args=[first.pk]), {"verdict": "in_order"})
    assert answer.headers["Location"] == reverse("review", args=[second.pk])
    answer = client.post(reverse("review_decide", args=[second.pk]), {"verdict": "in_order"})
    assert answer.headers["Location"] == reverse("reviews")


def test_a_question_with_personal_data_is_refused_and_repeated_to_nobody_else(desk: Desk) -> None:
    review = desk.seen()
    client = enter(desk.world, desk.rita)
    form = {"verdict": "question", "text": "Was it aldona@klient.example?"}
    answer = client.post(reverse("review_decide", args=[review.pk]), form)
    assert answer.status_code == 422
    assert "Leave the e-mail address out" in answer.content.decode()
    assert not Remark.objects.exists()


@pytest.mark.parametrize("text", ["\u200b", "\u3164", "…"])
def test_a_question_that_nobody_could_read_is_refused(desk: Desk, text: str) -> None:
    review = desk.seen()
    client = enter(desk.world, desk.rita)
    answer = client.post(reverse("review_decide", args=[review.pk]), {"verdict": "question", "text": text})
    assert answer.status_code == 422
    assert "Say it in words" in answer.content.decode()
    assert not Remark.objects.exists()


def test_asked_and_answered_in_place(desk: Desk) -> None:
    review = desk.seen()
    enter(desk.world, desk.rita).post(
        reverse("review_decide", args=[review.pk]), {"verdict": "question", "text": QUESTION}
    )
    client = enter(desk.world, desk.anna)
    assert "1 waits for an answer" in client.get(reverse("home")).content.decode()
    assert QUESTION in client.get(reverse("review_questions")).content.decode()
    address = reverse("review_answer", args=[review.pk])
    assert client.post(address, {"text": "Call 601 234 567"}).status_code == 422
    assert client.post(address, {"text": ANSWER}).headers["Location"] == reverse("review_questions")
    page = open_page(enter(desk.world, desk.rita), review).content.decode()
    assert ANSWER in page
    assert "waits for an answer" not in client.get(reverse("home")).content.decode()


def test_a_question_and_its_notices_are_one(desk: Desk, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    review, client = desk.seen(), enter(desk.world, desk.rita)
    client.raise_request_exception = True
    with none_taken(desk.world):
        client.post(reverse("review_decide", args=[review.pk]), {"verdict": "question", "text": QUESTION})


def test_who_is_asked_is_told_by_mail_that_there_is_a_question_and_no_more(
    desk: Desk, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    review = desk.seen()
    form = {"verdict": "question", "text": QUESTION}
    enter(desk.world, desk.rita).post(reverse("review_decide", args=[review.pk]), form)
    background.finish()
    assert [mail.to for mail in mailoutbox] == [[member(one).email] for one in (desk.anna, desk.boss)]
    assert not any(said in mail.body for mail in mailoutbox for said in (QUESTION, REFERENCE, TICKET))
    assert reverse("review_questions") in mailoutbox[0].body


def test_own_acts_are_shown_without_a_verdict(desk: Desk) -> None:
    review = desk.day_of(desk.rita)
    page = open_page(enter(desk.world, desk.rita), review).content.decode()
    assert "another reviewer decides" in page
    assert 'name="verdict"' not in page


def test_the_clock_is_seen_by_reviewers_and_privacy_officers(desk: Desk) -> None:
    review = desk.seen()
    desk.decide(review, "serious")
    officer = desk.world.member("privacy")
    desk.world.signature(officer)
    for person, seen in ((desk.rita, True), (officer, True), (desk.boss, False)):
        page = enter(desk.world, person).get(reverse("home")).content.decode()
        assert ("left to notify the authority" in page) is seen
    assert (
        "left to notify the authority" in enter(desk.world, desk.ray).get(reverse("reviews")).content.decode()
    )


def test_a_file_is_recorded_before_it_leaves(desk: Desk) -> None:
    review = desk.seen()
    client = enter(desk.world, desk.rita)
    answer = client.post(reverse("review_affected", args=[review.pk]), {"days": "30"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert read(answer.content)[1][0] == REFERENCE
    entry = newest("export")
    assert entry.details == {"what": "affected", "review": review.pk, "days": 30}
    assert entry.results == 1
    answer = client.post(reverse("review_report"), {"month": f"{timezone.localdate():%Y-%m}"})
    assert read(answer.content)[1][0] == str(review.pk)


@pytest.mark.parametrize(("name", "form"), [("review_affected", {}), ("review_report", {"month": "2026-11"})])
def test_a_file_asks_for_a_fresh_proof_of_presence(desk: Desk, name: str, form: dict[str, str]) -> None:
    review = desk.seen()
    client = enter(desk.world, desk.rita)
    for session in Session.objects.filter(member_id=desk.rita.id):
        desk.world.change("staff_session", session.pk, verified_at=now() - timedelta(minutes=6))
    answer = client.post(reverse(name, args=[review.pk] if name == "review_affected" else []), form)
    assert (answer.status_code, newest("export").outcome) == (403, "refused")
    assert "attachment" not in answer.headers.get("Content-Disposition", "")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("review_affected", {"days": "77"}),
        ("review_affected", {"days": ""}),
        ("review_report", {"month": "2026-13"}),
    ],
)
def test_what_is_no_file_is_recorded_as_refused(desk: Desk, name: str, form: dict[str, str]) -> None:
    review = desk.seen()
    client = enter(desk.world, desk.rita)
    answer = client.post(reverse(name, args=[review.pk] if name == "review_affected" else []), form)
    assert "attachment" not in answer.headers.get("Content-Disposition", "")
    entry = newest("export")
    assert (entry.outcome, entry.reason, entry.results) == ("refused", "value_refused", 0)


def test_the_demos_people_leave_something_to_review(desk: Desk) -> None:
    for place in range(2, 7):
        reference = f"MOC-4000{place}"
        desk.world.account(reference)
        desk.world.ticket(f"ZD-1000{place}", accounts=[reference], assignee=desk.anna)
    give_factors(desk.world, desk.anna, desk.boss)
    acts.act()
    rules = {rule for review in Review.objects.all() for rule in review.rules}
    assert {"everything", "refusals"} <= rules
    assert Review.objects.filter(grant__isnull=False).count() == acts.VIEWED
    assert not Session.objects.filter(member_id=desk.anna.id, ended_at=None, user_agent="").exists()


def test_the_demos_people_act_in_the_demo_alone(settings: Any) -> None:
    settings.MODE = "production"
    with pytest.raises(ImproperlyConfigured):
        acts.act()
