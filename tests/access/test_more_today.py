"""Asking for more than a day's budget: decided by whoever is above, on that day, and for that day alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.conf import settings
from django.core import mail
from django.test import override_settings
from django.urls import reverse

from audit.models import Entry
from gatekeeper.access import approvers, more
from gatekeeper.installation import roles
from gatekeeper.models import DailyBudget, Deputy, MoreToday
from staff.frame import background
from tests.world import Person, now, racing
from tests.world.day import Limit, company_day, limit, opened, people, reveal, use  # noqa: F401  # a fixture
from tests.world.notices import none_taken
from tests.world.people import member
from tests.world.scene import Scene, newest

if TYPE_CHECKING:
    from staff.frame.callers import Caller
    from tests.conftest import AsRole, Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def scene(setup_connection: Connection, transactional_db: None) -> Scene:
    return Scene(setup_connection)


def asked(scene: Scene, caller: Caller | None = None) -> int:
    """Ask, and return the request's number."""
    request, reason = more.ask(caller or scene.caller)
    assert (reason, request is None) == ("", False)
    return request or 0


def added(scene: Scene) -> int:
    [(count,)] = scene.world.setup.execute(
        "SELECT gatekeeper.more_today(%s, %s)", [scene.anna.id, company_day()]
    ).fetchall()
    return int(count)


def approve(scene: Scene, request: int, caller: Caller | None = None) -> str:
    return more.decide(caller or scene.manager, request, "approve")


# What it gives


def test_what_is_approved_adds_one_more_budget_to_the_day(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1)
    places = [opened(scene, number) for number in range(3)]
    assert [reveal(scene, place) for place in places[:2]] == ["", "daily_budget_reached"]
    request = asked(scene)
    assert reveal(scene, places[1]) == "daily_budget_reached"
    assert approve(scene, request) == ""
    assert [reveal(scene, place) for place in places[1:]] == ["", "daily_budget_reached"]
    assert newest("view").details["daily_budget"]["accounts_allowed"] == 2  # type: ignore[index]  # it is refused


def test_fields_and_participants_are_added_too(scene: Scene, limit: Limit) -> None:
    limit(fields_per_day=1)
    account, _grant = place = opened(scene, 1, categories=["participants"])
    scene.world.participants(account, 30)
    assert people(scene, place, 1) == ""
    scene.world.setup.execute("UPDATE gatekeeper_dailyaccount SET participants_shown = 200")
    assert people(scene, place, 2) == "daily_budget_reached"
    assert approve(scene, asked(scene)) == ""
    assert people(scene, place, 2) == ""
    assert reveal(scene, opened(scene, 2)) == ""


def test_it_is_added_to_that_day_alone(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1)
    assert approve(scene, asked(scene)) == ""
    scene.world.setup.execute("UPDATE gatekeeper_moretoday SET day = day - 1")
    places = [opened(scene, number) for number in range(2)]
    assert [reveal(scene, place) for place in places] == ["", "daily_budget_reached"]


def test_no_more_is_added_than_the_limit(scene: Scene) -> None:
    for _ in range(settings.LIMITS["more_per_day"]):
        assert approve(scene, asked(scene)) == ""
    assert added(scene) == 2
    assert more.ask(scene.caller) == (None, "no_more_today")
    scene.world.insert(
        "gatekeeper_moretoday",
        member_id=scene.anna.id,
        day=company_day(),
        requested_at=now(),
        state="pending",
    )
    waiting = MoreToday.objects.get(state="pending").pk
    assert approve(scene, waiting) == "no_more_today"
    assert (added(scene), MoreToday.objects.get(pk=waiting).state) == (2, "pending")


# Who decides


def test_nobody_decides_their_own(scene: Scene) -> None:
    both = scene.world.member("consultant", "manager", manager=scene.boss)
    scene.world.signature(both)
    own = scene.world.session(both)
    request = asked(scene, own)
    assert [more.decide(own, request, verdict) for verdict in ("approve", "deny")] == ["role_missing"] * 2
    assert MoreToday.objects.get(pk=request).state == "pending"


