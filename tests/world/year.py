"""Plays a year: hires everybody, lets them work day by day, and puts what some do beside it. By seed."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from tests.world.company import DAY, FOREVER, HOUR, SHIFTS, Company, Consultant, Member, Team, absences
from tests.world.facts import Person, World
from tests.world.misuse import KINDS, Kind
from tests.world.store import Store
from tests.world.work import Access, Work

if TYPE_CHECKING:
    from tests.conftest import Connection

#: The last day is so long ago that none of it lies in the future.
LAST: Final = date(2026, 10, 31)
TEAM: Final = 9


@dataclass
class Episode:
    """One planted misuse: its kind, who, the days on which it is played, and its entries' numbers."""

    kind: Kind
    who: Consultant
    days: list[int]
    entries: list[int] = field(default_factory=list)


@dataclass
class Year:
    """What was played."""

    company: Company
    episodes: list[Episode]
    grants: int


def play(setup: Connection, seed: int, *, consultants: int = 200, days: int = 365, each: int = 5) -> Year:
    """Write a company's year into an empty database; `each`: how often each kind of misuse is planted."""
    rng = Random(f"{seed}/{consultants}/{days}")  # noqa: S311  # nothing here is secret
    company = _found(World(setup), rng, consultants, days)
    # First those that ask for somebody of their own; the others are anybody's, beside.
    kinds = sorted(KINDS, key=lambda kind: not kind.alone)
    episodes = [_plant(rng, company, kind) for kind in kinds for _ in range(each)]
    store = Store(setup)
    work = Work(company, rng, store)
    played: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, one in enumerate(episodes, start=1):
        for nth, day in enumerate(one.days):
            played[day].append((number, nth))
    for day in range(days):
        load = work.load(day)
        for who in company.consultants:
            _day(work, who, day, load)
        for number, nth in played[day]:
            one = episodes[number - 1]
            one.kind.act(work, one.who, day, nth, number)
        if day % 7 == 6:
            work.flush(company.midnight(day, ZoneInfo("UTC")) - DAY)
    work.flush(float("inf"))
    store.finish()
    for number, one in enumerate(episodes, start=1):
        one.entries = store.marked[number]
    _dates(setup, company)
    return Year(company, episodes, work.grants)


# People


