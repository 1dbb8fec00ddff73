"""What a signature is worth at a moment: what the register answers, with one thing otherwise at a time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from django.db import connections

from tests.world import LONG_AGO, Person, World, now

if TYPE_CHECKING:
    from tests.conftest import Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

DAY = timedelta(days=1)
NOW = now()


class Signed(NamedTuple):
    """What is said of one signature."""

    withdrawn: bool = False
    counts: bool = True
    tells: bool = True
    runs: bool = True
    waits: bool = False


class Status(NamedTuple):
    """What is said of one member; `ends` in days from now."""

    reason: str = ""
    required: bool = True
    waits: bool = False
    ends: float | None = 300


class Paper:
    """Version 1 of long ago, Anna's signature of it of ten days ago, and a member who has signed nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.version()
        self.anna = world.member("consultant")
        self.other = world.member("consultant")
        self.one = self.another(-10, 300)

    @staticmethod
    def dated(signed: float, ends: float) -> dict[str, Any]:
        return {"signed_at": NOW + signed * DAY, "valid_until": NOW + ends * DAY}

    def another(self, signed: float, ends: float, **facts: Any) -> int:
        """One more signature of Anna's."""
        facts = {"entered_at": NOW + signed * DAY} | self.dated(signed, ends) | facts
        return self.world.signature(self.anna, **facts)

    def changed(self, **facts: Any) -> None:
        if facts:
            self.world.quietly("staff_signature", self.one, **facts)

    def version(self, number: int, days: float, grace: int = 14, **facts: Any) -> None:
        at = NOW + days * DAY
        self.world.version(number, effective_at=at, grace_days=grace)
        self.world.quietly_version(number, **{"published_at": min(at, NOW - 2 * DAY)} | facts)


@pytest.fixture
def paper(setup_connection: Connection) -> Paper:
    return Paper(World(setup_connection))


def ask(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def signed(person: Person, days: float = 0) -> dict[int, Signed]:
    """What is said of a member's signatures, by number, so many days from now."""
    found = ask(
        "SELECT id, withdrawn, counts, tells, runs, waits FROM staff.signatures_at(%s, ARRAY[%s]::bigint[])",
        *(NOW + days * DAY, person.id),
    )
    return {number: Signed(*said) for number, *said in found}


def ends(person: Person, days: float = 0) -> float:
    """The end of their one signature, in days from now."""
    sql = "SELECT ends FROM staff.signatures_at(%s, ARRAY[%s]::bigint[])"
    [(at,)] = ask(sql, NOW + days * DAY, person.id)
    return in_days(at)


def in_days(at: datetime) -> float:
    return round((at - NOW) / DAY, 3)


def status(person: Person, days: float = 0) -> tuple[int | None, Status]:
    [(number, reason, at, required, waits)] = ask(
        "SELECT signature, reason, ends, required, waits FROM staff.nda_status_at(%s, ARRAY[%s]::bigint[])",
        *(NOW + days * DAY, person.id),
    )
    return number, Status(reason, required, waits, at and in_days(at))


@pytest.mark.parametrize(
    ("changes", "days", "said"),
    [
        ({}, 0, Signed()),
        ({"withdrawn_at": NOW - DAY}, 0, Signed(withdrawn=True, runs=False)),
        ({"withdrawn_at": NOW - DAY}, -2, Signed()),
        ({"valid_until": NOW - DAY}, 0, Signed(runs=False)),
        ({"counts_from": None}, 0, Signed(counts=False, runs=False, waits=True)),
        ({"counts_from": NOW - DAY}, -2, Signed(counts=False, runs=False, waits=True)),
        ({"counts_from": None, "valid_until": NOW - DAY}, 0, Signed(counts=False, runs=False)),
        (
            {"counts_from": None, "withdrawn_at": NOW - DAY},
            0,
            Signed(withdrawn=True, counts=False, runs=False),
        ),
        ({"entered_at": NOW - DAY}, -2, Signed()),
        # At the very moment
        ({}, -10, Signed()),
        ({"withdrawn_at": NOW - DAY}, -1, Signed(withdrawn=True, runs=False)),
        ({"counts_from": NOW - DAY}, -1, Signed()),
        ({"valid_until": NOW - DAY}, -1, Signed(runs=False)),
        ({"counts_from": None, "valid_until": NOW - DAY}, -1, Signed(counts=False, runs=False)),
    ],
)
def test_a_signature_at_a_moment(paper: Paper, changes: dict[str, Any], days: float, said: Signed) -> None:
    paper.changed(**changes)
    assert signed(paper.anna, days) == {paper.one: said}
    assert signed(paper.other, days) == {}


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({}, -11),
        ({"counts_from": NOW - DAY, "entered_at": NOW - DAY}, -2),
        ({"signed_at": NOW - DAY, "counts_from": NOW - DAY}, -2),
    ],
)
def test_before_it_was_signed_or_known_there_is_none(
    paper: Paper, changes: dict[str, Any], days: float
) -> None:
    paper.changed(**changes)
    assert signed(paper.anna, days) == {}


