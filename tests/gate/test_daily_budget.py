"""A member's budget for a day, over all grants: it stops whoever has a session at so many accounts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from audit.models import Entry
from gatekeeper.access import grants
from gatekeeper.gate import answers, decision
from gatekeeper.gate.backends import VIEW_PERSONAL_DATA
from gatekeeper.installation import roles
from gatekeeper.models import Account, DailyAccount, DailyBudget
from tests.world import now, raw
from tests.world.day import (
    EMAIL,
    IBAN,
    NAME,
    Limit,
    company_day,
    limit,  # noqa: F401  # a fixture
    opened,
    opened_again,
    people,
    reveal,
    scene,  # noqa: F401  # a fixture
    use,
)
from tests.world.people import member
from tests.world.scene import REFERENCE, Scene, newest

if TYPE_CHECKING:
    from tests.conftest import AsRole
    from tests.world import Person

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def used(scene: Scene) -> tuple[int, int] | None:
    """Accounts and fields that are counted today."""
    found = DailyBudget.objects.filter(member=scene.anna.id).values_list("accounts", "fields")
    return found.first()


def budget_in(entry: Entry) -> dict[str, object]:
    """What the entry says of the budget."""
    assert entry.details is not None
    figures: dict[str, object] = entry.details["daily_budget"]
    return figures


# What counts


def test_it_stops_whoever_has_a_session_at_so_many_accounts(scene: Scene, limit: Limit) -> None:
    """However many grants are open, and from however many sessions."""
    limit(accounts_per_day=3)
    places = [opened(scene, number) for number in range(8)]
    callers = [scene.caller, scene.world.session(scene.anna)]
    reasons = [reveal(scene, place, caller=callers[n % 2]) for n, place in enumerate(places)]
    assert reasons == [""] * 3 + ["daily_budget_reached"] * 5
    shown = Entry.objects.filter(event="view", outcome="allowed").values_list("account", flat=True)
    assert set(shown) == {account for account, _grant in places[:3]}


def test_the_refusals_entry_names_the_budget(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1, fields_per_day=7)
    first, second = opened(scene, 1), opened(scene, 2)
    assert reveal(scene, first, NAME, EMAIL) == ""
    assert reveal(scene, second) == "daily_budget_reached"
    entry = newest("view")
    assert (entry.outcome, entry.reason, entry.failed) == (
        "refused",
        "daily_budget_reached",
        ["daily_budget_reached"],
    )
    assert entry.details == {
        "daily_budget": {
            "day": company_day().isoformat(),
            "accounts": 1,
            "accounts_allowed": 1,
            "fields": 2,
            "fields_allowed": 7,
        }
    }
    assert (entry.account, entry.grant_id) == second


def test_an_entry_refused_for_another_reason_says_nothing_of_the_budget(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1)
    place = opened(scene, 1, categories=["company"])
    use(scene, accounts=1, fields=1)
    assert reveal(scene, place, NAME) == "category_not_covered"
    assert newest("view").details is None


def test_the_same_field_again_is_an_entry_and_counts_no_more(scene: Scene, limit: Limit) -> None:
    limit(fields_per_day=2)
    place = opened(scene, 1)
    assert [reveal(scene, place, *fields) for fields in ([NAME], [NAME], [NAME, EMAIL], [EMAIL, NAME])] == [
        ""
    ] * 4
    assert used(scene) == (1, 2)
    assert Entry.objects.filter(event="view", outcome="allowed").count() == 4


def test_the_same_field_under_another_grant_counts_no_more(scene: Scene) -> None:
    account, grant = opened(scene, 1)
    again = opened_again(scene, account, "ZD-29999")
    assert [reveal(scene, (account, one)) for one in (grant, again)] == ["", ""]
    assert used(scene) == (1, 1)


def test_different_fields_are_bounded_too_and_a_reveal_is_all_or_nothing(scene: Scene, limit: Limit) -> None:
    limit(fields_per_day=3)
    first, second = opened(scene, 1), opened(scene, 2)
    assert reveal(scene, first, NAME, EMAIL) == ""
    assert reveal(scene, second, NAME, EMAIL) == "daily_budget_reached"
    assert reveal(scene, second, NAME) == ""
    assert reveal(scene, second, EMAIL) == "daily_budget_reached"
    assert (reveal(scene, first, EMAIL), reveal(scene, second, NAME)) == ("", "")
    assert used(scene) == (2, 3)


def test_a_field_that_is_named_twice_counts_once(scene: Scene) -> None:
    assert reveal(scene, opened(scene, 1), NAME, NAME) == ""
    assert used(scene) == (1, 1)


def test_refusals_count_nothing(scene: Scene) -> None:
    account, grant = opened(scene, 1, categories=["contact"])
    assert reveal(scene, (account, grant), IBAN) == "category_not_covered"
    assert reveal(scene, (account, grant), "no.field") == "check_failed"
    scene.world.quietly("gatekeeper_grant", grant, views=500)
    assert reveal(scene, (account, grant)) == "view_limit_reached"
    assert (used(scene), DailyAccount.objects.exists()) == (None, False)


def test_what_is_refused_for_the_budget_counts_nowhere(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1)
    first, second = opened(scene, 1), opened(scene, 2)
    assert (reveal(scene, first), reveal(scene, second)) == ("", "daily_budget_reached")
    assert DailyAccount.objects.count() == 1
    assert scene.world.setup.execute(
        "SELECT views FROM gatekeeper_grant WHERE id = %s", [second[1]]
    ).fetchone() == (0,)


def test_another_members_day_is_their_own(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1)
    scene.world.insert(
        "gatekeeper_dailybudget", member_id=scene.carl.id, day=company_day(), accounts=9, fields=9
    )
    assert reveal(scene, opened(scene, 1)) == ""


# Judged again when the values are released


def test_the_view_that_used_the_last_unit_is_released(scene: Scene, as_role: AsRole, limit: Limit) -> None:
    limit(accounts_per_day=1, fields_per_day=1)
    scene.opened()
    other = opened(scene, 1)
    vault = as_role(roles.VAULT)
    entry = raw.recorded(vault, scene_at(scene))
    assert reveal(scene, other) == "daily_budget_reached"
    assert raw.release(vault, scene_at(scene), entry).fields == [NAME]


def scene_at(scene: Scene) -> Scene:
    """The scene, its grant being the first account's again."""
    found = scene.world.setup.execute(
        "SELECT g.id FROM gatekeeper_grant g JOIN gatekeeper_account a ON a.id = g.account_id"
        " WHERE a.reference = %s",
        [REFERENCE],
    ).fetchone()
    assert found is not None
    scene.grant = found[0]
    return scene


