"""What some do beside their work: kinds of misuse, each with what its entries are. By seed.

A kind is played on some days of one member's; every entry of it is marked, and it is caught when a rule flags
one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.world.company import HOUR, Consultant
from tests.world.work import ALL, MINUTE, Access, Facts, Work, reference

if TYPE_CHECKING:
    from tests.world.company import Member

#: Plays one of the days: the work, who, the day, which of the days it is (from 0), and the episode's number.
Act = Callable[[Work, Consultant, int, int, int], None]


@dataclass(frozen=True)
class Kind:
    """`days` of work on which it is played, from a day after `after`; `where`: work, weekend, leave, join,
    last; `alone`: by somebody who does nothing else of the kind; `amount`: each entry is as any other, and
    there are too many."""

    name: str
    act: Act
    days: int = 1
    after: int = 14
    where: str = "work"
    alone: bool = False
    amount: bool = False


def before_close(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """A look at what is solved: the ticket is closed at once after it."""
    how = Access(views=1, closes_after=work.rng.uniform(5, 30), ends="ticket_closed")
    work.access(who, work.moment(who, day), how, episode)


def borrowed(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """A colleague's ticket is taken over, looked at, and given back."""
    how = Access(views=1, closes_after=work.rng.uniform(5, 30), ends="ticket_not_yours")
    work.access(who, work.moment(who, day), how, episode)