@pytest.mark.parametrize(
    ("recalled", "counts_from", "said"),
    [
        (False, NOW - DAY, Signed(tells=False, runs=False)),
        (False, None, Signed(counts=False, tells=False, runs=False, waits=True)),
        (True, NOW - DAY, Signed(tells=False, runs=False)),
        (True, None, Signed(counts=False, tells=False, runs=False)),
    ],
)
def test_of_a_version_to_come_or_recalled_it_says_nothing(
    paper: Paper, recalled: bool, counts_from: datetime | None, said: Signed
) -> None:
    paper.version(2, 5, recalled_at=NOW - DAY / 2 if recalled else None)
    paper.changed(version_id=2, counts_from=counts_from)
    assert signed(paper.anna) == {paper.one: said}


def test_a_version_is_known_and_in_force_from_its_moment_on_and_gone_from_its_recall_on(paper: Paper) -> None:
    paper.version(2, -5)
    paper.changed(version_id=2)
    assert signed(paper.anna, -5) == {paper.one: Signed()}
    paper.world.quietly_version(2, published_at=NOW - 6 * DAY)
    assert signed(paper.anna, -5) == {paper.one: Signed()}
    paper.world.quietly_version(2, published_at=NOW - DAY)  # taken over by a command: required before that
    assert signed(paper.anna, -3) == {paper.one: Signed()}
    paper.changed(version_id=1)
    paper.version(3, 5, recalled_at=NOW - DAY)
    assert (ends(paper.anna, -1), ends(paper.anna, -1.5)) == (9, 5)


def test_a_signature_runs_until_it_ends_or_is_withdrawn(paper: Paper) -> None:
    paper.another(-5, 100)

    def runs(days: float = 0) -> bool:
        sql = "SELECT staff.signature_runs(%s, %s)"
        [(found,)] = paper.world.setup.execute(sql, [paper.one, NOW + days * DAY]).fetchall()
        return bool(found)

    assert [runs(days) for days in (0, 299, 300, 301)] == [True, True, False, False]
    paper.changed(withdrawn_at=NOW)
    assert not runs()


def test_it_ends_with_the_grace_after_the_next_version_or_with_the_one_after_that(paper: Paper) -> None:
    assert ends(paper.anna) == 300
    paper.version(2, -5, 9)
    assert ends(paper.anna) == 4
    assert ends(paper.anna, -6) == 300  # nobody knew of it then
    paper.world.quietly_version(2, published_at=NOW - 7 * DAY)
    assert ends(paper.anna, -6) == 4
    paper.version(3, 1, 9)
    assert ends(paper.anna) == 1
    paper.world.quietly_version(3, recalled_at=NOW - DAY)
    assert ends(paper.anna) == 4
    paper.world.quietly_version(2, recalled_at=NOW - 6 * DAY)
    assert ends(paper.anna) == 300
    [(at,)] = ask("SELECT staff.signature_ends(%s)", paper.one)
    assert in_days(at) == 300


