"""What consultants do, and what the log has of it: tickets, requests, looks and ends. By seed."""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.world.company import DAY, HOUR, Company, Consultant, Member
from tests.world.store import NULL, Store, moment

if TYPE_CHECKING:
    from random import Random


Facts = dict[str, Any]
MINUTE: Final = 60
SESSION: Final = 11 * HOUR
#: What tickets ask for, and how often.
ASKED: Final = (
    (("contact",), 34), (("contact", "company"), 26), (("contact", "activity"), 14), (("billing",), 8),
    (("contact", "company", "billing"), 8), (("support",), 4), (("contact", "activity", "support"), 3),
    (("participants",), 2), (("contact", "company", "billing", "activity"), 1),
)  # fmt: skip
FIELDS: Final = {
    "contact": ("contact.name", "contact.email", "contact.marketing_consent"),
    "company": ("company.name", "company.address"),
    "billing": ("billing.bank_account",),
    "activity": ("activity.ip_address", "activity.last_visit_at", "activity.settings"),
    "support": ("support.notes",),
    "participants": ("participants",),
}
ALL: Final = ("contact", "company", "billing", "activity", "support")
#: How an access ends: by its holder, by time, with its ticket.
ENDS: Final = (("ended", 55), ("expired", 30), ("ticket_closed", 12), ("ticket_not_yours", 3))
REASONS: Final = ("mfa_stale", "grant_expired", "ticket_closed", "category_not_covered", "approval_pending")


@dataclass
class Session:
    """A stretch in which somebody is signed in, from their first act on."""

    by: Member
    address: str
    first: float
    number: int = 0
    signed_in: bool = False


@dataclass(eq=False)
class Ticket:
    """A customer's ticket, of one account."""

    id: int
    account: int

    @property
    def number(self) -> str:
        return f"ZD-{100000 + self.id}"


@dataclass(frozen=True)
class Access:
    """How one access goes; what is not said is as usual. Moments are seconds after the one before."""

    ticket: Ticket | None = None
    account: int | None = None
    asked: tuple[str, ...] = ()
    decided_after: float | None = None
    by: Member | None = None
    opened: bool = True
    views: int | None = None
    closes_after: float | None = None  # from the last view
    ends: str = ""
    denied_by: Member | None = None
    pages: int = 0  # of participants
    misses: int = 0  # searches for a participant that find none


def text(values: Any) -> str:
    """An array as COPY takes it."""
    return "{" + ",".join(map(str, values)) + "}"


def reference(account: int) -> str:
    return f"MOC-{100000 + account}"


