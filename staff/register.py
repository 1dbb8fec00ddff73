"""The register of agreements: who has one in force, as of any moment, and what a new version changes.

For people to read. The gate asks the database (`vault.signature_in_force`); the life cycle's test
holds the two together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import models
from django.db.models import Prefetch, Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from staff.days import beginning_of
from staff.models import Member, NdaVersion, Signature

ENDING: Final = timedelta(days=30)


class State(models.TextChoices):
    """How a member stands in the register."""

    VALID = "valid", pgettext_lazy("register", "valid")
    ENDING = "ending", pgettext_lazy("register", "ending within 30 days")
    OLD_VERSION = "old_version", pgettext_lazy("register", "old version")
    MISSING = "missing", pgettext_lazy("register", "missing")


@dataclass(frozen=True)
class Line:
    """One member in the register. `signature` is the one in force, or the newest; `reason` is the
    gate's code where none is in force; `waits` that one waits for a second person."""

    member: Member
    state: State
    signature: Signature | None
    ends: datetime | None
    reason: str
    waits: bool


def end_of(signature: Signature, versions: Sequence[NdaVersion]) -> datetime:
    """When a signature is over, withdrawal aside: its term, or what newer versions leave it.

    `versions` that are not recalled, in any order; `vault.signature_ends` has the same.
    """
    ends = [signature.valid_until]
    own = next((one for one in versions if one.number == signature.version_id), None)
    if own is not None:
        newer = sorted((v for v in versions if v.effective_at > own.effective_at), key=_effective)
        ends += [one.effective_at + timedelta(days=one.grace_days) for one in newer[:1]]
        ends += [one.effective_at for one in newer[1:2]]
    return min(ends)


def runs(signature: Signature, versions: Sequence[NdaVersion], *, at: datetime) -> bool:
    """Whether this signature is in force at a moment."""
    if signature.withdrawn_at is not None and signature.withdrawn_at <= at:
        return False
    if signature.counts_from is None or not signature.counts_from <= at < end_of(signature, versions):
        return False
    if signature.version_id is None:  # a founder's
        return True
    own = next((one for one in versions if one.number == signature.version_id), None)
    return own is not None and own.effective_at <= at


def standing(*, at: datetime | None = None) -> list[NdaVersion]:
    """The versions that stand, or stood at a moment: known then, and not recalled. Without their texts."""
    moment = at or timezone.now()
    known = Q(published_at__lte=moment) | Q(effective_at__lte=moment)  # one taken over is older than its row
    recalled = Q(recalled_at__isnull=True) | Q(recalled_at__gt=moment)
    return list(NdaVersion.objects.filter(known & recalled).defer("text_en", "text_pl"))


def line_of(member: Member, versions: Sequence[NdaVersion], *, at: datetime) -> Line:
    """How a member stands at a moment; the member's signatures are best fetched beforehand."""
    given = [one for one in member.signatures.all() if one.signed_at <= at and _was_known(one, at)]
    running = [one for one in given if runs(one, versions, at=at)]
    waits = any(_waited(one, at) for one in given)
    if not running:
        newest = _newest(given, versions, at)
        reason = _why_none(newest, at)
        state = State.OLD_VERSION if reason == "nda_old_version" else State.MISSING
        return Line(member, state, newest, _ended(newest, versions, at), reason, waits)
    best = max(running, key=lambda one: (end_of(one, versions), one.pk))
    ends = end_of(best, versions)
    return Line(member, _state(best, ends, versions, at), best, ends, "", waits)


def lines(*, at: datetime) -> Iterator[Line]:
    """All who were members at a moment, by number. A member who has come back since is there, too:
    when they were away the log alone knows."""
    day = timezone.localdate(at)
    there = Q(created_at__lte=at) | Q(starts_on__lte=day) | Q(signatures__signed_at__lte=at)
    found = (
        Member.objects.filter(there)
        .exclude(left_on__lt=day)
        .distinct()
        .prefetch_related(Prefetch("signatures", Signature.objects.defer("evidence")))
    )
    versions = standing(at=at)
    for member in found:
        yield line_of(member, versions, at=at)