@pytest.mark.parametrize(
    ("uncount", "left"),
    [
        ("DELETE FROM gatekeeper_dailyaccount", {"accounts_per_day": 1}),
        ("UPDATE gatekeeper_dailyaccount SET fields = '{company.name}'", {"fields_per_day": 1}),
    ],
)
def test_a_view_that_nobody_counted_is_withheld(
    scene: Scene, as_role: AsRole, limit: Limit, uncount: str, left: dict[str, int]
) -> None:
    scene.opened()
    vault = as_role(roles.VAULT)
    entry = raw.recorded(vault, scene)
    scene.world.setup.execute(uncount.encode())
    limit(**left)
    released = raw.release(vault, scene, entry)
    assert (released.reason, released.nothing) == ("daily_budget_reached", True)
    withheld = newest("view")
    assert (withheld.outcome, withheld.answers) == ("withheld", entry)
    assert budget_in(withheld)["accounts"] == 1


# The day


def test_a_day_ends_at_the_companys_midnight(scene: Scene, limit: Limit) -> None:
    """A day is the company's: in these two zones it is never the same date."""
    limit(accounts_per_day=1, time_zone="Pacific/Kiritimati")
    places = [opened(scene, number) for number in range(3)]
    assert [reveal(scene, place) for place in places[:2]] == ["", "daily_budget_reached"]
    limit(time_zone="Etc/GMT+12")
    assert [reveal(scene, place) for place in places[1:]] == ["", "daily_budget_reached"]
    assert DailyBudget.objects.count() == 2