@pytest.mark.parametrize("verdict", ["approve", "deny"])
def test_only_those_above_decide(scene: Scene, verdict: str) -> None:
    """Not a colleague, not another team's manager; of a number that is nobody's the answer is the same."""
    other = scene.world.member("manager")
    scene.world.signature(other)
    request = asked(scene)
    callers = [scene.world.session(scene.carl), scene.world.session(other)]
    assert [more.decide(caller, request, verdict) for caller in callers] == ["role_missing"] * 2
    assert more.decide(callers[1], request + 1000, verdict) == "role_missing"
    assert (newest("change").outcome, newest("change").reason) == ("refused", "role_missing")
    assert added(scene) == 0


def deputy(scene: Scene) -> tuple[Person, Caller]:
    other = scene.world.member("manager")
    scene.world.signature(other)
    scene.world.insert(
        "gatekeeper_deputy",
        manager_id=scene.boss.id,
        deputy_id=other.id,
        begins_at=now() - timedelta(hours=1),
        ends_at=now() + timedelta(hours=1),
        named_at=now() - timedelta(hours=2),
    )
    return other, scene.world.session(other)


def test_a_deputy_decides(scene: Scene) -> None:
    assert approve(scene, asked(scene), deputy(scene)[1]) == ""
    assert added(scene) == 1


def test_whose_word_no_longer_counts_has_added_nothing(scene: Scene, limit: Limit) -> None:
    """As with an access: the authority is asked again when it is used."""
    limit(accounts_per_day=1)
    places = [opened(scene, number) for number in range(3)]
    other, theirs = deputy(scene)
    assert approve(scene, asked(scene), theirs) == ""
    assert [reveal(scene, place) for place in places[:2]] == ["", ""]
    limit(accounts_per_day=2)
    scene.world.quietly("staff_member", other.id, suspended_at=now())
    assert reveal(scene, places[2]) == "daily_budget_reached"
    scene.world.quietly("staff_member", other.id, suspended_at=None)
    assert reveal(scene, places[2]) == ""


@pytest.mark.parametrize("facts", [{"suspended_at": now()}, {"roles": []}, {"left_on": "2020-01-02"}])
def test_who_is_not_at_work_gets_no_more(scene: Scene, facts: dict[str, Any]) -> None:
    request = asked(scene)
    scene.world.quietly("staff_member", scene.anna.id, **facts)
    assert approve(scene, request) in ("member_suspended", "role_missing", "member_left")
    assert MoreToday.objects.get(pk=request).state == "pending"


def test_a_stale_factor_approves_nothing(scene: Scene) -> None:
    request = asked(scene)
    scene.world.setup.execute("UPDATE staff_session SET verified_at = now() - interval '31 minutes'")
    assert approve(scene, request) == "mfa_stale"


# Once, and until midnight


@pytest.mark.parametrize("usable", [False, None])
def test_a_form_that_is_none_asks_for_nothing_and_is_recorded(scene: Scene, usable: Any) -> None:
    assert more.ask(scene.caller, usable=usable) == (None, "value_refused")
    assert not MoreToday.objects.exists()
    assert (newest("change").outcome, newest("change").reason) == ("refused", "value_refused")


def test_who_may_see_nothing_asks_for_no_more(scene: Scene) -> None:
    scene.world.quietly("staff_member", scene.anna.id, suspended_at=now())
    assert more.ask(scene.caller) == (None, "member_suspended")
    assert not MoreToday.objects.exists()


def test_asked_twice_one_waits(scene: Scene) -> None:
    assert asked(scene) == asked(scene)
    assert Entry.objects.filter(event="change").count() == 1


