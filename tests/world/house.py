"""Two people officers, an administrator, a manager and a consultant: who proposes, who confirms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from audit.models import Entry
from staff.directory import people, proposals
from staff.frame.callers import Caller
from staff.models import Proposal
from tests.world import Person, World

#: A new member, as the form and the function take them.
NEW: Final[dict[str, Any]] = {
    "number": "K-5001",
    "name": "Iza Nowa",
    "email": "iza@firma.example",
    "language": "pl",
    "starts_on": None,
    "manager": None,
    "roles": ["consultant"],
}


@dataclass
class House:
    """Two people officers, an administrator, a manager, and Anna, whom it is about."""

    world: World
    ewa: Person = field(init=False)
    jan: Person = field(init=False)
    ola: Person = field(init=False)
    boss: Person = field(init=False)
    anna: Person = field(init=False)

    def __post_init__(self) -> None:
        self.world.version()
        self.ewa, self.jan = self.hire("people"), self.hire("people")
        self.ola, self.boss = self.hire("administrator"), self.hire("manager")
        self.anna = self.hire("consultant", manager=self.boss)

    def hire(self, *held: str, **facts: Any) -> Person:
        person = self.world.member(*held, **facts)
        self.world.signature(person)
        return person

    def by(self, person: Person, **facts: Any) -> Caller:
        return self.world.session(person, **facts)

    def propose(
        self, fact: str = "roles", value: Any = ("manager",), about: Person | None = None, by: Any = None
    ) -> int:
        """Propose, and return the proposal's number."""
        given = list(value) if isinstance(value, tuple) else value
        about = about or self.anna
        reason = people.change_member(self.by(by or self.ewa), about.number, fact, given)
        assert reason == people.PROPOSED
        return int(Proposal.objects.get(subject_id=about.id, fact=fact, state="pending").pk)

    def confirm(self, proposal: int, by: Person | None = None) -> str:
        return proposals.decide(self.by(by or self.jan), proposal, confirm=True)

    def decline(self, proposal: int, by: Person | None = None) -> str:
        return proposals.decide(self.by(by or self.jan), proposal, confirm=False)

    def reset_factors(self, person: Person) -> None:
        """One proposes it, another confirms."""
        assert self.confirm(self.propose("factor", "reset", about=person)) == ""

    def given(self, **facts: Any) -> None:
        """Facts of Anna beforehand, from which nothing follows."""
        if facts:
            self.world.quietly("staff_member", self.anna.id, **facts)


def newest() -> Entry:
    found: Entry = Entry.objects.order_by("-id")[0]
    return found


def state_of(proposal: int) -> str:
    return str(Proposal.objects.get(pk=proposal).state)
