"""Each rule asks for several things at once: with one of them otherwise it finds nothing, and only then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from audit.models import Flag
from gatekeeper.access import grants
from gatekeeper.reviews import finding
from tests.world import World
from tests.world.entries import entry
from tests.world.past import Past
from tests.world.scene import Scene, newest

if TYPE_CHECKING:
    from tests.conftest import Connection, Thresholds

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

#: A Wednesday at noon, where the company is.
NOON = datetime(2026, 11, 18, 12, tzinfo=ZoneInfo("Europe/Vilnius"))
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ONE = "the one"
TODAY = NOON.date()
#: Whose first or last day it is.
DAYS = {"first_days": {"starts_on": TODAY}, "leaving": {"left_on": TODAY}}
#: Who no session was found for.
NOBODY: dict[str, Any] = {"actor_id": None, "session": None, "reason": "session_missing"}


@dataclass(frozen=True)
class Given:
    """One entry, so long before noon (`ago`), by its facts. A fact that is None is not there."""

    ago: timedelta
    facts: dict[str, Any]
    times: int = 1


def given(event: str = "view", ago: timedelta = timedelta(0), times: int = 1, **facts: Any) -> Given:
    return Given(ago, {"event": event} | facts, times)


@dataclass(frozen=True)
class Case:
    """What a rule finds: entries by name, of which it flags `the one`."""

    thresholds: dict[str, int]
    entries: dict[str, Given]


def views(days: int, times: int = 3) -> Given:
    return given("view", days * DAY, times)


def starts(ago: timedelta, times: int, member: str = "K-0193") -> Given:
    """Accesses to so many accounts."""
    return given("start", ago, times, member=member, account="MOC-5000{}")


def asked(number: int, ago: timedelta) -> Given:
    return given("request", ago, request_id=number, grant_id=None)


def approved(number: int, ago: timedelta, **facts: Any) -> Given:
    by = {"member": "K-0020", "subject": "K-0193", "approver": None, "request_id": number}
    return given("approve", ago, **by | facts)


def none_found(ago: timedelta = timedelta(0)) -> Given:
    return given("search", ago, records=[], results=0)


def refused(ago: timedelta = timedelta(0), times: int = 1, **facts: Any) -> Given:
    return given("view", ago, times, outcome="refused", **facts)


def wrong(ago: timedelta, times: int = 1) -> Given:
    """A wrong password of somebody who is not signed in."""
    stranger = {"actor_id": None, "session": None, "account": None, "reason": "password_wrong"}
    return given("sign_in_failed", ago, times, outcome="refused", object_repr="password", **stranger)


def signed_in(ago: timedelta = timedelta(0)) -> Given:
    return given("sign_in", ago, account=None)


def suspended(ago: timedelta = timedelta(0)) -> Given:
    return given("change", ago, details={"suspended": [False, True]}, member="K-0020", subject="K-0193")


CASES: dict[str, Case] = {
    "volume": Case(
        {"history": 3, "least": 2, "percent": 150},
        {"a": views(4), "b": views(3), "c": views(2), "today": given("view", HOUR, 4), ONE: given("view")},
    ),
    "harvest": Case(
        {"least": 4},
        {
            "others": starts(10 * DAY, 2, "K-0200"),
            "more": starts(10 * DAY, 2, "K-0201"),
            "own": starts(9 * DAY, 5),
            ONE: given("start"),
        },
    ),
    "same_account": Case(
        {"count": 3},
        {
            "a": given("start", 9 * DAY, ticket="ZD-1"),
            "b": given("start", 8 * DAY, ticket="ZD-2"),
            ONE: given("start", ticket="ZD-3"),
        },
    ),
    "brief": Case(
        {},
        {
            "look": given("view", 59 * SECOND),
            ONE: given(
                "end", member=None, session=None, source="gatekeeper", details={"why": "ticket_closed"}
            ),
        },
    ),
    "alone": Case(
        {},
        {
            "before": signed_in(20 * DAY),
            "then": signed_in(10 * DAY),
            ONE: given("start", 10 * DAY - HOUR),
            "back": signed_in(3 * DAY),
        },
    ),
    "refusals": Case({"count": 3}, {"a": refused(9 * MINUTE), "b": refused(MINUTE), ONE: refused()}),
    "guesses": Case({"count": 3}, {"a": wrong(59 * MINUTE), "b": wrong(MINUTE), ONE: wrong(timedelta(0))}),
    "probing": Case(
        {"count": 3},
        {
            "a": refused(6 * DAY, account="MOC-40001"),
            "b": refused(DAY, account="MOC-40002"),
            ONE: refused(account="MOC-40003"),
        },
    ),
    "misses": Case({"count": 3}, {"a": none_found(6 * DAY), "b": none_found(DAY), ONE: none_found()}),
    "same_pair": Case(
        {"count": 3, "times": 2},
        {
            "a": approved(1, 6 * DAY),
            "other": approved(2, 2 * DAY, subject="K-0200"),
            "b": approved(3, DAY),
            ONE: approved(4, timedelta(0)),
        },
    ),
    "instant": Case(
        {"count": 2},
        {
            "asked before": asked(1, DAY),
            "before": approved(1, DAY - 9 * SECOND),
            "asked": asked(2, 9 * SECOND),
            ONE: approved(2, timedelta(0)),
        },
    ),
    "second_opinion": Case(
        {},
        {
            "no": given("deny", HOUR, member="K-0020", subject="K-0193", grant_id=None),
            ONE: approved(1, timedelta(0), member="K-0021"),
        },
    ),
    "new_network": Case({}, {"old": given("view", 40 * DAY), ONE: given("view", remote_addr="198.51.100.7")}),
    "everything": Case({"categories": 3}, {ONE: given("view", categories=["contact", "company", "billing"])}),
    "participants": Case(
        {"count": 4}, {"a": given("view", HOUR, records=[1, 2, 3]), ONE: given("view", records=[4, 5])}
    ),
    "export": Case({}, {ONE: given("export")}),
    "suspensions": Case({}, {"a": suspended(59 * MINUTE), "b": suspended(MINUTE), ONE: suspended()}),
    "unproved": Case({}, {ONE: given("view")}),
    "hours": Case({}, {ONE: given("view", 6 * HOUR)}),
    "own_ticket": Case({}, {ONE: given("start")}),
    "first_days": Case(
        {"count": 3}, {"a": given("start", HOUR), "b": given("start", MINUTE), ONE: given("start")}
    ),
    "leaving": Case(
        {"count": 3}, {"a": given("start", HOUR), "b": given("start", MINUTE), ONE: given("start")}
    ),
}

NO: dict[str, Any] = {"outcome": "refused"}
SEARCH: dict[str, Any] = {"event": "search", "records": [1], "results": 1}
FAILED: dict[str, Any] = {"event": "sign_in_failed", "outcome": "refused", "object_repr": "password"}
HERS: dict[str, Any] = {"member": "K-0200"}
THERE: dict[str, Any] = {"account": "MOC-40099"}


def earlier(*names: str, **facts: Any) -> dict[str, dict[str, Any]]:
    """The same facts are other in each of these."""
    return dict.fromkeys(names, facts)


#: By rule: what is otherwise, so that it does not find the one.
OTHERWISE: dict[str, dict[str, dict[str, dict[str, Any]]]] = {
    "volume": {
        "today's were refused": earlier("today", **NO),
        "today's were searches": earlier("today", **SEARCH),
        "today's are another's": earlier("today", **HERS),
        "today's are yesterday's": earlier("today", ago=13 * HOUR),
        "one fewer today": earlier("today", times=3),
        "one more today": earlier("today", times=5),
        "it was refused": earlier(ONE, **NO),
        "it is a search": earlier(ONE, **SEARCH),
        "a usual day of refusals": earlier("a", **NO),
        "a usual day of searches": earlier("a", **SEARCH),
        "a usual day of another": earlier("a", **HERS),
        "a usual day of long ago": earlier("a", ago=91 * DAY),
        "two usual days are one": earlier("a", ago=3 * DAY),
        "a usual day has more": earlier("a", times=4),
        "tomorrow, within the longest day": earlier(ONE, ago=-12.5 * HOUR),
    },
    "harvest": {
        "they were refused": earlier("own", **NO),
        "they were views": earlier("own", event="view"),
        "they are another's": earlier("own", member="K-0202"),
        "they were long before": earlier("own", ago=70 * DAY),
        "they were one account": earlier("own", **THERE),
        "fewer than the least": earlier("own", times=3) | earlier("others", "more", times=1),
        "others have as many": earlier("others", "more", times=3),
        "it was refused": earlier(ONE, **NO),
        "it was a view": earlier(ONE, event="view"),
    },
    "same_account": {
        "another's": earlier("a", **HERS),
        "another account": earlier("a", **THERE),
        "a view": earlier("a", event="view"),
        "refused": earlier("a", **NO),
        "long ago": earlier("a", ago=60 * DAY + SECOND),
        "the same ticket": earlier("a", ticket="ZD-2"),
    },
    "brief": {
        "another account": earlier("look", **THERE),
        "another access": earlier("look", grant_id=9),
        "a search": earlier("look", **SEARCH),
        "refused": earlier("look", **NO),
        "a minute": earlier("look", ago=MINUTE),
        "after it": earlier("look", ago=-SECOND),
        "expired": earlier(ONE, details={"why": "expired"}),
        "revoked": earlier(ONE, event="revoke"),
        "not ended": earlier(ONE, outcome="refused", reason="grant_expired"),
    },
    "alone": {
        "a view": earlier(ONE, event="view"),
        "refused": earlier(ONE, **NO),
        "another's": earlier(ONE, **HERS),
        "the day before": earlier(ONE, ago=11 * DAY),
        "not signed in long before": earlier("before", event="sign_out"),
        "another had": earlier("before", **HERS),
        "failed to": earlier("before", **FAILED),
        "shortly before": earlier("before", ago=15 * DAY),
        "shortly after": earlier("back", ago=5 * DAY),
        "another is back": earlier("back", **HERS),
        "did not come in": earlier("back", **FAILED),
        "back without a sign-in": earlier("back", event="sign_out"),
        "another signed in": earlier("then", **HERS),
        "not signed in then": earlier("then", event="sign_out"),
        "failed to then": earlier("then", **FAILED),
    },
    "refusals": {
        "allowed": earlier("a", outcome="allowed"),
        "another's": earlier("a", **HERS),
        "another actor": earlier("a", actor_id=2),
        "ten minutes": earlier("a", ago=10 * MINUTE),
        "the fourth": earlier("a", times=2),
        "it was allowed": earlier("a", times=2) | earlier(ONE, outcome="allowed"),
        "by nobody": earlier("a", "b", ONE, event="search", **NOBODY),
    },
    "guesses": {
        "it was another event": earlier("a", event="search", reason="session_missing"),
        "by who had the password": earlier("a", actor_id=1, session=7),
        "another network": earlier("a", remote_addr="192.0.3.1"),
        "no address": earlier("a", remote_addr=None),
        "an hour": earlier("a", ago=HOUR),
        "the fourth": earlier("a", times=2),
        "this was another event": earlier("a", times=2)
        | earlier(ONE, event="search", reason="session_missing"),
        "this by who had the password": earlier("a", times=2) | earlier(ONE, actor_id=1, session=7),
    },
    "probing": {
        "allowed": earlier("a", outcome="allowed"),
        "another's": earlier("a", **HERS),
        "another actor": earlier("a", actor_id=2),
        "of no account": earlier("a", event="search", account=None),
        "long ago": earlier("a", ago=7 * DAY + SECOND),
        "the same account": earlier("a", account="MOC-40002"),
        "the fourth": earlier("a", account="MOC-4000{}", times=2),
        "it was allowed": earlier("a", account="MOC-4001{}", times=2)
        | earlier(ONE, outcome="allowed", account="MOC-40002"),
        "this of no account": earlier("a", "b", ONE, event="search", account=None),
        "by nobody": earlier("a", "b", ONE, event="search", **NOBODY),
    },
    "misses": {
        "found": earlier("a", results=1),
        "a view": earlier("a", event="view"),
        "refused": earlier("a", **NO),
        "another's": earlier("a", **HERS),
        "of no account": earlier("a", account=None),
        "long ago": earlier("a", ago=7 * DAY + SECOND),
        "the fourth": earlier("a", times=2),
        "this found": earlier(ONE, results=1) | earlier("a", times=2),
        "this is a view": earlier(ONE, event="view") | earlier("a", times=2),
        "this was refused": earlier(ONE, **NO) | earlier("a", times=2),
        "this of no account": earlier(ONE, account=None) | earlier("a", times=2),
    },
    "same_pair": {
        "rejected": earlier("a", event="deny", grant_id=None),
        "refused": earlier("a", **NO),
        "another approver": earlier("a", member="K-0021"),
        "another member": earlier("a", subject="K-0201"),
        "long ago": earlier("a", ago=7 * DAY + SECOND),
        "the fourth": earlier("a", times=2),
        "it was rejected": earlier(ONE, event="deny", grant_id=None),
        "it was refused": earlier(ONE, **NO),
        "the other is of another approver": earlier("other", member="K-0021"),
        "the other is of long ago": earlier("other", ago=8 * DAY),
        "the other has half": earlier("other", times=2),
    },
    "instant": {
        "rejected": earlier("before", event="deny", grant_id=None),
        "refused": earlier("before", **NO),
        "another approver": earlier("before", member="K-0021"),
        "another member": earlier("before", subject="K-0200"),
        "ten seconds": earlier("before", ago=DAY - 10 * SECOND),
        "long ago": earlier("asked before", ago=7 * DAY + MINUTE) | earlier("before", ago=7 * DAY + MINUTE),
        "asked of another account": earlier("asked before", **THERE),
        "another request": earlier("asked before", request_id=9),
        "not asked": earlier("asked before", event="withdraw", subject="K-0193"),
        "asking was refused": earlier("asked before", **NO),
        "this after ten seconds": earlier("before", times=2) | earlier("asked", ago=10 * SECOND),
        "this was rejected": earlier("before", times=2) | earlier(ONE, event="deny", grant_id=None),
        "this was refused": earlier("before", times=2) | earlier(ONE, **NO),
        "the third": earlier("before", times=2),
    },
    "second_opinion": {
        "another account": earlier("no", **THERE),
        "another member": earlier("no", subject="K-0200"),
        "the same": earlier("no", member="K-0021"),
        "withdrawn": earlier("no", event="withdraw"),
        "refused": earlier("no", **NO),
        "a day": earlier("no", ago=DAY),
        "after it": earlier("no", ago=-SECOND),
        "it was rejected": earlier(ONE, event="deny", grant_id=None),
        "it was refused": earlier(ONE, **NO),
    },
    "new_network": {
        "hardly begun": earlier("old", ago=28 * DAY - SECOND),
        "refused": earlier("old", **NO),
        "a search": earlier("old", **SEARCH),
        "another's": earlier("old", **HERS),
        "no address": earlier("old", remote_addr=None),
        "the same network": earlier("old", remote_addr="198.51.100.200"),
        "this was refused": earlier(ONE, **NO),
        "this is a search": earlier(ONE, **SEARCH),
        "this has no address": earlier(ONE, remote_addr=None),
    },
    "everything": {
        "fewer": earlier(ONE, categories=["contact", "company"]),
        "asked for": earlier(ONE, event="request"),
        "refused": earlier(ONE, **NO),
    },
    "participants": {
        "another account": earlier("a", **THERE),
        "another access": earlier("a", grant_id=9),
        "a report": earlier("a", event="report", outcome="allowed"),
        "refused": earlier("a", **NO),
        "as many as that": earlier("a", records=[1, 2]),
        "passed already": earlier("a", records=[1, 2, 3, 6, 7]),
        "this was refused": earlier("a", records=[1, 2, 3, 6, 7]) | earlier(ONE, **NO),
        "this is a report": earlier("a", records=[1, 2, 3, 6, 7]) | earlier(ONE, event="report"),
        "under no access": earlier("a", ONE, event="search", grant_id=None, results=9),
    },
    "export": {
        "a report": earlier(ONE, event="report"),
        "refused": earlier(ONE, **NO),
        "a command's": earlier(ONE, member=None, session=None, source="prove (root)"),
    },
    "suspensions": {
        "another event": earlier("a", event="review"),
        "refused": earlier("a", **NO),
        "another's": earlier("a", member="K-0021"),
        "lifted": earlier("a", details={"suspended": [True, False]}),
        "another change": earlier("a", details={"roles": [["people"], []]}),
        "an hour": earlier("a", ago=HOUR),
        "this another event": earlier(ONE, event="review") | earlier("a", times=2),
        "this refused": earlier(ONE, **NO) | earlier("a", times=2),
        "this lifted": earlier(ONE, details={"suspended": [True, False]}) | earlier("a", times=2),
        "by the job": earlier("a", "b", ONE, member=None, session=None, source="gatekeeper"),
    },
    "unproved": {
        "refused": earlier(ONE, **NO),
        "without a session": earlier(ONE, event="end", session=None, source="gatekeeper"),
        "signing in": earlier(ONE, event="sign_in"),
        "signing out": earlier(ONE, event="sign_out"),
        "an ordinary change": earlier(ONE, event="change", details=None, object_repr="passkey added"),
        "a command's change": earlier(ONE, event="change", source="tests"),
    },
    "hours": {
        "refused": earlier(ONE, **NO),
        "an approval": earlier(ONE, event="approve"),
        "of no account": earlier(ONE, event="search", account=None, results=0),
    },
    "own_ticket": {
        "refused": earlier(ONE, **NO),
        "a view": earlier(ONE, event="view"),
        "another ticket": earlier(ONE, ticket="ZD-1"),
        "five minutes later": earlier(ONE, ago=-MINUTE),
    },
    **{
        rule: {
            "refused": earlier("a", **NO),
            "a view": earlier("a", event="view"),
            "another's": earlier("a", **HERS),
            "the fourth": earlier("a", times=2),
            "this was refused": earlier("a", times=2) | earlier(ONE, **NO),
            "this is a view": earlier("a", times=2) | earlier(ONE, event="view"),
        }
        for rule in ("first_days", "leaving")
    },
}  # fmt: skip


class Beside(NamedTuple):
    """What is otherwise, and the entries that are there as well."""

    changes: dict[str, dict[str, Any]]
    entries: dict[str, Given]


def beside(changes: dict[str, dict[str, Any]] | None = None, **entries: Given) -> Beside:
    return Beside(changes or {}, entries)


def hers(one: Given) -> Given:
    return replace(one, facts=one.facts | HERS)


ELSEWHERE = "198.51.100.9"  # the same network as the one's

#: By rule: what stands beside it, or an earlier run has judged already, so that it does not find the one.
NOT_BESIDE: dict[str, dict[str, Beside]] = {
    "harvest": {
        "they always did as much": beside(x=starts(40 * DAY, 5)),
        "they were in that week": beside(x=starts(DAY, 1)),
    },
    "same_account": {
        "it is the second under this ticket": beside(x=given("start", HOUR, ticket="ZD-3")),
        "it was a view": beside(earlier(ONE, event="view"), x=given("start", HOUR, ticket="ZD-3")),
        "it was refused": beside(earlier(ONE, **NO), x=given("start", HOUR, ticket="ZD-3")),
    },
    "brief": {"looked long before": beside(x=given("view", 2 * MINUTE))},
    "probing": {"the account is none more": beside(x=refused(HOUR, account="MOC-40003"))},
    "new_network": {"they were there": beside(x=given("view", DAY, remote_addr=ELSEWHERE))},
}

#: By rule: what stands beside it, or is nearly otherwise, and it finds the one all the same.
ALL_THE_SAME: dict[str, dict[str, Beside]] = {
    "volume": {
        "a usual day has others as well": beside(
            a=given("view", 4 * DAY, 9, **NO), b=given(ago=3 * DAY, times=9, **SEARCH), c=hers(views(2, 9))
        ),
        "long ago there was more": beside(a=views(91, 9)),
        "hardly anything is usual": beside(earlier("a", "b", "c", times=1) | earlier("today", times=2)),
        "the next night, within the longest day": beside(a=given("view", -12.5 * HOUR, 9)),
    },
    "harvest": {
        "who looked at others before": beside(a=given("view", 40 * DAY, 5, account="MOC-6000{}")),
        "who was refused others before": beside(a=given("start", 40 * DAY, 5, account="MOC-6000{}", **NO)),
        "who opened others long before": beside(a=given("start", 70 * DAY, 5, account="MOC-6000{}")),
        "looked in that week": beside(a=given("view", DAY)),
        "was refused in that week": beside(a=given("start", DAY, **NO)),
        "another had been in that week": beside(a=given("start", DAY, **HERS)),
    },
    "same_account": {
        "sixty days": beside(earlier("a", ago=60 * DAY)),
        "looked under this ticket": beside(x=given("view", HOUR, ticket="ZD-3")),
        "the fourth": beside(x=given("start", 7 * DAY, ticket="ZD-9")),
    },
    "brief": {
        "passed on": beside(earlier(ONE, details={"why": "ticket_not_yours"})),
        "looked twice": beside(x=given("view", SECOND)),
    },
    "alone": {
        "signed in before on that day": beside(x=signed_in(10 * DAY + HOUR)),
        "signed in again on that day": beside(x=signed_in(10 * DAY - 2 * HOUR)),
        "another was here": beside(x=hers(signed_in(6 * DAY)), y=hers(signed_in(14 * DAY))),
    },
    "refusals": {"nearly ten minutes": beside(earlier("a", ago=10 * MINUTE - SECOND))},
    "guesses": {"of another host": beside(earlier("a", remote_addr="192.0.2.200"))},
    "probing": {
        "seven days": beside(earlier("a", ago=7 * DAY)),
        "was let in there before": beside(x=given("view", HOUR, account="MOC-40003")),
        "the sixth": beside(x=refused(HOUR, 3, account="MOC-4001{}")),
    },
    "misses": {
        "seven days": beside(earlier("a", ago=7 * DAY)),
        "the sixth": beside(x=replace(none_found(HOUR), times=3)),
    },
    "same_pair": {
        "seven days": beside(earlier("a", ago=7 * DAY)),
        "whom another approver has": beside(x=approved(9, HOUR, member="K-0021", subject="K-0300")),
        "the sixth": beside(x=replace(approved(9, HOUR), times=3)),
    },
    "instant": {
        "seven days": beside(earlier("asked before", ago=7 * DAY + SECOND) | earlier("before", ago=7 * DAY)),
        "the fourth": beside(x=replace(approved(1, DAY - 9 * SECOND), times=2)),
    },
    "second_opinion": {"nearly a day": beside(earlier("no", ago=DAY - SECOND))},
    "new_network": {
        "four weeks": beside(earlier("old", ago=28 * DAY)),
        "used long ago": beside(x=given("view", 90 * DAY + SECOND, remote_addr=ELSEWHERE)),
        "refused there": beside(x=given("view", DAY, remote_addr=ELSEWHERE, **NO)),
        "searched there": beside(x=given(ago=DAY, remote_addr=ELSEWHERE, **SEARCH)),
        "another was there": beside(x=given("view", DAY, remote_addr=ELSEWHERE, **HERS)),
        "signing in": beside(earlier(ONE, event="sign_in")),
    },
    "everything": {"approved": beside(earlier(ONE, event="approve"))},
    "participants": {
        "a search": beside(earlier("a", ONE, event="search", results=9)),
        "as many as that before": beside(earlier("a", records=[1, 2, 3, 6])),
        "more later": beside(x=given("view", -SECOND, records=[8, 9])),
    },
    "suspensions": {"for some hours": beside(earlier("a", details={"suspended": [False, "2026-11-18"]}))},
    "unproved": {
        "another signed in": beside(x=hers(signed_in(HOUR))),
        "signed in later": beside(x=signed_in(-SECOND)),
        "signed in to another session": beside(x=given("sign_in", HOUR, account=None, session=9)),
        "signed in without a second factor": beside(
            x=given("sign_in", HOUR, account=None, factor=None, object_repr="password")
        ),
        "signed out": beside(x=given("sign_out", HOUR)),
        "a change with details": beside(earlier(ONE, event="change")),
        "more than twelve hours": beside(x=signed_in(12 * HOUR + SECOND)),
    },
    "first_days": {"one was refused": beside(x=given("start", HOUR, **NO))},
    "leaving": {"one was refused": beside(x=given("start", HOUR, **NO))},
    "own_ticket": {"nearly five minutes later": beside(earlier(ONE, ago=-(MINUTE - SECOND)))},
}


def write(past: Past, entries: dict[str, Given]) -> int:
    """Write them in the order of their moments; the number of the one (the last of its kind)."""
    found = 0
    for name, one in sorted(entries.items(), key=lambda item: -item[1].ago):
        for number in range(one.times):
            facts = dict(one.facts)
            if isinstance(account := facts.get("account"), str):
                facts["account"] = account.format(number)
            written = past.write(facts.pop("event"), NOON.astimezone(UTC) - one.ago, **facts)
            found = written if name == ONE else found
    return found


def changed(entries: dict[str, Given], changes: dict[str, dict[str, Any]]) -> dict[str, Given]:
    def change(one: Given, facts: dict[str, Any]) -> Given:
        own = {name: facts[name] for name in ("ago", "times") if name in facts}
        return replace(one, facts=one.facts | {k: v for k, v in facts.items() if k not in own}, **own)

    return {name: change(one, changes.get(name, {})) for name, one in entries.items()}


def with_beside(rule: str, what: Beside) -> dict[str, Given]:
    more = {f"beside {name}": one for name, one in what.entries.items()}
    return changed(CASES[rule].entries, what.changes) | more


@pytest.fixture
def past(setup_connection: Connection) -> Past:
    made = Past(setup_connection)
    World(setup_connection).ticket(number="ZD-10001", opened_by="K-0193", opened_at=NOON - 4 * MINUTE)
    return made


def is_found(
    past: Past,
    thresholds: Thresholds,
    rule: str,
    entries: dict[str, Given],
    *,
    is_judged: bool = False,
    **days: date,
) -> bool:
    """Whether the rule finds the one.

    `is_judged`: an earlier run has judged the others. `days`: of whom the entries are that name nobody.
    """
    days = days or DAYS.get(rule, {})
    if days:
        person = past.world.member("consultant", **dict[str, Any](days))
        entries = {
            name: replace(one, facts={"member": person.number} | one.facts) for name, one in entries.items()
        }
    thresholds({rule: CASES[rule].thresholds})
    if is_judged:
        write(past, {name: other for name, other in entries.items() if name != ONE})
        finding.find("tests")
        entries = {ONE: entries[ONE]}
    one = write(past, entries)
    finding.find("tests")
    return Flag.objects.filter(rule=rule, entry=one).exists()


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_finds_what_it_says(past: Past, thresholds: Thresholds, rule: str) -> None:
    assert is_found(past, thresholds, rule, CASES[rule].entries)


@pytest.mark.parametrize(("rule", "how"), [(rule, how) for rule in OTHERWISE for how in OTHERWISE[rule]])
def test_with_one_thing_otherwise_it_does_not(
    past: Past, thresholds: Thresholds, rule: str, how: str
) -> None:
    assert not is_found(past, thresholds, rule, changed(CASES[rule].entries, OTHERWISE[rule][how]))


@pytest.mark.parametrize(("rule", "how"), [(rule, how) for rule in NOT_BESIDE for how in NOT_BESIDE[rule]])
@pytest.mark.parametrize("is_judged", [True, False])
def test_what_stands_beside_it_makes_it_none(
    past: Past, thresholds: Thresholds, rule: str, how: str, is_judged: bool
) -> None:
    entries = with_beside(rule, NOT_BESIDE[rule][how])
    assert not is_found(past, thresholds, rule, entries, is_judged=is_judged)


@pytest.mark.parametrize(
    ("rule", "how"), [(rule, how) for rule in ALL_THE_SAME for how in ALL_THE_SAME[rule]]
)
def test_what_stands_beside_it_changes_nothing(
    past: Past, thresholds: Thresholds, rule: str, how: str
) -> None:
    assert is_found(past, thresholds, rule, with_beside(rule, ALL_THE_SAME[rule][how]))


@pytest.mark.parametrize(
    ("rule", "day", "days", "found"),
    [
        ("first_days", "starts_on", -9, True),
        ("first_days", "starts_on", -10, False),
        ("leaving", "left_on", 9, True),
        ("leaving", "left_on", 10, False),
    ],
)
def test_the_first_and_the_last_days_are_ten(
    past: Past, thresholds: Thresholds, rule: str, day: str, days: int, found: bool
) -> None:
    given_days: dict[str, Any] = {day: TODAY + timedelta(days=days)}
    assert is_found(past, thresholds, rule, CASES[rule].entries, **given_days) == found


def test_what_was_before_the_last_ten_days_is_not_counted(past: Past, thresholds: Thresholds) -> None:
    entries = changed(CASES["leaving"].entries, earlier("a", ago=13 * HOUR))
    assert not is_found(past, thresholds, "leaving", entries, left_on=TODAY + timedelta(days=9))


#: What is otherwise with the first of two accesses that nobody opened, so that the second is not the second.
NOT_UNOPENED: dict[str, dict[str, Any]] = {
    "opened": {"opened_at": NOON},
    "long ago": {"ended_at": NOON - 40 * DAY},
    "not ended": {"ended_at": None},
    "another's": {"member_id": None},
}


@pytest.mark.parametrize("how", NOT_UNOPENED)
def test_an_access_that_was_opened_or_ended_long_ago_is_not_counted(
    setup_connection: Connection, thresholds: Thresholds, how: str
) -> None:
    thresholds({"unopened": {"count": 2}})
    scene = Scene(setup_connection)
    first = scene.approved()
    assert grants.end(scene.caller, first) == ""
    facts = NOT_UNOPENED[how]
    if "member_id" in facts:
        facts = {"member_id": scene.world.member("consultant").id}
    scene.world.quietly("gatekeeper_grant", first, **facts)
    assert grants.end(scene.caller, scene.approved()) == ""
    finding.find("tests")
    assert not Flag.objects.filter(rule="unopened").exists()


def test_every_second_that_nobody_opened_is_found_and_no_other(
    setup_connection: Connection, thresholds: Thresholds
) -> None:
    thresholds({"unopened": {"count": 2}})
    scene = Scene(setup_connection)
    ends = []
    for is_opened in (False, False, True, False):
        assert grants.end(scene.caller, scene.opened() if is_opened else scene.approved()) == ""
        ends.append(newest("end").pk)
    finding.find("tests")
    assert list(Flag.objects.filter(rule="unopened").values_list("entry", flat=True)) == [ends[1]]


@pytest.mark.parametrize(
    ("changes", "found"),
    [({}, True), ({"event": "withdraw"}, False), ({"outcome": "refused", "reason": "grant_ended"}, False)],
)
def test_only_the_end_of_an_access_says_that_it_was_never_opened(
    setup_connection: Connection, thresholds: Thresholds, changes: dict[str, Any], found: bool
) -> None:
    thresholds({"unopened": {"count": 1}})
    scene = Scene(setup_connection)
    scene.approved()
    assert grants.end(scene.caller, scene.grant) == ""
    again = {"event": "end", "outcome": "allowed", "subject": "K-0193"} | changes
    one = entry(scene.world, grant_id=scene.grant, **again)
    finding.find("tests")
    assert Flag.objects.filter(rule="unopened", entry=one).exists() == found