def moment_of(day: date) -> datetime:
    """The moment that a day means: its end, and for today the present one (DESIGN §3)."""
    return min(beginning_of(day + timedelta(days=1)) - timedelta(microseconds=1), timezone.now())


def last_day(ends: datetime) -> date:
    """The last day of what ends at a moment."""
    return timezone.localdate(ends - timedelta(microseconds=1))


def shut_out(
    *, number: int, effective_at: datetime, grace_days: int, now: datetime | None = None
) -> list[tuple[datetime, int]]:
    """Whom a new version would shut out unless they sign it: the moments and how many at each.

    Counted are members whose signature in force would have run longer without it.
    """
    at = now or timezone.now()
    before = standing(at=at)
    after = [*before, NdaVersion(number=number, effective_at=effective_at, grace_days=grace_days)]
    moments: Counter[datetime] = Counter()
    for line in lines(at=at):
        if line.reason or line.signature is None:
            continue
        given = line.member.signatures.all()
        mine = [one for one in given if one.counts_from is not None and one.withdrawn_at is None]
        last = max(end_of(one, before) for one in mine)
        cut = max(end_of(one, after) for one in mine)
        if cut < last and (line.member.left_on is None or beginning_of(line.member.left_on) >= cut):
            moments[cut] += 1
    return sorted(moments.items())


def counts(found: Iterable[Line]) -> dict[str, int]:
    """How many stand how."""
    counted = Counter(str(line.state) for line in found)
    return {str(state): counted[str(state)] for state in State}


def _effective(version: NdaVersion) -> datetime:
    return version.effective_at


def _ended(newest: Signature | None, versions: Sequence[NdaVersion], at: datetime) -> datetime | None:
    """When the one that was in force ended; None where none has ever counted."""
    if newest is None or newest.counts_from is None or newest.counts_from > at:
        return None
    return min(filter(None, (end_of(newest, versions), newest.withdrawn_at)))


def _state(best: Signature, ends: datetime, versions: Sequence[NdaVersion], at: datetime) -> State:
    required = max((v for v in versions if v.effective_at <= at), key=_effective, default=None)
    if required is not None and best.version_id is not None and best.version_id != required.number:
        return State.OLD_VERSION
    return State.ENDING if ends - at < ENDING else State.VALID


def _was_known(signature: Signature, at: datetime) -> bool:
    """Taken over from elsewhere it may count from before it was entered."""
    counted = signature.counts_from is not None and signature.counts_from <= at
    return counted or signature.entered_at <= at


def _waited(signature: Signature, at: datetime) -> bool:
    """Whether it waited at that moment for a second person."""
    withdrawn = signature.withdrawn_at is not None and signature.withdrawn_at <= at
    counted = signature.counts_from is not None and signature.counts_from <= at
    return not withdrawn and not counted and at < signature.valid_until


def _newest(given: list[Signature], versions: Sequence[NdaVersion], at: datetime) -> Signature | None:
    """The one that says why none is in force; of a version to come, or recalled, it says nothing yet."""
    effective = {one.number for one in versions if one.effective_at <= at}
    telling = [one for one in given if one.version_id is None or one.version_id in effective]
    return max(telling, key=lambda one: (one.signed_at, one.pk), default=None)


def _why_none(newest: Signature | None, at: datetime) -> str:
    """The gate's code, in the database's order."""
    if newest is None:
        return "nda_missing"
    if newest.withdrawn_at is not None and newest.withdrawn_at <= at:
        return "nda_withdrawn"
    if newest.valid_until <= at:
        return "nda_expired"
    counted = newest.counts_from is not None and newest.counts_from <= at
    return "nda_old_version" if counted else "nda_missing"