def test_yesterdays_use_is_over(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1)
    use(scene, accounts=1, fields=1, day=company_day() - timedelta(days=1))
    assert reveal(scene, opened(scene, 1)) == ""


def test_what_was_recorded_before_midnight_is_released_after_it(
    scene: Scene, as_role: AsRole, limit: Limit
) -> None:
    """Also where the new day's budget is used up by then: it was counted on the old one."""
    other = opened(scene, 1)
    scene.opened()
    vault = as_role(roles.VAULT)
    entry = raw.recorded(vault, scene)
    recorded_at = now() - timedelta(seconds=20)
    scene.world.quietly("audit_entry", entry, timestamp=recorded_at)
    midnight = recorded_at + timedelta(seconds=10)
    limit(accounts_per_day=1, time_zone=zone_with_midnight_at(midnight))
    today = (midnight + offset_of(midnight)).date()
    scene.world.setup.execute("UPDATE gatekeeper_dailybudget SET day = %s", [today - timedelta(days=1)])
    scene.world.setup.execute("UPDATE gatekeeper_dailyaccount SET day = %s", [today - timedelta(days=1)])
    use(scene, accounts=1, fields=1, day=today)
    # Where something else is not flushed yet, only an entry of this moment is waited for: ask again.
    asked = (raw.release(vault, scene, entry) for _ in range(100))
    assert next(one.fields for one in asked if one.reason != "record_failed") == [NAME]
    assert reveal(scene, other) == "daily_budget_reached"


def offset_of(midnight: datetime) -> timedelta:
    """East of Greenwich by so much it is midnight then."""
    day = timedelta(days=1)
    since = midnight - datetime(midnight.year, midnight.month, midnight.day, tzinfo=UTC)
    return day - since if since > day / 2 else -since


def zone_with_midnight_at(midnight: datetime) -> str:
    """POSIX counts to the west."""
    seconds = -round(offset_of(midnight).total_seconds())
    sign, seconds = ("-" if seconds < 0 else "+"), abs(seconds)
    return f"<X>{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


# Pages and lists say what the gate says


def test_has_perm_lists_and_the_gate_agree_about_each_account(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1)
    seen, unseen = opened(scene, 1), opened(scene, 2)
    assert reveal(scene, seen) == ""
    mine = member(scene.anna)
    mine.caller = scene.caller  # type: ignore[attr-defined]  # as staff.session.middleware does
    for (account, grant), is_open in ((seen, True), (unseen, False)):
        looked = decision.evaluate(scene.caller, account=account, grant=grant)
        assert looked.open is is_open
        assert looked.codes["approval"] == ("passed" if is_open else "daily_budget_reached")
        assert mine.has_perm(VIEW_PERSONAL_DATA, Account.objects.get(reference=account)) is is_open
        assert (grant in {one.id for one in grants.open_grants(scene.caller, mine)}) is is_open


def test_an_account_whose_counted_fields_are_not_covered_is_closed(scene: Scene, limit: Limit) -> None:
    """When nothing new may be seen, what is counted opens only the grants that cover it."""
    limit(fields_per_day=1)
    account, grant = opened(scene, 1, categories=["contact"])
    other = opened_again(scene, account, "ZD-29999", categories=["company"])
    assert reveal(scene, (account, grant)) == ""
    assert decision.evaluate(scene.caller, account=account, grant=grant).open
    assert decision.evaluate(scene.caller, account=account, grant=other).reason == "daily_budget_reached"