@pytest.mark.parametrize(
    ("versions", "end"),
    [
        ([], 300),
        ([(2, -5, 9)], 4),
        ([(2, -5, 9), (3, 1, 9)], 1),
        ([(2, -5, 9), (3, 6, 9)], 4),
        ([(0, -4000, 9)], 300),
        ([(0, -4000, 9), (2, -5, 9)], 4),
    ],
)
def test_its_end_as_the_gate_reckons_it(
    paper: Paper, versions: list[tuple[int, float, int]], end: float
) -> None:
    for one in versions:
        paper.version(*one)
    [(at,)] = ask("SELECT staff.signature_ends(%s)", paper.one)
    assert in_days(at) == end


@pytest.mark.parametrize("number", [2, 3])
def test_a_recalled_version_ends_nothing(paper: Paper, number: int) -> None:
    paper.version(2, -5, 9)
    paper.version(3, 1, 9)
    paper.world.quietly_version(number, recalled_at=NOW - 6 * DAY)
    [(at,)] = ask("SELECT staff.signature_ends(%s)", paper.one)
    assert in_days(at) == {2: 10, 3: 4}[number]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, Status()),
        ({"withdrawn_at": NOW - DAY}, Status("nda_withdrawn", ends=-1)),
        ({"valid_until": NOW - DAY}, Status("nda_expired", ends=-1)),
        ({"counts_from": None}, Status("nda_missing", waits=True, ends=None)),
    ],
)
def test_how_a_member_stands(paper: Paper, changes: dict[str, Any], said: Status) -> None:
    paper.changed(**changes)
    assert status(paper.anna) == (paper.one, said)
    assert status(paper.other) == (None, Status("nda_missing", required=False, ends=None))


def test_members_stand_each_by_themselves_and_what_is_to_come_says_nothing(paper: Paper) -> None:
    paper.changed(counts_from=None)
    sql = "SELECT member, waits FROM staff.nda_status_at(%s, ARRAY[%s, %s]::bigint[]) ORDER BY member"
    assert ask(sql, NOW, paper.anna.id, paper.other.id) == [(paper.anna.id, True), (paper.other.id, False)]
    paper.version(2, 5)
    paper.changed(counts_from=NOW - DAY, version_id=2)
    assert status(paper.anna) == (None, Status("nda_missing", required=False, ends=None))


def test_at_the_very_moment_it_is_over_or_required(paper: Paper) -> None:
    paper.changed(valid_until=NOW - DAY)
    assert status(paper.anna, -1)[1].reason == "nda_expired"
    paper.changed(valid_until=NOW + 300 * DAY)
    paper.version(2, 5)
    assert [status(paper.anna, days)[1].required for days in (4, 5)] == [True, False]


def test_under_an_old_version(paper: Paper) -> None:
    paper.version(2, -5, 9)
    assert status(paper.anna)[1] == Status(required=False, ends=4)
    assert status(paper.anna, 5)[1] == Status("nda_old_version", required=False, ends=4)
    paper.world.quietly_version(2, recalled_at=NOW - 6 * DAY)
    assert status(paper.anna)[1] == Status()


def test_a_version_to_come_is_not_required_yet(paper: Paper) -> None:
    paper.version(2, 5, 9)
    assert status(paper.anna)[1] == Status(ends=14)
    paper.another(-1, 365, version=2)
    assert status(paper.anna)[0] == paper.one


def test_a_founding_signature_is_of_what_is_required(paper: Paper) -> None:
    paper.changed(version_id=None, form="founding")
    paper.version(2, -5, 9)
    assert status(paper.anna) == (paper.one, Status())


@pytest.mark.parametrize(
    ("changes", "another", "is_the_first"),
    [
        ({}, (-5, 200, {}), True),  # the longer of two in force
        ({}, (-5, 400, {}), False),
        ({"signed_at": NOW - 4 * DAY, "counts_from": NOW}, (-5, 400, {"withdrawn_at": NOW - DAY}), True),
        ({}, (-5, 400, {"withdrawn_at": NOW - DAY}), True),  # in force before none
        ({}, (-5, 400, {"counts_from": None}), True),
        ({"valid_until": NOW - 2 * DAY}, (-5, -1, {}), False),  # of none in force the newest
        ({"valid_until": NOW - DAY}, (-15, -0.5, {}), True),
        ({}, (-10, 300, {}), False),  # of two alike the later
    ],
)
def test_which_of_two_is_named(
    paper: Paper, changes: dict[str, Any], another: tuple[float, float, dict[str, Any]], is_the_first: bool
) -> None:
    paper.changed(**changes)
    begins, until, facts = another
    second = paper.another(begins, until, **facts)
    assert status(paper.anna)[0] == (paper.one if is_the_first else second)