def test_what_another_has_or_oneself_had_yesterday_is_not_ones_own_today(scene: Scene) -> None:
    yesterday = company_day() - timedelta(days=1)
    use(scene, accounts=3, fields=4)
    use(scene, accounts=8, fields=9, day=yesterday)
    scene.world.insert(
        "gatekeeper_dailybudget", member_id=scene.carl.id, day=company_day(), accounts=9, fields=9
    )
    decided = {"state": "approved", "decided_at": now(), "decided_by_id": scene.boss.id}
    for person, day in ((scene.carl, company_day()), (scene.anna, yesterday)):
        for facts in (decided, {"state": "pending"}):
            scene.world.insert(
                "gatekeeper_moretoday", member_id=person.id, day=day, requested_at=now(), **facts
            )
    others = set(MoreToday.objects.values_list("pk", flat=True))
    assert asked(scene) not in others
    figures = newest("change").details
    assert figures is not None
    assert [figures["more_today"][name] for name in ("accounts", "fields", "added")] == [3, 4, 0]


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [("maybe", "check_failed"), ("", "check_failed"), (None, "check_failed"), ("withdraw", "role_missing")],
)
def test_a_verdict_that_there_is_not_decides_nothing(scene: Scene, verdict: Any, reason: str) -> None:
    request = asked(scene)
    assert more.decide(scene.manager, request, verdict) == reason
    details = newest("change").details
    assert details is not None
    assert details["more_today"].get("verdict") == (verdict if verdict == "withdraw" else None)
    assert more.decide(scene.caller, request + 1000, "withdraw") == "role_missing"
    assert MoreToday.objects.get(pk=request).state == "pending"


def test_what_is_decided_is_decided(scene: Scene) -> None:
    request = asked(scene)
    assert more.decide(scene.manager, request, "deny") == ""
    assert approve(scene, request) == "already_decided"
    assert added(scene) == 0


def test_at_midnight_it_lapses(scene: Scene) -> None:
    request = asked(scene)
    scene.world.setup.execute("UPDATE gatekeeper_moretoday SET day = day - 1")
    assert approve(scene, request) == "already_decided"
    assert approvers.everything_waiting_for(member(scene.boss)) == []
    assert asked(scene) != request


def test_one_takes_ones_own_back(scene: Scene) -> None:
    request = asked(scene)
    assert more.decide(scene.world.session(scene.carl), request, "withdraw") == "role_missing"
    assert more.decide(scene.caller, request, "withdraw") == ""
    assert approve(scene, request) == "already_decided"


APPROVE = "SELECT gatekeeper.decide_more(%s::bytea, '{\"cid\": 1}', %s::bigint, 'approve')"


def test_of_two_members_the_first_is_locked_first(scene: Scene, as_role: AsRole) -> None:
    """Who decides and who asked: or two who decide about each other would wait for ever."""
    (other, theirs), request = deputy(scene), asked(scene)
    assert scene.anna.id < other.id
    holding, looking = as_role(roles.MIGRATOR), as_role(roles.MIGRATOR)
    lock = "SELECT FROM public.staff_member WHERE id = %s FOR NO KEY UPDATE"
    for one in (holding, looking):
        one.execute("SET ROLE gatekeeper_owner")
    holding.execute("BEGIN")
    holding.execute(lock, [scene.anna.id])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(racing.row, as_role(roles.WEB), APPROVE, [theirs.digest, request])
        try:
            racing.until_waiting(scene.world.setup, 1)
            looking.execute(f"{lock} NOWAIT", [other.id])
        finally:
            holding.rollback()
        assert waiting.result() == ("",)


def test_a_deputy_whose_time_is_being_ended_waits_and_decides_nothing(scene: Scene, as_role: AsRole) -> None:
    (_other, theirs), request = deputy(scene), asked(scene)
    ending = as_role(roles.WEB)
    ending.execute("BEGIN")
    ended = "SELECT gatekeeper.end_deputy(%s::bytea, '{\"cid\": 1}', %s::bigint)"
    assert racing.row(ending, ended, [scene.manager.digest, Deputy.objects.get().pk]) == ("",)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(racing.row, as_role(roles.WEB), APPROVE, [theirs.digest, request])
        try:
            racing.until_waiting(scene.world.setup, 1)
        finally:
            ending.commit()
        assert waiting.result() == ("role_missing",)


