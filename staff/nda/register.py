"""The register of agreements: who has one in force, as of any moment, and what a new version changes.

The database says it all (`staff/nda/sql/register.sql`); here it is put beside the members, for people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from audit.database import call, calls, rows
from staff.frame.days import beginning_of
from staff.models import Member, Signature

ENDING: Final = timedelta(days=30)


class State(models.TextChoices):
    """The status of a member in the register."""

    VALID = "valid", pgettext_lazy("register", "valid")
    ENDING = "ending", pgettext_lazy("register", "ending within 30 days")
    OLD_VERSION = "old_version", pgettext_lazy("register", "old version")
    MISSING = "missing", pgettext_lazy("register", "missing")


@dataclass(frozen=True)
class Line:
    """One member in the register. `signature` is the one in force, or the newest; `reason` is the
    gate's code where none is in force; `ends` when it is or was over, None where it never counted;
    `waits` that one waits for a second person."""

    member: Member
    state: State
    signature: Signature | None
    ends: datetime | None
    reason: str
    waits: bool

    @property
    def in_force_until(self) -> datetime | None:
        """When what is in force ends; None where nothing is."""
        return None if self.reason else self.ends


class _Status(NamedTuple):
    member: int
    signature: int | None
    reason: str
    ends: datetime | None
    required: bool  # it is of the version that is
    waits: bool


def line_of(member: Member, *, at: datetime | None = None) -> Line:
    """How a member stands at a moment, now unless it is given."""
    [line] = lines_of([member], at=at)
    return line


def lines_of(members: Iterable[Member], *, at: datetime | None = None) -> Iterator[Line]:
    """The same of several, in their order, by one question to the database."""
    listed, moment = list(members), at or timezone.now()
    found = calls("staff.nda_status_at", at=moment, members=[member.pk for member in listed], into=_Status)
    status = {one.member: one for one in found}
    numbers = [one.signature for one in found if one.signature]
    signatures = Signature.objects.defer("evidence").in_bulk(numbers)
    for member in listed:
        yield _line(member, status[member.pk], signatures, moment)


def _line(member: Member, found: _Status, signatures: Mapping[int, Signature], at: datetime) -> Line:
    _member, number, reason, ends, required, waits = found
    return Line(member, _state(reason, ends, required, at), signatures.get(number or 0), ends, reason, waits)


def _state(reason: str, ends: datetime | None, required: bool, at: datetime) -> State:
    if reason == "nda_old_version" or (not reason and not required):
        return State.OLD_VERSION
    if reason or ends is None:
        return State.MISSING
    return State.ENDING if ends - at < ENDING else State.VALID


def agreement_ends(member: Member) -> datetime:
    """When the agreement of a member who has one in force will end, with all that takes over from it."""
    ends: datetime
    ends = call("staff.agreement_ends", member=member.pk)
    return ends


@dataclass(frozen=True)
class Given:
    """One signature as it stands now: `withdrawn`, `in_force`, `waits`, `recalled` (its version was),
    `to_come` (its version is not required yet), `old_version`, or `expired`; `ends` is when it is over."""

    signature: Signature
    state: str
    ends: datetime


def signatures_of(member: Member) -> list[Given]:
    """All that a member has signed, newest first."""
    now = timezone.now()
    states = {
        number: (state, ends) for number, state, ends in rows(_STATES, {"at": now, "member": member.pk})
    }
    return [Given(one, *states[one.pk]) for one in member.signatures.defer("evidence") if one.pk in states]


_STATES: Final = """
    SELECT x.id, CASE WHEN x.withdrawn THEN 'withdrawn' WHEN x.runs THEN 'in_force' WHEN x.waits THEN 'waits'
        WHEN v.recalled_at IS NOT NULL THEN 'recalled' WHEN NOT x.tells THEN 'to_come'
        WHEN x.counts AND s.valid_until > %(at)s THEN 'old_version'
        ELSE 'expired' END, x.ends
    FROM staff.signatures_at(%(at)s::timestamptz, ARRAY[%(member)s]::bigint[]) x
        JOIN staff_signature s ON s.id = x.id LEFT JOIN staff_ndaversion v ON v.number = x.version
"""


def lines(*, at: datetime) -> Iterator[Line]:
    """All who were members at a moment, by number. A member who has come back since is there, too:
    when they were away the log alone knows."""
    day = timezone.localdate(at)
    there = Q(created_at__lte=at) | Q(starts_on__lte=day) | Q(signatures__signed_at__lte=at)
    return lines_of(Member.objects.filter(there).exclude(left_on__lt=day).distinct(), at=at)


def moment_of(day: date) -> datetime:
    """The moment that a day of the company's means: its end, and for today the present one."""
    return min(beginning_of(day + timedelta(days=1)) - timedelta(microseconds=1), timezone.now())


def last_day(ends: datetime) -> date:
    """The last day, of the company's, of what ends at a moment."""
    return timezone.localdate(ends - timedelta(microseconds=1))


class _Blocked(NamedTuple):
    at: datetime
    members: int


def blocked_by_version(*, effective_at: datetime, grace_days: int) -> list[tuple[datetime, int]]:
    """Count members whom a new version would block unless they sign it: (moment, members) pairs."""
    return [
        *calls("staff.blocked_by_version", effective_at=effective_at, grace_days=grace_days, into=_Blocked)
    ]


def counts(found: Iterable[Line]) -> dict[str, int]:
    """How many stand how."""
    counted = Counter(str(line.state) for line in found)
    return {str(state): counted[str(state)] for state in State}
