"""Lets the rules, which are the database's own, judge a year that was played; counts what they found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from gatekeeper.access.request_notes import notes
from gatekeeper.installation.checks import limits_wanted
from gatekeeper.models import AccessRequest
from gatekeeper.reviews import finding

if TYPE_CHECKING:
    from tests.conftest import Connection
    from tests.world.year import Year

#: A rule that finds something in more accesses than this is none; and so many reviews is a reviewer's week.
SHARE: Final = 0.02
REVIEWS: Final = 40
NOTES: Final = 1000
#: Rules about how much somebody did.
AMOUNTS: Final = (
    *("volume", "harvest", "same_pair", "instant", "first_days", "leaving"),
    *("probing", "misses", "unopened"),
)
#: Each flag with the unit in which it stands, as the queue has it: the grant, or the actor's day.
_FLAGS: Final = """
    CREATE TEMPORARY TABLE found AS
    SELECT f.rule, f.entry, e."timestamp" AS at,
        coalesce(x.id::text, e.actor_id || ' ' || e."timestamp"::date) AS unit
    FROM audit_flag f JOIN audit_entry e ON e.id = f.entry
        CROSS JOIN LATERAL (
            SELECT gatekeeper.grant_of(e.grant_id, e.account, e.actor_id, e.event, e.outcome)) AS x (id)
"""
#: What flags an entry of the misuse; or says of the member that it is too much, at whichever access that was.
_CAUGHT: Final = """
    SELECT DISTINCT f.rule FROM audit_flag f WHERE f.entry = ANY (%(entries)s)
    UNION SELECT f.rule FROM audit_flag f JOIN audit_entry e ON e.id = f.entry
    WHERE f.rule = ANY (%(amounts)s) AND %(who)s IN (e.member, e.subject)
        AND e."timestamp" BETWEEN %(since)s AND %(until)s
"""
_RULES: Final = "SELECT rule, count(DISTINCT unit) FROM found GROUP BY rule"
_WEEKS: Final = """
    SELECT count(*) FROM (SELECT unit, min(at) AS at FROM found WHERE unit IS NOT NULL GROUP BY unit) u
    GROUP BY date_trunc('week', at) ORDER BY 1 DESC
"""
_DAYS: Final = """
    SELECT percentile_disc(ARRAY[0.5, 0.99, 0.999]) WITHIN GROUP (ORDER BY accounts), max(accounts),
        percentile_disc(ARRAY[0.5, 0.99, 0.999]) WITHIN GROUP (ORDER BY pairs), max(pairs)
    FROM (SELECT count(DISTINCT e.account) AS accounts, count(DISTINCT (e.account, x.field)) AS pairs
        FROM audit_entry e CROSS JOIN LATERAL unnest(e.fields) AS x (field)
        WHERE e.event IN ('view', 'search') AND e.outcome = 'allowed' AND NOT e.id = ANY (%s)
        GROUP BY e.member, ("timestamp" AT TIME ZONE %s)::date) d
"""


@dataclass
class Measures:
    """What the rules made of a year. `days`: p50, p99, p99.9 and the most, of days without misuse."""

    accesses: int
    weeks: float
    reviewers: int
    rules: dict[str, float]
    queued: float
    queued_most: float
    kinds: dict[str, tuple[int, int, list[str]]]
    days: dict[str, tuple[int, int, int, int]]
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every rule is one, reviewers can keep up, and no misuse was missed."""
        return (
            all(share <= SHARE for share in (*self.rules.values(), *self.notes.values()))
            and self.queued_most <= REVIEWS
            and all(caught == planted for caught, planted, _by in self.kinds.values())
        )


def measure(setup: Connection, year: Year) -> Measures:
    """Judge all of the log, and count."""
    _set_hours(setup, year)
    finding.find("tests")
    setup.execute(_FLAGS)
    weeks, reviewers = year.company.days / 7, len(year.company.reviewers)
    queued = [count / reviewers for (count,) in setup.execute(_WEEKS).fetchall()]
    return Measures(
        accesses=year.grants,
        weeks=weeks,
        reviewers=reviewers,
        rules={rule: count / year.grants for rule, count in setup.execute(_RULES).fetchall()},
        queued=sum(queued) / weeks,
        queued_most=max(queued, default=0),
        kinds=_caught(setup, year),
        days=_days(setup, year),
        notes=_notes(year),
    )


def _set_hours(setup: Connection, year: Year) -> None:
    """The hours of each team, as `apply_settings` would write them."""
    settings.TEAM_HOURS = {team.manager.number: team.hours for team in year.company.teams}
    for name, value in limits_wanted().items():
        setup.execute(
            "INSERT INTO audit_limit (name, value) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [name, value],
        )


def _caught(setup: Connection, year: Year) -> dict[str, tuple[int, int, list[str]]]:
    """Of each kind: how many were caught, how many planted, and by which rules."""
    found: dict[str, tuple[int, int, list[str]]] = {}
    for one in year.episodes:
        until = year.company.date(one.days[-1]) + timedelta(days=8)
        given: dict[str, Any] = {
            "entries": one.entries,
            "who": one.who.number,
            "amounts": list(AMOUNTS) * one.kind.amount,
        }
        given |= {"since": year.company.date(one.days[0]), "until": until}
        rules = [rule for (rule,) in setup.execute(_CAUGHT, given).fetchall()]
        caught, planted, by = found.get(one.kind.name, (0, 0, []))
        found[one.kind.name] = caught + bool(rules), planted + 1, sorted({*by, *rules})
    return found


def _days(setup: Connection, year: Year) -> dict[str, tuple[int, int, int, int]]:
    planted = [entry for one in year.episodes for entry in one.entries]
    row: Any = setup.execute(_DAYS, [planted, settings.TIME_ZONE]).fetchone()
    return {"accounts": (*row[0], row[1]), "accounts with fields": (*row[2], row[3])}


def _notes(year: Year) -> dict[str, float]:
    """How often each note stands on a card of those who do nothing wrong; of a sample, for each costs two
    questions."""
    said = dict.fromkeys(("account", "week"), 0)
    numbers = range(1, year.grants + 1, max(1, year.grants // NOTES))
    others = [who.id for who in year.company.consultants if not who.misused]
    asked_for = AccessRequest.objects.select_related("member").filter(pk__in=numbers, member__in=others)
    for asked in asked_for:
        for name in notes(asked):
            said[name] += 1
    return {name: count / max(1, len(asked_for)) for name, count in said.items()}