def test_two_approve_at_once_and_one_is_told(scene: Scene, as_role: AsRole) -> None:
    _other, theirs = deputy(scene)
    request = asked(scene)
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    first.execute("BEGIN")
    one = racing.row(first, APPROVE, [scene.manager.digest, request])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(racing.row, second, APPROVE, [theirs.digest, request])
        racing.until_waiting(scene.world.setup, 1)
        first.commit()
        assert (one, waiting.result()) == (("",), ("already_decided",))
    assert added(scene) == 1


# What is recorded


def test_asking_and_deciding_are_entries(scene: Scene) -> None:
    use(scene, accounts=30, fields=80)
    request = asked(scene)
    entry = newest("change")
    assert (entry.outcome, entry.member, entry.subject) == ("allowed", scene.anna.number, scene.anna.number)
    figures = {
        "request": request,
        "day": company_day().isoformat(),
        "accounts": 30,
        "fields": 80,
        "added": 0,
    }
    assert entry.details == {"more_today": figures | {"asked": True}}
    assert approve(scene, request) == ""
    entry = newest("change")
    assert (entry.outcome, entry.member, entry.subject) == ("allowed", scene.boss.number, scene.anna.number)
    assert entry.details == {"more_today": figures | {"added": 1, "verdict": "approve"}}


def test_of_a_day_without_a_view_nothing_was_used(scene: Scene) -> None:
    asked(scene)
    figures = newest("change").details
    assert figures is not None
    assert [figures["more_today"][name] for name in ("accounts", "fields")] == [0, 0]


def test_who_decided_and_when_stands_with_the_request(scene: Scene) -> None:
    before, request = now(), asked(scene)
    assert approve(scene, request) == ""
    one = MoreToday.objects.get(pk=request)
    assert one.decided_by_id == scene.boss.id
    assert one.decided_at is not None
    assert before < one.decided_at < now() + timedelta(seconds=5)


def test_in_whose_stead_is_said_of_a_decision_alone(scene: Scene) -> None:
    """A deputy who tries to take back another's request does not do it in a manager's stead."""
    request, (_other, theirs) = asked(scene), deputy(scene)
    for verdict, reason, stead in (("withdraw", "role_missing", None), ("approve", "", scene.boss.number)):
        assert more.decide(theirs, request, verdict) == reason
        details = newest("change").details
        assert details is not None
        assert details["more_today"].get("in_stead_of") == stead


def test_the_owner_too_decides_with_an_entry_alone(scene: Scene, as_role: AsRole) -> None:
    asked(scene)
    owner = as_role(roles.MIGRATOR)
    owner.execute("SET ROLE gatekeeper_owner")
    owner.execute("SET recording.off = 'on'")  # the suite's own watch must not be what refuses
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="changes with its entry alone"):
        owner.execute("UPDATE gatekeeper_moretoday SET state = 'approved'")


def test_it_changes_nothing_of_what_was_used(scene: Scene) -> None:
    use(scene, accounts=30, fields=80)
    assert approve(scene, asked(scene)) == ""
    assert DailyBudget.objects.values_list("accounts", "fields").get() == (30, 80)


# The pages


def test_the_closed_gate_offers_it_and_says_how_it_stands(scene: Scene) -> None:
    client = scene.browser()
    account, grant = opened(scene, 1)
    use(scene, accounts=30, fields=50)
    url = reverse("account", args=[account])
    text = client.get(url).content.decode()
    assert "Ask for more today" in text
    assert "Can allow more: " in text
    home = client.get("/").content.decode()
    assert reverse("ask_more") in home
    answer = client.post(reverse("ask_more"), {"grant": grant}, follow=True)
    text = answer.content.decode()
    assert answer.redirect_chain[0][0].startswith(url)
    assert "Request sent. It expires at midnight." in text
    assert f'action="{reverse("ask_more")}"' not in text
    assert "Withdraw request" in text
    assert f'action="{reverse("ask_more")}"' not in client.get("/").content.decode()


