"""Deputies: what a manager lends is worth what the manager is worth at the moment of its use."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone
from psycopg.types.json import Jsonb

from audit.models import Entry
from gatekeeper.access import approvers, deputies, requests
from gatekeeper.gate import sentences
from gatekeeper.models import AccessRequest, Deputy
from staff.directory import people
from staff.frame import background
from staff.models import Member
from tests.world import now
from tests.world.notices import none_taken
from tests.world.people import member
from tests.world.scene import Scene, deputise, enter, newest, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staff.frame.callers import Caller
    from tests.world import Person
    from tests.world.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def deputy(scene: Scene) -> Person:
    return signed(scene, "manager")


@pytest.fixture
def theirs(scene: Scene, deputy: Person) -> Caller:
    return scene.world.session(deputy)


# On whose behalf


@pytest.mark.parametrize("verdict", ["approve", "deny"])
def test_what_a_deputy_decides_names_the_manager(
    scene: Scene, deputy: Person, theirs: Caller, verdict: str
) -> None:
    deputise(scene, deputy)
    request = scene.ask()
    if verdict == "approve":
        assert scene.approve(request, by=theirs) == ""
    else:
        assert requests.deny(theirs, request, denial="unclear") == ""
    entry = newest(verdict)
    assert (entry.outcome, entry.member) == ("allowed", deputy.number)
    assert (entry.details or {})["in_stead_of"] == scene.boss.number
    page = scene.browser().get(reverse("approval", args=[request])).content.decode()
    assert f"on behalf of {scene.boss.number}" in page
    read = enter(scene.world, signed(scene, "reviewer")).get(reverse("entry", args=[entry.pk]))
    assert ("On behalf of", scene.boss.number) in [
        (label, values[0][0]) for label, values in read.context["facts"]
    ]


def test_who_stands_above_decides_in_their_own_name(scene: Scene, deputy: Person, theirs: Caller) -> None:
    """Also when another manager above has named them: their own word is the one that counts."""
    scene.world.change("staff_member", scene.boss.id, manager_id=deputy.id)
    deputise(scene, deputy)
    request = scene.ask()
    assert scene.approve(request, by=theirs) == ""
    assert "in_stead_of" not in (newest("approve").details or {})
    assert AccessRequest.objects.get().in_stead_of is None


def test_of_two_managers_the_one_whose_word_lasts_longest_is_named(
    scene: Scene, deputy: Person, theirs: Caller
) -> None:
    director = signed(scene, "manager")
    scene.world.change("staff_member", scene.boss.id, manager_id=director.id)
    deputise(scene, deputy, ends=1)
    deputise(scene, deputy, ends=2, manager_id=director.id)
    assert scene.approve(scene.ask(), by=theirs) == ""
    assert (newest("approve").details or {})["in_stead_of"] == director.number


# While the manager who named them is at work


@pytest.mark.parametrize(
    ("begins", "ends", "reason"), [(-1, 1, ""), (0.1, 1, "role_missing"), (-2, -0.1, "role_missing")]
)
def test_a_deputy_approves_from_to(
    scene: Scene, deputy: Person, theirs: Caller, begins: float, ends: float, reason: str
) -> None:
    deputise(scene, deputy, begins, ends)
    assert scene.approve(scene.ask(), by=theirs) == reason


AWAY: dict[str, dict[str, Any]] = {
    "suspended": {"suspended_at": now()},
    "left": {"left_on": date(2020, 2, 1)},
    "no manager any more": {"roles": ["consultant"]},
    "not started": {"starts_on": date(2999, 1, 1)},
    "start unknown": {"starts_on": None},
}


@pytest.mark.parametrize("away", AWAY)
def test_a_deputy_counts_only_while_the_manager_is_at_work(
    scene: Scene, deputy: Person, theirs: Caller, away: str
) -> None:
    deputise(scene, deputy)
    request = scene.ask()
    scene.world.change("staff_member", scene.boss.id, **AWAY[away])
    assert scene.approve(request, by=theirs) == "role_missing"
    assert not approvers.of(Member.objects.get(pk=scene.anna.id)).exists()
    assert approvers.waiting_for(Member.objects.get(pk=deputy.id)) == []
    back = {"suspended_at": None, "left_on": None, "roles": ["manager"], "starts_on": date(2020, 1, 1)}
    scene.world.change("staff_member", scene.boss.id, **back)
    assert scene.approve(request, by=theirs) == ""


def test_a_manager_above_approves_though_the_one_between_is_away(scene: Scene, deputy: Person) -> None:
    top = signed(scene, "manager")
    scene.world.change("staff_member", scene.boss.id, manager_id=top.id, suspended_at=now())
    assert scene.approve(scene.ask(), by=scene.world.session(top)) == ""


def test_a_manager_of_the_line_who_is_also_a_deputy_needs_nobody(scene: Scene) -> None:
    top = signed(scene, "manager")
    deputise(scene, top)
    scene.world.change("staff_member", scene.boss.id, manager_id=top.id, suspended_at=now())
    assert scene.approve(scene.ask(), by=scene.world.session(top)) == ""


# Thirty days at most


@pytest.fixture
def limited(scene: Scene) -> Iterator[Scene]:
    """A limit of ten days, and afterwards the settings' own."""
    sql = "UPDATE audit_limit SET value = %s WHERE name = 'deputy_days'"
    [(before,)] = scene.world.setup.execute(
        "SELECT value FROM audit_limit WHERE name = 'deputy_days'"
    ).fetchall()
    assert before == "30"
    scene.world.setup.execute(sql, ["10"])
    yield scene
    scene.world.setup.execute(sql, [before])