def test_whom_a_new_version_shuts_out(paper: Paper) -> None:
    """Whose right would have run longer without it, and who is not to leave before."""
    sql = "SELECT at, members FROM staff.blocked_by_version(%s, 14)"

    def shut(days: float = 5) -> dict[float, int]:
        return {in_days(at): members for at, members in ask(sql, NOW + days * DAY)}

    assert shut() == {19: 1}
    for changes in (
        {"withdrawn_at": NOW - DAY},
        {"counts_from": None},
        {"valid_until": NOW + 18 * DAY},
        {"valid_until": NOW - DAY},
    ):
        with_it = dict.fromkeys(changes)
        [before] = ask(
            f"SELECT {', '.join(with_it)} FROM staff_signature WHERE id = %s",
            paper.one,
        )
        paper.changed(**changes)
        assert shut() == {}, changes
        paper.changed(**dict(zip(with_it, before, strict=True)))
    for left, found in ((date(2021, 1, 1), {}), (date(2099, 1, 1), {19: 1})):
        paper.world.quietly("staff_member", paper.anna.id, left_on=left)
        assert shut() == found
    paper.world.quietly("staff_member", paper.anna.id, left_on=None)
    paper.version(2, -5, 100)
    assert shut() == {5: 1}
    paper.world.quietly_version(2, recalled_at=NOW - 6 * DAY)
    assert shut() == {19: 1}
    paper.version(3, -4000, 14)  # one that came before theirs
    assert shut() == {19: 1}


def blocked_by_version(effective_at: datetime) -> dict[datetime, int]:
    return dict(ask("SELECT at, members FROM staff.blocked_by_version(%s, 14)", effective_at))


@pytest.mark.parametrize("facts", [{"withdrawn_at": NOW}, {"counts_from": None}])
def test_what_does_not_count_is_no_right_that_would_have_run(paper: Paper, facts: dict[str, Any]) -> None:
    paper.changed(valid_until=NOW + 10 * DAY)
    paper.another(-5, 300, **facts)
    assert blocked_by_version(NOW + 5 * DAY) == {}


def test_whoever_is_not_in_force_is_not_shut_out(paper: Paper) -> None:
    paper.version(2, 3)
    paper.changed(version_id=2)
    assert blocked_by_version(NOW + 5 * DAY) == {}


def test_each_signature_ends_by_itself_where_another_is_cut_short(paper: Paper) -> None:
    paper.version(2, -5, 100)
    paper.another(-4, 18, version=2)
    assert blocked_by_version(NOW + 5 * DAY) == {NOW + 18 * DAY: 1}


def test_whoever_leaves_at_that_very_moment_is_shut_out_before(paper: Paper) -> None:
    last = (NOW + 20 * DAY).date()
    [(over,)] = ask("SELECT audit.end_of_day(%s)", last)
    for left, found in ((last + DAY, {over: 1}), (last, {})):
        paper.world.quietly("staff_member", paper.anna.id, left_on=left)
        assert blocked_by_version(over - 14 * DAY) == found


def to_sign(person: Person) -> int | None:
    [(number,)] = ask("SELECT staff.to_sign(%s)", person.id)
    return number if number is None else int(number)


def test_what_one_may_sign(paper: Paper) -> None:
    assert (to_sign(paper.anna), to_sign(paper.other)) == (None, 1)
    paper.version(2, -5, 9)
    paper.version(3, 5, 9)
    paper.version(4, 9, 9)
    assert (to_sign(paper.anna), to_sign(paper.other)) == (2, 2)
    paper.another(-1, 300, version=2)
    assert to_sign(paper.anna) == 3
    paper.world.quietly_version(3, recalled_at=NOW)
    assert to_sign(paper.anna) == 4
    paper.another(-1, 300, version=4)
    assert to_sign(paper.anna) is None
    paper.world.quietly_version(2, recalled_at=NOW - 6 * DAY)
    assert to_sign(paper.other) == 1