class Work:
    """Everybody's work, written down as it is done."""

    def __init__(self, company: Company, rng: Random, store: Store) -> None:
        self.company, self.rng, self.store = company, rng, store
        self.accounts = max(600, 100 * len(company.consultants))
        self.tickets = self.grants = self.sessions = 0
        self.at_work: dict[tuple[int, int], Session] = {}
        self.usual_pace = statistics.median(one.pace for one in company.consultants)
        self.picked: dict[int, int] = {}  # the account of an episode
        self.own: dict[int, deque[Ticket]] = defaultdict(lambda: deque(maxlen=12))
        for account in range(self.accounts):
            store.row("gatekeeper_account", account + 1, reference(account), "pro", "pl", "{}", 0)

    # What the log has

    def entry(self, at: float, event: str, by: Member | None = None, outcome: str = "allowed", *,
              episode: int = 0, **facts: Any) -> None:  # fmt: skip
        """Write one entry; of a member it is in the session in which they work."""
        network = facts.pop("address", by.address if by else NULL)
        session = facts.pop("session", None) or (self.session(by, at, network) if by else NULL)
        get = facts.get
        values = [
            event, outcome, get("reason", ""), str(by.id) if by else NULL, by.number if by else "",
            by.role if by else "", str(session), "totp" if by else "", network, get("account", ""),
            get("subject", ""), get("ticket", ""), get("categories", NULL), get("fields", NULL),
            get("records", NULL), str(get("results", NULL)), str(get("request", NULL)),
            str(get("grant", NULL)), get("approver", ""), json.dumps(get("details", {})), get("source", ""),
            get("object_repr", ""),
        ]  # fmt: skip
        self.store.entry(at, episode, values)

    def session(self, by: Member, at: float, network: str) -> int:
        """The session in which somebody works at a moment; each lasts less than twelve hours."""
        found = self.at_work.setdefault((by.id, int(at // SESSION)), Session(by, network, at))
        if not found.number:
            self.sessions += 1
            found.number = self.sessions
        found.first = min(found.first, at)
        return found.number

    def flush(self, before: float) -> None:
        """Write what is older than a moment, with who signed in to it."""
        for key, one in list(self.at_work.items()):
            if one.first - 30 < before and not one.signed_in:
                one.signed_in = True
                self.entry(
                    one.first - 30,
                    "sign_in",
                    one.by,
                    session=one.number,
                    address=one.address,
                    object_repr="code",
                )
            if (key[1] + 1) * SESSION < before:
                del self.at_work[key]
        self.store.flush(before)

    # Tickets

    def ticket(
        self, at: float, account: int | None = None, opened_by: str = "customer", age: float = 0
    ) -> Ticket:
        """A new ticket, opened some time before it is worked on."""
        self.tickets += 1
        if account is None:
            account = int(self.accounts * self.rng.random() ** 1.4)
        found = Ticket(self.tickets, account)
        opened = moment(at - (age or self.rng.lognormvariate(math.log(3 * HOUR), 1.2) + 2 * MINUTE))
        self.store.row("gatekeeper_ticket", found.id, found.number, "support", "solved",
                       text([reference(account)]), opened_by, opened, opened)  # fmt: skip
        return found

    def next_ticket(self, who: Consultant, at: float, account: int | None = None) -> Ticket:
        """What comes next: a follow-up of one's own, another ticket of such a customer, or anybody's; of an
        account that is named, a new one."""
        if account is not None:
            return self.ticket(at, account)
        own, chance = self.own[who.id], self.rng.random()
        if own and chance < 0.2:
            return self.rng.choice(own)
        account = self.rng.choice(own).account if own and chance < 0.26 else None
        if self.rng.random() < 0.04:  # who telephones is put down by whoever answers
            quickly = self.rng.random() < 0.12
            found = self.ticket(at, account, who.number, age=90 if quickly else 0)
        else:
            found = self.ticket(at, account)
        own.append(found)
        return found

    # Accesses

    def access(self, who: Consultant, at: float, how: Access, episode: int = 0) -> float:
        """Ask, decide, open, look, end. Returns when the last look was (or the decision, where none was)."""
        rng = self.rng
        ticket = how.ticket or self.next_ticket(who, at, how.account)
        asked = how.asked or rng.choices([one for one, _n in ASKED], [n for _one, n in ASKED])[0]
        if how.pages or how.misses:
            asked = ("participants",)
        by = how.by or self.approver(who, at)
        self.grants += 1
        number = self.grants
        facts: Facts = {"account": reference(ticket.account), "ticket": ticket.number}
        facts |= {"categories": text(asked), "request": number, "episode": episode}
        self.entry(at, "request", who, **facts)
        if how.denied_by:  # and asked again, of the same one or of another
            at += rng.lognormvariate(math.log(10 * MINUTE), 1)
            first = facts | {"request": number + 10**8, "subject": who.number}
            self.entry(at - 60, "deny", how.denied_by, **first)
        decided = at + (how.decided_after or rng.lognormvariate(math.log(60), 0.8))
        facts |= {"grant": number}
        self.entry(decided, "approve", by, subject=who.number, **facts)
        opened, last, seen = decided + rng.lognormvariate(math.log(40), 0.8), decided, 0
        facts |= {"approver": by.number}
        if how.opened:
            self.entry(opened, "start", who, **facts)
            last, seen = self._look(who, opened, asked, how, facts)
        self._end(who, how, facts, opened, last)
        self._keep(who, ticket, by, number, asked, (at, decided, opened if how.opened else None, last), seen)
        return last

    def _look(
        self, who: Consultant, at: float, asked: tuple[str, ...], how: Access, facts: Facts
    ) -> tuple[float, int]:
        rng = self.rng
        views = how.views or 1 + min(int(rng.expovariate(1 / 1.1)), 12)
        if asked == ("participants",):
            return self._participants(who, at, how, facts)
        for nth in range(views):
            at += (
                rng.lognormvariate(math.log(12), 0.6)
                if not nth
                else rng.lognormvariate(math.log(4 * MINUTE), 1)
            )
            shown = asked if how.asked == ALL or rng.random() < 0.5 else (rng.choice(asked),)
            fields = [name for one in shown for name in FIELDS[one]]
            self.entry(at, "view", who, **facts | {"fields": text(fields), "categories": text(shown)})
        return at, views

    def _participants(self, who: Consultant, at: float, how: Access, facts: Facts) -> tuple[float, int]:
        rng = self.rng
        facts = facts | {"fields": "{participants}"}
        pages = how.pages or (0 if how.misses else rng.choice((0, 1, 1, 1, 2)))
        for page in range(pages):
            at += rng.lognormvariate(math.log(40), 0.7)
            shown = range(25 * page + 1, 25 * page + 26)
            self.entry(at, "view", who, **facts | {"records": text(shown), "results": 25})
        searches = how.misses or (0 if pages else rng.choice((1, 1, 2)))
        for _ in range(searches):
            at += rng.lognormvariate(math.log(30), 0.7)
            found = [] if how.misses or rng.random() < 0.15 else [rng.randint(1, 400)]
            self.entry(at, "search", who, **facts | {"records": text(found), "results": len(found)})
        return at, pages + searches

    def _end(self, who: Consultant, how: Access, facts: Facts, opened: float, last: float) -> None:
        rng = self.rng
        why = how.ends or rng.choices([one for one, _n in ENDS], [n for _one, n in ENDS])[0]
        if not how.opened:
            why = "expired"
        facts = facts | {"subject": who.number, "details": {"why": why}}
        if why == "ended":
            self.entry(last + rng.lognormvariate(math.log(3 * MINUTE), 1), "end", who, **facts)
        elif why == "expired":
            self.entry(opened + (HOUR if how.opened else 8 * HOUR), "end", source="tidy", **facts)
        else:
            after = how.closes_after or rng.lognormvariate(math.log(10 * MINUTE), 0.9)
            self.entry(last + after, "end", source="gatekeeper", **facts)

    def _keep(self, who: Consultant, ticket: Ticket, by: Member, number: int, asked: tuple[str, ...],
              times: tuple[float, float, float | None, float], seen: int) -> None:  # fmt: skip
        at, decided, opened, last = times
        kept = ("support_request", text(asked), 60, False)
        self.store.row("gatekeeper_accessrequest", number, who.id, ticket.account + 1, ticket.id, 1, *kept,
                       "reproduce_fault", moment(at), moment(at + 8 * HOUR), "approved", "")  # fmt: skip
        ended = last + HOUR if opened else decided + 8 * HOUR
        self.store.row("gatekeeper_grant", number, number, who.id, ticket.account + 1, ticket.id, 1, 1, by.id,
                       *kept, moment(decided), moment(decided + 8 * HOUR), moment(opened) if opened else None,
                       moment(opened + HOUR) if opened else None, int(opened is not None), seen, 0, 0,
                       moment(ended), "ended" if opened else "expired")  # fmt: skip

    def refused(
        self, who: Consultant, at: float, account: int, reason: str = "", episode: int = 0, **facts: Any
    ) -> None:
        """A look that the gate refused."""
        facts = {"account": reference(account), "categories": "{contact}", "fields": "{contact.name}"}
        why = reason or self.rng.choice(REASONS)
        self.entry(at, "view", who, "refused", reason=why, episode=episode, **facts)

    # Who decides, and when

    def approver(self, who: Consultant, at: float) -> Member:
        team = who.team
        day = int((at - self.company.midnight(0, team.zone)) // DAY)
        return team.deputy if day in team.manager.absent else team.manager

    def window(self, who: Consultant, day: int) -> tuple[float, float]:
        """The first and the last moment of somebody's shift of a day."""
        begins, ends = who.team.shift(day // 7, who.place)
        midnight = self.company.midnight(day, who.team.zone)
        return midnight + begins * HOUR, midnight + ends * HOUR

    def moment(self, who: Consultant, day: int) -> float:
        """A moment of the shift: mornings and afternoons are busy, lunch is not; the last hour is quiet."""
        begins, ends = self.window(who, day)
        share = self.rng.choice((self.rng.betavariate(2, 4), self.rng.betavariate(4, 2)))
        return begins + share * (ends - begins - HOUR / 2)

    def load(self, day: int) -> float:
        """How much there is to do on a day: seasons, Mondays, and days on which something broke."""
        season = 1 + 0.25 * math.sin(2 * math.pi * (self.company.date(day).timetuple().tm_yday - 30) / 182)
        monday = (1.3, 1.1, 1.0, 1.0, 0.85, 0.7, 0.7)[self.company.date(day).weekday()]
        broke = 1.9 if self.rng.random() < 0.02 else 1.0
        return season * monday * broke * self.rng.lognormvariate(0, 0.15)