def _found(world: World, rng: Random, consultants: int, days: int) -> Company:
    first = LAST - timedelta(days=days - 1)
    boss = world.member("manager")
    reviewers = [
        Member((one := world.member("reviewer")).id, one.number, "reviewer", "198.51.1.9")
        for _ in range(max(2, consultants // 100))
    ]
    company = Company(first, days, [], reviewers)
    managers = []
    for place in range(max(2, round(consultants / TEAM))):
        one = world.member("manager", manager=boss)
        managers.append(Member(one.id, one.number, "manager", f"198.51.{place + 10}.1", absences(rng, days)))
    for place, manager in enumerate(managers):
        zone, shifts, all_week = SHIFTS[place % len(SHIFTS)] if place else SHIFTS[0]
        deputy = managers[(place + 1) % len(managers)]
        company.teams.append(Team(manager, deputy, ZoneInfo(zone), shifts, all_week))
    for nth in range(consultants):
        team = company.teams[min(int(len(managers) * rng.random()), len(managers) - 1)] if nth >= 2 * len(
            managers
        ) else company.teams[nth % len(managers)]  # fmt: skip
        team.people.append(_hire(world, rng, company, team))
    return company


def _hire(world: World, rng: Random, company: Company, team: Team) -> Consultant:
    one = world.member("consultant", manager=_person(team))
    office = f"198.51.{100 + company.teams.index(team) % 5}.{rng.randint(2, 250)}"
    home = _line(rng, 10, 50)
    rota = frozenset(rng.sample(range(7), 5)) if team.all_week else frozenset(range(5))
    if rng.random() < 0.12:  # part of the week
        rota = frozenset(rng.sample(sorted(rota), 3))
    who = Consultant(one.id, one.number, "consultant", office if rng.random() < 0.55 else home,
                     absences(rng, company.days), team=team, weekdays=rota,
                     pace=4 * rng.lognormvariate(0, 0.22))  # fmt: skip
    who.second = _line(rng, 100, 130)
    if rng.random() < 0.1 * company.days / 365:
        who.joins = rng.randrange(company.days)
    elif rng.random() < 0.1 * company.days / 365:
        who.leaves = rng.randrange(30, company.days)
    return who


def _line(rng: Random, first: int, last: int) -> str:
    """An address of a network that is nobody else's."""
    return f"{rng.randint(first, last)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(2, 250)}"


def _person(team: Team) -> Person:
    return Person(team.manager.id, team.manager.number)


def _dates(setup: Connection, company: Company) -> None:
    """First and last days, past the triggers: a leaving of long ago would end what has ended."""
    with setup.transaction():
        setup.execute("SET LOCAL session_replication_role = replica")
        for who in company.consultants:
            starts = company.date(who.joins) if who.joins > 0 else date(2020, 1, 1)
            left = company.date(who.leaves) if who.leaves < company.days else None
            setup.execute(
                "UPDATE staff_member SET starts_on = %s, left_on = %s WHERE id = %s", [starts, left, who.id]
            )


# Days


def _day(work: Work, who: Consultant, day: int, load: float) -> None:
    """One member's day of work, if it is one."""
    company, rng = work.company, work.rng
    if not company.works(who, day) or (company.is_holiday(day) and rng.random() < 0.9):
        return
    usual = _address(who, rng)
    begins, _ends = work.window(who, day)
    work.session(who, begins + rng.uniform(0, 20) * 60, who.address)
    if rng.random() < 0.02:  # a password mistyped
        work.entry(begins, "sign_in_failed", None, "refused", reason="password_wrong", address=who.address,
                   object_repr="password")  # fmt: skip
    pace = who.pace * load * rng.lognormvariate(0, 0.3)
    pace *= min(1.0, 0.3 + 0.05 * (day - who.joins))  # who is new looks over a shoulder
    if who.leaves - day < 10:
        pace *= 0.5
    for at in sorted(work.moment(who, day) for _ in range(_poisson(rng, pace))):
        _one(work, who, day, at)
    who.address = usual


def _one(work: Work, who: Consultant, day: int, at: float) -> None:
    rng = work.rng
    if rng.random() < 0.002:  # something was forgotten, and is looked up in the evening
        at = work.window(who, day)[1] + rng.uniform(1.2, 3) * HOUR
    ticket = work.next_ticket(who, at)
    if rng.random() < 0.02:  # a gate that was shut, tried once more
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            work.refused(who, at - rng.uniform(5, 90), ticket.account)
    denied = who.team.manager if rng.random() < 0.01 else None
    last = work.access(who, at, Access(ticket=ticket, opened=rng.random() > 0.03, denied_by=denied,
                                       by=who.team.manager if denied else None))  # fmt: skip
    if rng.random() < 0.05:  # a field was forgotten: the same again
        work.access(who, last + rng.uniform(2, 30) * 60, Access(ticket=ticket, views=1))


def _address(who: Consultant, rng: Random) -> str:
    """Whence somebody works today; returns whence they usually do."""
    chance = rng.random()
    if chance < 0.004:  # a new line at home
        who.address = _line(rng, 10, 50)
    usual = who.address
    if 0.004 < chance < 0.006:  # a journey
        who.address = _line(rng, 140, 170)
    elif chance > 0.93:
        who.address = who.second
    return usual


def _poisson(rng: Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


# Misuse


def _plant(rng: Random, company: Company, kind: Kind) -> Episode:
    """Choose who, and when; what the kind needs (a leave, a first day) is made so."""
    for _ in range(10_000):
        who = rng.choice(company.consultants)
        changed = who.joins >= 0 or who.leaves < company.days
        if kind.alone and (who.misused or (changed and kind.where != "join")):
            continue
        if kind.where == "weekend" and who.team.all_week:
            continue
        begins = rng.randrange(kind.after, max(kind.after + 1, company.days - 2 * kind.days - 20))
        days = _days(company, who, kind, begins)
        if len(days) == kind.days:
            who.misused |= kind.alone
            return Episode(kind, who, days)
    raise LookupError(f"nobody is left for {kind.name}")


def _days(company: Company, who: Consultant, kind: Kind, begins: int) -> list[int]:
    """The days on which it is played, with what they need about them."""
    if kind.where == "leave":
        who.absent |= set(range(begins - 9, begins + 10))
        who.absent -= set(range(begins - 16, begins - 9)) | set(range(begins + 10, begins + 17))
        return [begins]
    if kind.where == "weekend":
        return [begins + (5 - company.date(begins).weekday()) % 7]
    if kind.where == "join":
        who.joins, who.leaves = begins, FOREVER
    if kind.alone:
        who.absent -= set(range(begins - 30, begins + 3 * kind.days + 10))
    days = [day for day in range(begins, company.days - 3) if company.works(who, day)][: kind.days]
    if kind.where == "last" and days:
        who.leaves = days[-1]
    return days