def test_the_account_says_it_from_four_fifths_on(scene: Scene) -> None:
    client = scene.browser()
    account, _grant = opened(scene, 1)
    url = reverse("account", args=[account])
    assert reverse("ask_more") not in client.get(url).content.decode()
    use(scene, accounts=24, fields=50)
    assert reverse("ask_more") in client.get(url).content.decode()
    request = asked(scene)
    assert more.decide(scene.manager, request, "deny") == ""
    assert f"Rejected by Member {scene.boss.number} at" in client.get(url).content.decode()
    assert approve(scene, asked(scene)) == ""
    use(scene, accounts=54, fields=50)
    text = client.get(url).content.decode()
    assert f"Approved by Member {scene.boss.number} at" in text
    assert "Left today: 6 other accounts, 190 more fields." in text


def test_on_a_used_up_day_no_clock_is_started(scene: Scene) -> None:
    """While the request for more waits, opening would use the access's minutes for nothing."""
    client = scene.browser()
    account = "MOC-50001"
    scene.world.account(account)
    scene.world.ticket("ZD-20001", accounts=[account], assignee=scene.anna)
    scene.approved(account=account, ticket="ZD-20001")
    url, button = reverse("account", args=[account]), reverse("open_window", args=[account])
    assert button in client.get(url).content.decode()
    use(scene, accounts=30, fields=120)
    asked(scene)
    assert button not in client.get(url).content.decode()
    assert button not in client.get("/").content.decode()


def test_a_used_up_day_says_so_in_words(scene: Scene) -> None:
    client = scene.browser()
    account, grant = opened(scene, 1)
    assert reveal(scene, (account, grant)) == ""
    use(scene, accounts=30, fields=120)
    text = client.get(reverse("account", args=[account])).content.decode()
    assert "Today’s limit is reached. What you have seen today can be shown again." in text


@pytest.mark.parametrize(
    ("button", "state", "word"),
    [("approve_more", "approved", "Approved."), ("deny_more", "denied", "Rejected.")],
)
def test_it_is_decided_in_the_inbox(scene: Scene, button: str, state: str, word: str) -> None:
    use(scene, accounts=30, fields=80)
    request = asked(scene)
    client = scene.browser(scene.boss)
    text = client.get(reverse("inbox")).content.decode()
    assert "30 of 30 accounts" in text
    assert "80 of 120 fields" in text
    assert '<span class="muted">(1)</span>' in text
    answer = client.post(reverse(button, args=[request]), follow=True).content.decode()
    assert word in answer
    assert "Nothing to decide" in answer
    assert "Decided today" in answer
    assert answer.count("More for today") == 1
    assert MoreToday.objects.get(pk=request).state == state
    again = client.post(reverse(button, args=[request]), follow=True).content.decode()
    assert "Already decided" in again


def test_by_the_pages_too_it_is_refused_to_others(scene: Scene) -> None:
    request = asked(scene)
    other = scene.world.member("manager")
    scene.world.signature(other)
    client = scene.browser(other)
    assert "More for today" not in client.get(reverse("inbox")).content.decode()
    assert client.post(reverse("approve_more", args=[request])).status_code == 403
    assert MoreToday.objects.get(pk=request).state == "pending"


@override_settings(EMAIL_HOST="mail.firma.example")
def test_approvers_are_told_once_and_of_no_account(scene: Scene) -> None:
    client = scene.browser()
    account, grant = opened(scene, 1)
    for _ in range(2):
        client.post(reverse("ask_more"), {"grant": grant})
    background.finish()
    [message] = mail.outbox
    assert message.to == [member(scene.boss).email]
    assert reverse("inbox") in message.body
    assert account not in message.body


@override_settings(EMAIL_HOST="mail.firma.example")
def test_asking_for_more_and_its_notices_are_one(scene: Scene) -> None:
    client = scene.browser()
    _account, grant = opened(scene, 1)
    with none_taken(scene.world):
        client.post(reverse("ask_more"), {"grant": grant})
    assert not MoreToday.objects.exists()