@pytest.mark.parametrize(
    ("changes", "has"),
    [
        ({}, True),
        ({"withdrawn_at": NOW}, False),
        ({"valid_until": NOW - DAY / 4, "signed_at": NOW - DAY / 2, "counts_from": NOW - DAY / 2}, False),
        ({"valid_until": NOW + 29 * DAY}, False),
        ({"valid_until": NOW + 29 * DAY, "signed_at": NOW - DAY / 2, "counts_from": NOW}, True),
        ({"counts_from": None}, False),
        ({"counts_from": None, "form": "documentary"}, True),
    ],
)
def test_who_has_signed_a_version(paper: Paper, changes: dict[str, Any], has: bool) -> None:
    paper.changed(**changes)
    sql = "SELECT staff.has_signed(%s, %s, %s)"
    assert ask(sql, paper.anna.id, 1, NOW) == [(has,)]
    assert ask(sql, paper.other.id, 1, NOW) == [(False,)]
    paper.version(2, -5, 9)
    assert ask(sql, paper.anna.id, 2, NOW) == [(False,)]


@pytest.mark.parametrize(
    ("changes", "another", "waits"),
    [
        ({}, {}, False),
        ({"withdrawn_at": NOW, "withdrawn_why": "revoked"}, {}, True),
        ({"withdrawn_at": NOW, "withdrawn_why": "declared"}, {}, False),
        ({"withdrawn_at": NOW, "withdrawn_why": "revoked", "counts_from": None}, {}, True),
        ({"withdrawn_at": NOW, "withdrawn_why": "revoked"}, {"signed": -10}, False),
        ({"withdrawn_at": NOW, "withdrawn_why": "revoked"}, {"signed": -5}, False),
        ({"withdrawn_at": NOW, "withdrawn_why": "revoked"}, {"signed": -15}, True),
        ({"withdrawn_at": NOW, "withdrawn_why": "revoked"}, {"signed": -5, "counts_from": None}, True),
    ],
)
def test_a_signature_after_one_that_was_revoked_waits_for_a_second_person(
    paper: Paper, changes: dict[str, Any], another: dict[str, Any], waits: bool
) -> None:
    paper.changed(**changes)
    if another:
        facts = dict(another)
        paper.another(facts.pop("signed"), 300, **facts)
    sql = "SELECT staff.waits_for_second(%s, %s)"
    assert ask(sql, paper.anna.id, 1) == [(waits,)]
    assert ask(sql, paper.other.id, 1) == [(False,)]
    paper.world.version(2, countersigned=True, effective_at=NOW - 2 * DAY)
    assert ask(sql, paper.other.id, 2) == [(True,)]


@pytest.mark.parametrize(
    ("signed_from", "facts", "end"),
    [
        (250, {}, 600),
        (300, {}, 600),
        (301, {}, 300),
        (250, {"withdrawn_at": NOW}, 300),
        (250, {"version": None, "form": "founding"}, 600),
        (250, {"version": 2}, 300),
        (250, {"version": 3}, 300),
    ],
)
def test_an_agreement_carries_on_where_another_takes_over(
    paper: Paper, signed_from: float, facts: dict[str, Any], end: float
) -> None:
    paper.version(2, 290, 300, recalled_at=NOW)
    paper.version(3, 310, 400)
    more = {"counts_from": NOW + signed_from * DAY, "valid_until": NOW + 600 * DAY} | facts
    paper.world.signature(paper.anna, signed_at=NOW - DAY, **more)
    paper.world.signature(paper.other, signed_at=LONG_AGO, valid_until=NOW + 900 * DAY)
    [(at,)] = ask("SELECT staff.agreement_ends(%s)", paper.anna.id)
    assert in_days(at) == end