def instant_pair(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """Two who have agreed: the approval comes before it can have been read."""
    for _ in range(4):
        work.access(who, work.moment(who, day), Access(decided_after=work.rng.uniform(1, 6)), episode)


def favourite(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """One of a team asks far more than all others, and is always approved."""
    for _ in range(round(5 * max(who.pace, work.usual_pace))):
        work.access(who, work.moment(who, day), Access(), episode)


def same_account(work: Work, who: Consultant, day: int, nth: int, episode: int) -> None:
    """The same customer again and again, under another ticket each time."""
    account = work.picked.setdefault(episode, work.rng.randrange(work.accounts // 2, work.accounts))
    if nth % 2 == 0:
        work.access(who, work.moment(who, day), Access(account=account), episode)


def slow_harvest(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """Some more accounts on every day, for weeks."""
    for _ in range(round(12.5 * work.usual_pace / len(who.weekdays))):
        account = work.rng.randrange(work.accounts)
        work.access(who, work.moment(who, day), Access(account=account, views=1), episode)


def burst(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """A day on which everything in reach is looked at."""
    for _ in range(round(8 * max(who.pace, work.usual_pace))):
        work.access(who, work.moment(who, day), Access(views=4), episode)


def night(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """In the middle of the hours in which nobody of the team works."""
    begins, ends = _hours(who)
    free = 24 - (ends - begins)
    midnight = work.company.midnight(day, who.team.zone)
    work.access(who, midnight + (ends + work.rng.uniform(0.4, 0.6) * free) * HOUR, Access(), episode)


def weekend(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """On a Saturday, of a team that does not work then."""
    midnight = work.company.midnight(day, who.team.zone)
    work.access(who, midnight + work.rng.uniform(10, 16) * HOUR, Access(), episode)


def on_leave(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """In the middle of a leave, at an hour of work and from the usual place."""
    work.access(who, work.moment(who, day), Access(), episode)


def first_days(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """A new joiner looks around in what the new key opens."""
    for _ in range(6):
        work.access(who, work.moment(who, day), Access(), episode)


def last_days(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """Who leaves takes a look at many before."""
    for _ in range(5):
        work.access(who, work.moment(who, day), Access(), episode)


def email_fishing(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """Whether somebody is among the participants: exact e-mails are tried, and most are not found."""
    work.access(who, work.moment(who, day), Access(misses=work.rng.randint(3, 5)), episode)


def own_ticket(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """A ticket is opened for oneself, to look under it."""
    at = work.moment(who, day)
    ticket = work.ticket(at, opened_by=who.number, age=work.rng.uniform(20, 60))
    work.access(who, at, Access(ticket=ticket, decided_after=40), episode)


def everything(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """All kinds of data of every account."""
    for _ in range(3):
        work.access(who, work.moment(who, day), Access(asked=ALL), episode)


def stale_session(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """Somebody at a desk that was left tries on, without the second factor."""
    _series(work, who, day, episode, "mfa_stale")


def refusal_series(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """A gate is tried again and again."""
    _series(work, who, day, episode, "approval_missing")


def probing(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """Some accounts a day, without a ticket, whether one of them opens."""
    for _ in range(4):
        account = work.rng.randrange(work.accounts)
        work.refused(who, work.moment(who, day), account, "ticket_missing", episode)


def hoarding(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """Accesses are asked for in advance, and not opened."""
    for _ in range(3):
        work.access(who, work.moment(who, day), Access(opened=False), episode)


def participant_list(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """Page after page of an event's participants."""
    work.access(who, work.moment(who, day), Access(pages=6), episode)


def stolen_session(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """The session's key is used elsewhere."""
    at = work.access(who, work.moment(who, day), Access(), 0) + 2 * MINUTE
    usual, who.address = who.address, f"{work.rng.randint(60, 99)}.{work.rng.randint(0, 255)}.7.7"
    work.access(who, at, Access(), episode)
    who.address = usual


def made_up_session(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """A session that was put into the database by hand."""
    at = work.moment(who, day)
    facts: Facts = {"account": reference(1), "ticket": "ZD-1", "request": 0, "grant": 0}
    work.entry(at, "view", who, session=10**9 + episode, episode=episode, categories="{contact}",
               fields="{contact.name}", **facts)  # fmt: skip


def approver_shopping(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """Rejected by one, approved by another who does not know."""
    work.access(who, work.moment(who, day), Access(denied_by=who.team.manager, by=who.team.deputy), episode)


def guessing(work: Work, who: Consultant, day: int, _nth: int, episode: int) -> None:
    """A stranger tries passwords."""
    at, network = work.moment(who, day), f"185.{work.rng.randint(0, 255)}.4.4"
    for nth in range(15):
        work.entry(at + 60 * nth, "sign_in_failed", None, "refused", reason="password_wrong", address=network,
                   object_repr="password", episode=episode)  # fmt: skip


def files(work: Work, _who: Consultant, day: int, _nth: int, episode: int) -> None:
    """A reviewer takes the log out as a file."""
    by: Member = work.rng.choice(work.company.reviewers)
    at = work.company.midnight(day, work.company.teams[0].zone) + 11 * HOUR
    work.entry(at, "export", by, episode=episode, details={"what": "log"}, results=5000)


def _series(work: Work, who: Consultant, day: int, episode: int, reason: str) -> None:
    at, account = work.moment(who, day), work.rng.randrange(work.accounts)
    for nth in range(7):
        work.refused(who, at + nth * work.rng.uniform(20, 60), account, reason, episode)


def _hours(who: Consultant) -> tuple[int, int]:
    shifts = who.team.shifts
    return min(begin for begin, _end in shifts), max(end for _begin, end in shifts)


KINDS: Final[tuple[Kind, ...]] = (
    Kind("before_close", before_close, days=3),
    Kind("borrowed", borrowed, days=3),
    Kind("instant_pair", instant_pair, days=4, amount=True),
    Kind("favourite", favourite, days=5, after=21, alone=True, amount=True),
    Kind("same_account", same_account, days=16, alone=True),
    Kind("slow_harvest", slow_harvest, days=26, after=20, alone=True, amount=True),
    Kind("burst", burst, after=30, alone=True, amount=True),
    Kind("night", night),
    Kind("weekend", weekend, where="weekend"),
    Kind("on_leave", on_leave, where="leave", after=20, alone=True),
    Kind("first_days", first_days, days=4, where="join", alone=True, amount=True),
    Kind("last_days", last_days, days=6, where="last", after=30, alone=True, amount=True),
    Kind("email_fishing", email_fishing, days=3, amount=True),
    Kind("own_ticket", own_ticket, days=3),
    Kind("everything", everything, days=3),
    Kind("stale_session", stale_session),
    Kind("refusal_series", refusal_series),
    Kind("probing", probing, days=4, amount=True),
    Kind("hoarding", hoarding, days=4, amount=True),
    Kind("participant_list", participant_list),
    Kind("stolen_session", stolen_session, after=32, alone=True),
    Kind("made_up_session", made_up_session),
    Kind("approver_shopping", approver_shopping),
    Kind("guessing", guessing),
    Kind("files", files),
)