@pytest.mark.parametrize(
    ("named", "reason"), [((-9.9, 30), ""), ((-10.1, 30), "role_missing"), ((-30, 30), "role_missing")]
)
def test_no_deputy_outlives_the_limit_whatever_was_named(
    limited: Scene, deputy: Person, theirs: Caller, named: tuple[float, float], reason: str
) -> None:
    """A row of before the limit, or of a higher one, is worth no more than the limit allows."""
    deputise(limited, deputy, begins=named[0] * 24, ends=named[1] * 24)
    assert limited.approve(limited.ask(), by=theirs) == reason


@pytest.mark.parametrize("ends", ["infinity", "9999-12-31"])
@pytest.mark.parametrize(("begins", "reason"), [(-29, ""), (-31, "role_missing")])
def test_a_deputy_for_ever_is_one_for_thirty_days(
    scene: Scene, deputy: Person, theirs: Caller, ends: str, begins: int, reason: str
) -> None:
    deputise(scene, deputy, begins=begins * 24)
    scene.world.setup.execute("UPDATE gatekeeper_deputy SET ends_at = %s", [ends])
    assert enter(scene.world, scene.boss).get(reverse("team")).status_code == 200
    assert scene.approve(scene.ask(), by=theirs) == reason


def test_without_a_limit_no_deputy_counts(limited: Scene, deputy: Person, theirs: Caller) -> None:
    deputise(limited, deputy)
    limited.world.setup.execute("DELETE FROM audit_limit WHERE name = 'deputy_days'")
    try:
        assert limited.approve(limited.ask(), by=theirs) == "role_missing"
    finally:
        limited.world.insert("audit_limit", name="deputy_days", value="10")


