"""The life of agreements as a state machine, against a small model: the gate's code is the model's.

Time does not pass: every row's moments are moved back instead. The model knows days and codes, and
nothing of SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from staff.directory import people
from staff.nda import register, signatures, versions
from tests import environment
from tests.conftest import empty_tables
from tests.world import Person, ndas, now
from tests.world.people import member
from tests.world.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases="__all__")]

TERM = 40
MAX_EXAMPLES = 30
TABLES = {
    "staff_ndaversion": ("effective_at", "published_at", "recalled_at"),
    "staff_signature": (
        "signed_at", "counts_from", "valid_until", "entered_at", "countersigned_at", "confirmed_at",
        "withdrawn_at",
    ),
}  # fmt: skip


@dataclass
class Version:
    """In the model: days from now on which it is required; they count down."""

    number: int
    days: int
    grace: int
    countersigned: bool
    recalled: bool = False


@dataclass
class Given:
    """A signature in the model. `left` are the days that it still runs."""

    pk: int
    who: str
    version: int
    left: int
    counts: bool
    form: str
    withdrawn: str = ""
    order: int = 0


@dataclass
class Model:
    """What ought to be so, in a few lines."""

    versions: list[Version] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    away: set[str] = field(default_factory=set)

    def versions_in_force(self) -> list[Version]:
        return [one for one in self.versions if not one.recalled]

    def required(self) -> Version | None:
        then = [one for one in self.versions_in_force() if one.days <= 0]
        return max(then, key=lambda one: (one.days, one.number), default=None)

    def good(self) -> dict[int, bool]:
        """The versions of which a signature is worth something now."""
        then = sorted(
            (v for v in self.versions_in_force() if v.days <= 0), key=lambda v: (-v.days, -v.number)
        )
        if not then:
            return {}
        before = {then[1].number: True} if len(then) > 1 and then[0].days + then[0].grace > 0 else {}
        return {then[0].number: True} | before

    def code(self, who: str) -> str:
        mine = [one for one in self.given if one.who == who]
        running = [one for one in mine if one.counts and not one.withdrawn and one.left > 0]
        if any(one.version in self.good() for one in running):
            return "passed"
        known = {v.number for v in self.versions_in_force() if v.days <= 0}
        telling = [one for one in mine if one.version in known]
        if not telling:
            return "nda_missing"
        newest = max(telling, key=lambda one: one.order)
        if newest.withdrawn:
            return "nda_withdrawn"
        if newest.left <= 0:
            return "nda_expired"
        return "nda_old_version" if newest.counts else "nda_missing"

    def waits(self, who: str, version: Version) -> bool:
        counted = [one for one in self.given if one.who == who and (one.counts or one.withdrawn)]
        newest = max(counted, key=lambda one: one.order, default=None)
        return version.countersigned or (newest is not None and newest.withdrawn == "revoked")

    def signed(self, who: str, number: int) -> bool:
        """Signed today, or with more than thirty days to run."""
        return any(
            one.who == who and one.version == number and not one.withdrawn and one.left > 0
            and (one.counts or one.form == "documentary") and (one.left > 30 or one.left == TERM)
            for one in self.given
        )  # fmt: skip


class Life(RuleBasedStateMachine):
    """Two members sign; one officer and a second keep the documents; days go by."""

    people: dict[str, Person]
    signatures = Bundle("signatures")

    @initialize(target=signatures, who=st.sampled_from(["anna", "carl"]), days=st.integers(1, 3))
    def begin(self, who: str, days: int) -> Given:
        """A life begins where something is in force and something new is coming."""
        empty_tables()
        url = environment.setup_url(environment.database_name())
        self.setup = psycopg.connect(url, autocommit=True)
        self.scene = Scene(self.setup)
        world = self.scene.world
        self.people = {"anna": self.scene.anna, "carl": self.scene.carl}
        self.officers = [world.member("people"), world.member("people")]
        for one in self.officers:  # theirs is none of the versions', and lasts
            far = now() + timedelta(days=100_000)
            world.signature(one, version=None, form="founding", valid_until=far)
        self.callers = {who: world.session(one) for who, one in self.people.items()}
        self.desks = [world.session(one) for one in self.officers]
        with self.setup.transaction():
            self.setup.execute("SET LOCAL session_replication_role = replica")
            self.setup.execute("DELETE FROM staff_signature WHERE form <> 'founding'")
        self.model = Model([Version(1, -1000, 14, countersigned=False)])
        self.order = 0
        first = self.put_signed(who, 1)
        self.publish_one(days, 5 * (days - 1), countersigned=False)
        return first

    def teardown(self) -> None:
        if hasattr(self, "setup"):
            self.setup.close()

    # Versions

    @precondition(lambda self: len(self.model.versions) < 5)
    @rule(days=st.integers(1, 20), grace=st.sampled_from([0, 5, 14]), countersigned=st.booleans())
    def publish(self, days: int, grace: int, countersigned: bool) -> None:
        self.publish_one(days, grace, countersigned=countersigned)

    def publish_one(self, days: int, grace: int, *, countersigned: bool) -> None:
        number = max(one.number for one in self.model.versions) + 1
        ahead = max(one.days for one in self.model.versions_in_force())
        at = now() + timedelta(days=days) - timedelta(hours=1)
        wanted = ndas.terms(
            number, effective_at=at, term_days=TERM, grace_days=grace, countersigned=countersigned
        )
        reason = versions.publish(self.desks[0], wanted)
        assert reason == ("" if days >= ahead else "value_refused")
        if not reason:
            self.model.versions.append(Version(number, days, grace, countersigned))

    @rule(back=st.integers(0, 3))
    def recall(self, back: int) -> None:
        version = self.model.versions[max(len(self.model.versions) - 1 - back, 0)]
        expected = "no_change" if version.recalled else "value_refused" if version.days <= 0 else ""
        assert versions.recall(self.desks[0], version.number) == expected
        version.recalled = version.recalled or not expected

    # Signatures

    @rule(target=signatures, who=st.sampled_from(["anna", "carl"]), ahead=st.booleans())
    def sign(self, who: str, ahead: bool) -> Any:
        required = self.model.required()
        coming = [one for one in self.model.versions_in_force() if one.days > 0]
        version = min(coming, key=lambda one: (one.days, one.number)) if ahead and coming else required
        assert version is not None
        waits = self.model.waits(who, version)
        made, reason = ndas.sign(self.callers[who], self.people[who], version.number, waits=waits)
        if who in self.model.away:
            assert reason in ("member_left", "session_missing")
            return multiple()
        assert reason == ("no_change" if self.model.signed(who, version.number) else "")
        if reason:
            return multiple()
        return self.put(Given(made or 0, who, version.number, TERM, not waits, "documentary"))

    def put_signed(self, who: str, number: int) -> Given:
        made, reason = ndas.sign(self.callers[who], self.people[who], number, waits=False)
        assert reason == ""
        return self.put(Given(made or 0, who, number, TERM, True, "documentary"))

    def put(self, one: Given) -> Given:
        self.order += 1
        one.order = self.order
        self.model.given.append(one)
        # The term of version 1 is a year; all are made alike, so that the model has one number.
        self.scene.world.quietly(
            "staff_signature", one.pk, valid_until=now() + timedelta(days=TERM) - timedelta(hours=1)
        )
        return one

    @rule(target=signatures, who=st.sampled_from(["anna", "carl"]))
    def file_scan(self, who: str) -> Any:
        version = self.model.required()
        assert version is not None
        self.order += 1
        pdf = ndas.PDF + str(self.order).encode()
        made, reason = ndas.upload(self.desks[0], self.people[who], version.number, pdf=pdf, at=now())
        assert reason == ""
        return self.put(Given(made or 0, who, version.number, TERM, False, "paper"))

    @rule(one=signatures, which=st.integers(0, 1))
    def confirm(self, one: Given, which: int) -> None:
        reason = signatures.confirm_original(self.desks[which], one.pk)
        if one.counts or one.withdrawn:
            assert reason == "no_change"
        elif one.form != "paper" or one.left <= 0:
            assert reason == "value_refused"
        elif which == 0:
            assert reason == "second_person"
        else:
            assert reason == ""
            one.counts = True

    @rule(one=signatures)
    def countersign(self, one: Given) -> None:
        reason = ndas.countersign(self.desks[0], one.pk)
        if one.counts or one.withdrawn:
            assert reason == "no_change"
        elif one.form != "documentary" or one.left <= 0:
            assert reason == "value_refused"
        else:
            assert reason == ""
            one.counts = True

    @rule(one=signatures, why=st.sampled_from(["revoked", "declared", "invalid"]))
    def withdraw(self, one: Given, why: str) -> None:
        reason = signatures.withdraw(self.desks[0], one.pk, why)
        assert reason == ("no_change" if one.withdrawn else "")
        one.withdrawn = one.withdrawn or why

    # Members and time

    @rule(who=st.sampled_from(["anna", "carl"]))
    def leave_or_come_back(self, who: str) -> None:
        gone = who not in self.model.away
        day = (now() - timedelta(days=2)).date() if gone else None
        self.scene.world.change("staff_member", self.people[who].id, left_on=day)
        self.model.away ^= {who}

    @rule(days=st.sampled_from([1, 5, 14, 30]))
    def pass_time(self, days: int) -> None:
        with self.setup.transaction():
            self.setup.execute("SET LOCAL session_replication_role = replica")
            for table, columns in TABLES.items():
                sets = ", ".join(f"{name} = {name} - interval '{days} days'" for name in columns)
                self.setup.execute(f"UPDATE {table} SET {sets}".encode())
        for version in self.model.versions:
            version.days -= days
        for one in self.model.given:
            one.left -= days

    # What holds at every step

    @invariant()
    def the_gates_code_is_the_models(self) -> None:
        if not hasattr(self, "model"):
            return
        for who, person in self.people.items():
            scene = self.scene
            scene.caller = self.callers[who]
            code = scene.evaluate().codes["nda"]
            assert code == self.model.code(who), (who, replace(self.model))
            line = register.line_of(member(person))
            assert (line.reason or "passed") == code
            expected = "member_left" if who in self.model.away else "" if code == "passed" else code
            assert people.authorize(scene.caller, "own") == expected


def test_the_gates_nda_code_is_the_models_through_every_life() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=MAX_EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