def test_no_clock_starts_for_what_cannot_be_seen_today(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1)
    use(scene, accounts=1, fields=1)
    grant = scene.approved()
    refused = grants.open_window(scene.caller, grant=grant, account=REFERENCE)
    assert refused is not None
    assert refused.reason == "daily_budget_reached"
    assert budget_in(newest("start"))["accounts"] == 1
    assert scene.ask(ticket=scene_ticket(scene)) > 0  # for tomorrow anybody may ask


def scene_ticket(scene: Scene) -> str:
    scene.world.ticket("ZD-29998", accounts=[REFERENCE], assignee=scene.anna)
    return "ZD-29998"


def page(scene: Scene, client: Any, account: str) -> str:
    text: str = client.get(reverse("account", args=[account])).content.decode()
    return text


def test_from_four_fifths_the_page_says_what_is_left(scene: Scene) -> None:
    client = scene.browser()
    account, _grant = opened(scene, 1)
    use(scene, accounts=23, fields=95)
    assert "Left today" not in page(scene, client, account)
    use(scene, accounts=24, fields=95)
    assert "Left today: 6 other accounts, 25 more fields." in page(scene, client, account)
    use(scene, accounts=1, fields=119)
    assert "Left today: 29 other accounts, 1 more field." in page(scene, client, account)


def test_no_button_leads_to_a_field_that_the_day_has_no_room_for(scene: Scene, limit: Limit) -> None:
    client = scene.browser()
    limit(fields_per_day=2)
    account, grant = place = opened(scene, 1, categories=["contact", "participants"])
    scene.world.participants(account, 1)
    text = page(scene, client, account)
    assert f'value="{NAME}"' in text
    assert not re.search(r'name="category"\s+value="contact"', text)
    assert "Reveal the first page" in text
    assert reveal(scene, place, NAME, EMAIL) == ""
    text = page(scene, client, account)
    assert f'value="{NAME}"' in text
    assert 'value="contact.marketing_consent"' not in text
    assert "filled; not today" in text
    assert "Reveal the first page" not in text
    assert "Today’s limit is reached" in text
    assert grant


# Participants


def guess(scene: Scene, place: tuple[str, int]) -> str:
    account, grant = place
    shown = decision.find_participant(scene.caller, account=account, grant=grant, email="nobody@gosc.example")
    return shown.reason if isinstance(shown, answers.Refusal) else ""


def test_another_grant_shows_no_more_participants_of_the_day(scene: Scene) -> None:
    account, grant = place = opened(scene, 1, categories=["participants"])
    scene.world.participants(account, 30)
    assert people(scene, place, 1) == ""
    again = (account, opened_again(scene, account, "ZD-29999", categories=["participants"]))
    scene.world.setup.execute("UPDATE gatekeeper_dailyaccount SET participants_shown = 175")
    assert people(scene, again, 1) == ""
    assert people(scene, again, 2) == "daily_budget_reached"
    entry = newest("view")
    assert (entry.outcome, budget_in(entry)["participants"]) == ("refused", 200)
    assert people(scene, place, 2) == "daily_budget_reached"
    assert used(scene) == (1, 1)
    assert grant != again[1]


def test_another_grant_gives_no_more_guesses(scene: Scene) -> None:
    account, _grant = place = opened(scene, 1, categories=["participants"])
    scene.world.participants(account, 1)
    assert [guess(scene, place) for _ in range(6)] == [""] * 6
    again = (account, opened_again(scene, account, "ZD-29999", categories=["participants"]))
    assert [guess(scene, again) for _ in range(5)] == [""] * 4 + ["daily_budget_reached"]
    assert (newest("search").outcome, budget_in(newest("search"))["misses"]) == ("refused", 10)
    assert people(scene, again, 1) == "daily_budget_reached"


def test_another_accounts_participants_count_for_themselves(scene: Scene) -> None:
    first, second = (opened(scene, n, categories=["participants"]) for n in (1, 2))
    for account, _grant in (first, second):
        scene.world.participants(account, 1)
    assert [guess(scene, first) for _ in range(11)] == [""] * 10 + ["daily_budget_reached"]
    assert guess(scene, second) == ""