def midnight(days: int) -> datetime:
    """So many days from today, at its beginning in the company's time zone."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None)
    return timezone.make_aware(today + days * DAY)


SPANS: dict[str, tuple[str, str]] = {
    "for ever": ("now()", "'infinity'"),
    "to the year 9999": ("now()", "'9999-12-31'"),
    "from never": ("'infinity'", "'infinity'"),
    "since ever": ("'-infinity'", "now() + interval '1 day'"),
    "from the past": ("now() - interval '1 hour'", "now() + interval '1 day'"),
    "backwards": ("now() + interval '2 days'", "now() + interval '1 day'"),
    "no time at all": ("now()", "NULL"),
    "of no length": ("now() + interval '1 day'", "now() + interval '1 day'"),
    "to before all time": ("now()", "'-infinity'"),
    "from nowhen": ("NULL", "now() + interval '1 day'"),
    "in the year 9999": ("'9999-12-01'", "'9999-12-02'"),
    "more than a year ahead": ("now() + interval '367 days'", "now() + interval '368 days'"),
    "thirty-one days": ("now()", "now() + interval '31 days'"),
}


@pytest.mark.parametrize("span", SPANS)
def test_a_span_that_cannot_be_is_refused_with_words(scene: Scene, deputy: Person, span: str) -> None:
    begins, ends = SPANS[span]
    sql = f"SELECT gatekeeper.name_deputy(%s, %s, %s, ({begins})::timestamptz, ({ends})::timestamptz)"
    values = [scene.manager.digest, Jsonb({"cid": "1"}), deputy.number]
    assert scene.world.setup.execute(sql.encode(), values).fetchone() == ("deputy_span",)
    assert not Deputy.objects.exists()
    assert (newest("change").outcome, newest("change").reason) == ("refused", "deputy_span")
    assert "30 days" in sentences.sentence("deputy_span", {"deputy_days": 30})


@pytest.mark.parametrize("begins", [0, 100, 115, 310, 330])
@pytest.mark.parametrize(("days", "reason"), [(30, ""), (31, "deputy_span")])
def test_thirty_days_are_days_of_the_calendar(
    scene: Scene, deputy: Person, begins: int, days: int, reason: str
) -> None:
    """Whole days, also where the clocks change between them."""
    starts, ends = max(midnight(begins), timezone.now()), midnight(begins + days)
    assert deputies.name(scene.manager, deputy=deputy.number, begins_at=starts, ends_at=ends) == reason


def test_a_deputy_is_named_beforehand_and_recorded(scene: Scene, deputy: Person) -> None:
    soon, later = now() + HOUR, now() + 9 * HOUR

    def name(who: str, by: Caller = scene.manager) -> str:
        return deputies.name(by, deputy=who, begins_at=soon, ends_at=later)

    for unfit in (scene.boss.number, scene.carl.number, "K-9999", "<b>Aldona</b>"):
        assert name(unfit) == "deputy_unfit"
        assert "Aldona" not in str(newest("change").details)
    assert name(deputy.number, by=scene.caller) == "role_missing"
    assert not Deputy.objects.exists()
    assert {entry.outcome for entry in Entry.objects.filter(event="change")} == {"refused"}
    assert name(deputy.number) == ""
    assert (newest("change").outcome, newest("change").member) == ("allowed", scene.boss.number)


@pytest.mark.parametrize("away", AWAY)
def test_a_deputys_word_counts_only_while_they_are_at_work_themselves(
    scene: Scene, deputy: Person, away: str
) -> None:
    def counts() -> tuple[set[int], bool]:
        found = approvers.of(Member.objects.get(pk=scene.anna.id))
        [(word,)] = scene.world.setup.execute(
            "SELECT gatekeeper.approval_ends(%s, %s) > now()", [scene.anna.id, deputy.id]
        ).fetchall()
        return set(found.values_list("pk", flat=True)), word

    deputise(scene, deputy)
    assert counts() == ({scene.boss.id, deputy.id}, True)
    scene.world.change("staff_member", deputy.id, **AWAY[away])
    assert counts() == ({scene.boss.id}, False)


@pytest.mark.parametrize("away", AWAY)
def test_whoever_is_not_at_work_is_not_named(scene: Scene, deputy: Person, away: str) -> None:
    scene.world.change("staff_member", deputy.id, **AWAY[away])
    named = deputies.name(scene.manager, deputy=deputy.number, begins_at=now() + HOUR, ends_at=now() + DAY)
    assert (named, newest("change").reason) == ("deputy_unfit", "deputy_unfit")
    assert not Deputy.objects.exists()


def test_nobody_approves_for_themselves_as_their_managers_deputy(scene: Scene) -> None:
    scene.world.change("staff_member", scene.anna.id, roles=["consultant", "manager"])
    deputise(scene, scene.anna)
    assert set(approvers.of(Member.objects.get(pk=scene.anna.id)).values_list("pk", flat=True)) == {
        scene.boss.id
    }
    assert scene.approve(scene.ask(), by=scene.caller) == "role_missing"


@pytest.mark.parametrize(
    ("begins", "days", "field", "words"),
    [
        (0, 30, "ends", "at most 30 days"),
        (0, -1, "ends", "The last day is before the first"),
        (-1, 3, "begins", "named beforehand"),
        (366, 3, "begins", "a year beforehand"),
        (3000 * 365, 1, "begins", "too far away"),
    ],
)
def test_the_form_says_what_is_wrong(
    scene: Scene, deputy: Person, begins: int, days: int, field: str, words: str
) -> None:
    first = timezone.localdate() + begins * DAY
    sent = {"deputy": deputy.number, "begins": first.isoformat(), "ends": (first + days * DAY).isoformat()}
    answer = enter(scene.world, scene.boss).post(reverse("deputies"), sent)
    assert (answer.status_code, Deputy.objects.count()) == (422, 0)
    assert words in str(answer.context["form"].errors[field])
    assert words in answer.content.decode()


def test_the_last_of_thirty_days_is_taken(scene: Scene, deputy: Person) -> None:
    first = timezone.localdate()
    sent = {"deputy": deputy.number, "begins": first.isoformat(), "ends": (first + 29 * DAY).isoformat()}
    assert enter(scene.world, scene.boss).post(reverse("deputies"), sent).status_code == 302
    assert Deputy.objects.get().ends_at == midnight(30)


# Whoever may suspend may end it


@pytest.mark.parametrize("role", ["manager", "reviewer", "people"])
def test_whoever_may_suspend_ends_a_deputy(scene: Scene, deputy: Person, theirs: Caller, role: str) -> None:
    named = deputise(scene, deputy)
    client = enter(scene.world, signed(scene, role))
    assert deputy.number in client.get(reverse("team")).content.decode()
    client.post(reverse("end_deputy", args=[named]))
    assert "has ended" in client.get(reverse("team")).content.decode()
    entry = newest("change")
    assert (entry.outcome, entry.role, entry.subject) == ("allowed", role, deputy.number)
    assert entry.details == {"deputy": deputy.number, "manager": scene.boss.number, "ended": named}
    assert scene.approve(scene.ask(), by=theirs) == "role_missing"


@pytest.mark.parametrize("who", ["another", "manager", "deputy"])
def test_the_others_of_the_two_are_notified_in_their_language(
    scene: Scene, deputy: Person, who: str, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    scene.world.change("staff_member", deputy.id, language="pl")
    ends = {"another": signed(scene, "reviewer"), "manager": scene.boss, "deputy": deputy}[who]
    enter(scene.world, ends).post(reverse("end_deputy", args=[deputise(scene, deputy)]))
    background.finish()
    told = {sent.to[0]: sent for sent in mailoutbox}
    both = {member(one).email: one for one in (scene.boss, deputy)}
    assert told.keys() == both.keys() - {member(ends).email}
    words = {scene.boss: "A deputy’s time was ended", deputy: "Zakończono czas zastępstwa"}
    for address, sent in told.items():
        assert sent.subject == words[both[address]]
        assert {ends.number, scene.boss.number, deputy.number} <= set(re.findall(r"K-[0-9]+", sent.body))


def test_an_end_and_its_notices_are_one(scene: Scene, deputy: Person, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    named, client = deputise(scene, deputy), enter(scene.world, signed(scene, "reviewer"))
    client.raise_request_exception = True
    with none_taken(scene.world):
        client.post(reverse("end_deputy", args=[named]))
    assert Deputy.objects.get(pk=named).ends_at > timezone.now()


def test_nobody_is_notified_of_what_did_not_end(
    scene: Scene, deputy: Person, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    enter(scene.world, scene.boss).post(reverse("end_deputy", args=[deputise(scene, deputy, -2, -1)]))
    background.finish()
    assert mailoutbox == []


def test_one_deputys_end_is_nobody_elses(scene: Scene, deputy: Person) -> None:
    other = signed(scene, "manager")
    named, kept = deputise(scene, deputy), deputise(scene, other)
    before = Deputy.objects.get(pk=kept).ends_at
    for number, person in ((named, deputy), (kept, other)):
        assert Deputy.objects.get(pk=kept).ends_at == before
        asked = now()
        assert deputies.end(scene.manager, number) == ""
        assert newest("change").subject == person.number
        assert asked - HOUR / 60 < Deputy.objects.get(pk=number).ends_at <= now()


def test_one_that_has_not_begun_ends_too(scene: Scene, deputy: Person) -> None:
    named = deputise(scene, deputy, begins=1, ends=2)
    assert deputies.end(scene.manager, named) == ""
    assert Deputy.objects.get(pk=named).ends_at - Deputy.objects.get(pk=named).begins_at < HOUR / 60


def test_the_manager_and_the_deputy_end_it_too(scene: Scene, deputy: Person, theirs: Caller) -> None:
    assert deputies.end(scene.manager, deputise(scene, deputy)) == ""
    assert deputies.end(theirs, deputise(scene, deputy)) == ""


@pytest.mark.parametrize("role", ["consultant", "privacy", "administrator"])
def test_nobody_else_does(scene: Scene, deputy: Person, role: str) -> None:
    named = deputise(scene, deputy)
    client = enter(scene.world, signed(scene, role))
    assert client.post(reverse("end_deputy", args=[named])).status_code == 403
    entry = newest("change")
    assert (entry.outcome, entry.reason, entry.subject) == ("refused", "role_missing", "")
    assert deputy.number not in str(entry.details)
    assert Deputy.objects.get().ends_at > now()


def test_what_ended_nothing_says_so_and_is_no_allowed_entry(scene: Scene, deputy: Person) -> None:
    """One that is over, and one that never was: one answer."""
    for number in (deputise(scene, deputy, -2, -1), 999_999):
        assert deputies.end(scene.manager, number) == "no_change"
        assert (newest("change").outcome, newest("change").reason) == ("refused", "no_change")
    assert not Entry.objects.filter(event="change", outcome="allowed").exists()


def test_the_page_says_that_a_deputy_does_not_count(scene: Scene, deputy: Person) -> None:
    deputise(scene, deputy)
    client = enter(scene.world, signed(scene, "people"))
    assert "does not count" not in client.get(reverse("team")).content.decode()
    scene.world.change("staff_member", scene.boss.id, suspended_at=now())
    assert "does not count" in client.get(reverse("team")).content.decode()


# What each guard is worth


@pytest.mark.parametrize(
    ("guard", "instead"),
    [("SELECT above.id, gatekeeper.manages_until(above.id)", "SELECT above.id, 'infinity'::timestamptz")],
)
def test_without_the_question_a_suspended_managers_deputy_approves(
    scene: Scene, deputy: Person, theirs: Caller, twins: Twins, guard: str, instead: str
) -> None:
    deputise(scene, deputy)
    assert people.change_member(theirs, scene.boss.number, "suspended", value=True) == ""
    request = scene.ask()
    assert scene.approve(request, by=theirs) == "role_missing"
    twins.without("authorities", guard, instead)
    assert scene.approve(request, by=theirs) == ""
