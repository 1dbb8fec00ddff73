"""Who works when: teams with hours and time zones of their own; absences, joiners, leavers. By seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

#: Zone, first and last hour of the shifts (beyond 24: the next morning), and whether it works all week.
#: Two shifts take turns by the week.
SHIFTS: Final = (
    ("Europe/Vilnius", ((8, 17),), False),
    ("Europe/Warsaw", ((9, 17),), False),
    ("Europe/Vilnius", ((6, 14), (14, 22)), True),
    ("Europe/Lisbon", ((9, 18),), False),
    ("America/New_York", ((8, 17),), False),
    ("Europe/Warsaw", ((22, 30),), True),
    ("Europe/Warsaw", ((7, 15), (12, 20)), False),
)
#: Days on which most stay at home, by month and day.
HOLIDAYS: Final = frozenset({(1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (12, 24), (12, 25), (12, 26)})
HOUR: Final = 3600
DAY: Final = 24 * HOUR
FOREVER: Final = 10**6


@dataclass(eq=False)
class Member:
    """One of the staff. `address`: whence they work."""

    id: int
    number: str
    role: str
    address: str
    absent: set[int] = field(default_factory=set)  # days, counted from the first of the year


@dataclass(eq=False)
class Team:
    """One manager's people. `hours`: what the setting says of them, an hour wider than the shifts."""

    manager: Member
    deputy: Member
    zone: ZoneInfo
    shifts: tuple[tuple[int, int], ...]
    all_week: bool
    people: list[Consultant] = field(default_factory=list)

    @property
    def hours(self) -> str:
        begins = min(begin for begin, _end in self.shifts) - 1
        ends = max(end for _begin, end in self.shifts) + 1
        days = "1-7" if self.all_week else "1-5"
        return f"{begins}-{ends % 24 if ends > 24 else ends} {days} {self.zone.key}"

    def shift(self, week: int, place: int) -> tuple[int, int]:
        """The shift of one member in one week."""
        return self.shifts[(week + place) % len(self.shifts)]


@dataclass(eq=False)
class Consultant(Member):
    """`pace`: accesses on an ordinary day; `weekdays`: the roster's; `joins`, `leaves`: first, last day."""

    team: Team = field(kw_only=True)
    pace: float = 4.0
    weekdays: frozenset[int] = frozenset(range(5))
    joins: int = -FOREVER
    leaves: int = FOREVER
    second: str = ""  # another network of theirs: the telephone's
    misused: bool = False

    @property
    def place(self) -> int:
        return self.team.people.index(self)


@dataclass(eq=False)
class Company:
    """All of it, from its first day on."""

    first: date
    days: int
    teams: list[Team]
    reviewers: list[Member]

    @property
    def consultants(self) -> list[Consultant]:
        return [one for team in self.teams for one in team.people]

    def date(self, day: int) -> date:
        return self.first + timedelta(days=day)

    def midnight(self, day: int, zone: ZoneInfo) -> float:
        """The moment at which a day begins somewhere."""
        return _midnight(self.date(day), zone)

    def is_holiday(self, day: int) -> bool:
        at = self.date(day)
        return (at.month, at.day) in HOLIDAYS

    def works(self, who: Consultant, day: int) -> bool:
        """Whether somebody is at work on a day, holidays aside."""
        at = self.date(day)
        return who.joins <= day <= who.leaves and day not in who.absent and at.weekday() in who.weekdays


@lru_cache(maxsize=10_000)
def _midnight(at: date, zone: ZoneInfo) -> float:
    return datetime(at.year, at.month, at.day, tzinfo=zone).timestamp()


def absences(rng: Random, days: int) -> set[int]:
    """Holidays in two or three blocks, and some days ill."""
    found: set[int] = set()
    for _ in range(max(1, round(rng.choice((2, 3)) * days / 365))):
        begins = rng.randrange(days)
        found |= set(range(begins, begins + rng.choice((5, 9, 12, 16))))
    for _ in range(round(rng.expovariate(1 / (2 * days / 365)))):
        begins = rng.randrange(days)
        found |= set(range(begins, begins + rng.randint(1, 5)))
    return found