def test_what_a_day_has_counted_is_gone_when_it_is_long_over(scene: Scene, as_role: AsRole) -> None:
    assert reveal(scene, opened(scene, 1)) == ""
    for days in (1, 2):
        day = company_day() - timedelta(days=days)
        use(scene, accounts=1, fields=1, day=day)
        counted(scene, scene.anna, REFERENCE, day)
    as_role(roles.WEB).execute("SELECT gatekeeper.tidy()")
    for model in (DailyBudget, DailyAccount):
        days_left = model.objects.values_list("day", flat=True).order_by("day")
        assert list(days_left) == [company_day() - timedelta(days=1), company_day()]


# Of one member, one day and one account


def counted(scene: Scene, person: Person, account: str, day: date, **facts: Any) -> int:
    """As if the name, and so much beside it, were counted there."""
    return scene.world.insert(
        "gatekeeper_dailyaccount",
        member_id=person.id,
        day=day,
        account_id=Account.objects.get(reference=account).pk,
        **{"fields": [NAME], "participants_shown": 0, "misses": 0} | facts,
    )


def beside(scene: Scene, account: str, **facts: Any) -> None:
    """What another member has of that account today, and the member had yesterday."""
    yesterday = company_day() - timedelta(days=1)
    counted(scene, scene.carl, account, company_day(), **facts)
    counted(scene, scene.anna, account, yesterday, **facts)
    use(scene, accounts=1, fields=1, day=yesterday)
    scene.world.insert(
        "gatekeeper_dailybudget", member_id=scene.carl.id, day=company_day(), accounts=1, fields=1
    )


def of_others(scene: Scene) -> list[Any]:
    """Every row of another member or another day."""
    return [
        row
        for model in (DailyAccount, DailyBudget)
        for row in model.objects.order_by("pk").values()
        if (row["member_id"], row["day"]) != (scene.anna.id, company_day())
    ]


def test_a_view_is_counted_for_its_member_on_its_day_and_account(scene: Scene) -> None:
    first, second = opened(scene, 1), opened(scene, 2)
    beside(scene, first[0])
    before = of_others(scene)
    assert (len(before), reveal(scene, second)) == (4, "")
    assert [reveal(scene, first, *fields) for fields in ([NAME], [NAME, EMAIL])] == ["", ""]
    assert used_on(scene) == [(first[0], [NAME, EMAIL]), (second[0], [NAME])]
    assert DailyBudget.objects.filter(member=scene.anna.id, day=company_day()).values_list(
        "accounts", "fields"
    ).get() == (2, 3)
    assert of_others(scene) == before


def used_on(scene: Scene) -> list[tuple[str, list[str]]]:
    """The fields that are counted for the member today, by account."""
    rows = DailyAccount.objects.filter(member=scene.anna.id, day=company_day())
    return sorted((one.account.reference, one.fields) for one in rows.select_related("account"))


def test_what_was_counted_for_another_or_yesterday_opens_nothing(scene: Scene, limit: Limit) -> None:
    limit(accounts_per_day=1)
    use(scene, accounts=1, fields=1)
    scene.approved()
    beside(scene, REFERENCE)
    refused = grants.open_window(scene.caller, grant=scene.grant, account=REFERENCE)
    assert (refused and refused.reason) == "daily_budget_reached"
    counted(scene, scene.anna, REFERENCE, company_day())
    assert grants.open_window(scene.caller, grant=scene.grant, account=REFERENCE) is None


def test_what_another_was_shown_or_oneself_yesterday_is_not_counted(scene: Scene) -> None:
    account, _grant = place = opened(scene, 1, categories=["participants"])
    scene.world.participants(account, 1)
    beside(scene, account, participants_shown=200, misses=10)
    assert (people(scene, place, 1), guess(scene, place)) == ("", "")
