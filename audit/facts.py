"""Which facts an entry must carry, by what happened and how it ended; an entry that lacks one raises.

The database holds to it where an entry is stamped (`audit.stamp_entry`, audit/sql/entry.sql); a test
compares the two fact by fact. The list of facts is the union of PCI DSS 10.2.2, ISO 27002 8.15, NIST AU-3
and FHIR's AuditEvent. Where each of them appears in an entry:

- *When*: `timestamp`, from the database's clock, stamped by the transaction that does what it records:
  it occurred and was recorded at one moment. What happened elsewhere before has its own moment in
  `details` (`signed_at` of a document, `told_at` of a ticket).
- *Who*: `actor_id`, `member`, `member_name`, `role`, `session`, `factor`, all as they were then. Where
  nobody is signed in, `source` names the command and the system user who ran it, or the feed.
- *Whence*: `cid`, a number of our own for the web request, and with it `remote_addr` and `user_agent`.
  These two are not asked for: an address that is not known stays unknown, and is never guessed.
- *What*: `event`, `outcome`, `reason` and `failed` of a refusal, `fields` (names, never values),
  `categories`, `records`, `results`; the object by its own column (`account`, `subject`, `ticket`,
  `request_id`, `grant_id`), or by `object_repr` where a page names it.
- *Why*: `ticket`, `ticket_kind`, `ticket_state`, `purpose`. The ticket's system is the one helpdesk.
- *On what it rested*: `approver`, `signature`, `nda_version`, `nda_ends`, `consent`. A founder's first
  signature is of no version, so that `nda_version` is not asked for.

Every approval is an ordinary one: there is no emergency yet, and no flag for it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from audit.models import VIEWS, Event, Outcome

ALLOWED, REFUSED, WITHHELD, FAILED = Outcome.ALLOWED, Outcome.REFUSED, Outcome.WITHHELD, Outcome.FAILED


class Rule(NamedTuple):
    """The facts of one kind of entry. It is of that kind when it has every fact of `marks`."""

    marks: tuple[str, ...]
    facts: frozenset[str]


Rules = tuple[Rule, ...]


def _rule(*groups: tuple[str, ...], marks: tuple[str, ...] = ()) -> Rule:
    return Rule(marks, frozenset(fact for group in (*groups, marks) for fact in group))


#: Somebody who is signed in, by a page.
PERSON: Final = ("cid", "member", "member_name", "actor_id", "session")
#: The same, where the act asked for both factors and a role.
OFFICER: Final = (*PERSON, "factor", "role")
#: The document under which they act.
PAPER: Final = ("signature", "nda_ends")
#: Whose data, and why.
CLAIM: Final = ("account", "ticket", "ticket_kind", "ticket_state", "purpose", "categories", "request_id")
#: The approval, and who gave it.
GRANT: Final = (*CLAIM, "grant_id", "approver")
SOURCE: Final = ("source",)
DETAILS: Final = ("details",)
#: Why a refusal, where no session is known, has nobody: the session is what failed, or was not asked.
NOBODY: Final = frozenset({"session_missing", "check_failed", "record_failed"})
#: The stages of signing in at which no second factor was proved yet.
BEFORE_FACTOR: Final = frozenset({"password", "invitation"})


def _done() -> Rules:
    """A command's act, or an officer's."""
    return (_rule(DETAILS, marks=SOURCE), _rule(OFFICER, PAPER, DETAILS))


def _refused(*facts: str) -> Rules:
    """A refusal says why; and who it was, where the session is known."""
    named = ("reason", *facts)
    return (
        _rule(named, marks=SOURCE),
        _rule(named, PERSON, marks=("session",)),
        _rule(named, ("cid",)),
    )


_VIEW: Final = (*OFFICER, *PAPER, *GRANT, "fields")
_ENDED: Final = (
    _rule(GRANT, DETAILS, ("subject",), marks=("source", "grant_id")),
    _rule(CLAIM, DETAILS, ("subject",), marks=SOURCE),  # a request that expired
    _rule(OFFICER, PAPER, GRANT, DETAILS, ("subject",)),
)
#: A release that refuses names the record that it was asked for, which its own session made; of an entry that
#: is none, or is another's, it names nothing, and the reason is one of NOBODY. Whose data it was is not asked
#: for: the account may have been erased between the two.
_WITHHELD: Final = (
    _rule(("reason", "grant_id"), PERSON, marks=("session", "answers", "fields")),
    _rule(("reason",), PERSON, marks=("session", "answers")),
    _rule(("reason",), PERSON, marks=("session",)),
    _rule(("reason", "cid")),
)
#: What a page itself writes: its own sign-ins and changes, not a function of the database. By a link
#: that was mailed nobody is signed in, and yet it is known whose it is.
_BY_PAGE: Final = _rule(("cid", "member", "member_name", "object_repr"))

#: In: what happened, how it ended. Out: the kinds of such entries; the first whose marks it has counts.
#: What stands nowhere here cannot be written.
RULES: Final[dict[tuple[str, str], Rules]] = {
    **{(one, WITHHELD): _WITHHELD for one in VIEWS},
    (Event.SEARCH, WITHHELD): _WITHHELD,
    (Event.SIGN_IN, ALLOWED): (_rule(PERSON, ("object_repr", "factor")),),
    (Event.SIGN_IN_FAILED, REFUSED): (_rule(("cid", "reason", "object_repr")),),
    (Event.SIGN_OUT, ALLOWED): (_rule(("cid", "member", "member_name", "session")),),
    (Event.REQUEST, ALLOWED): (_rule(OFFICER, PAPER, CLAIM, DETAILS),),
    (Event.REQUEST, REFUSED): _refused("account", "failed", "details"),
    (Event.WITHDRAW, ALLOWED): (_rule(OFFICER, PAPER, CLAIM, DETAILS, ("subject",)),),
    (Event.WITHDRAW, REFUSED): _refused("failed"),
    (Event.APPROVE, ALLOWED): (_rule(OFFICER, PAPER, CLAIM, DETAILS, ("subject", "grant_id")),),
    (Event.APPROVE, REFUSED): _refused("failed"),
    (Event.DENY, ALLOWED): (_rule(OFFICER, PAPER, CLAIM, DETAILS, ("subject",)),),
    (Event.DENY, REFUSED): _refused("failed"),
    (Event.START, ALLOWED): (_rule(OFFICER, PAPER, GRANT, DETAILS),),
    (Event.START, REFUSED): _refused("failed"),
    **{(one, ALLOWED): (_rule(_VIEW),) for one in VIEWS},
    **{(one, REFUSED): _refused("account", "fields", "categories", "failed") for one in VIEWS},
    # Of participants; or, with details, of the log itself: by the member whom it is about, who may have
    # no paper and no role, or by a reviewer.
    (Event.SEARCH, ALLOWED): (
        _rule(PERSON, ("factor",), marks=("details", "subject")),
        _rule(OFFICER, PAPER, marks=DETAILS),
        _rule(_VIEW, ("records", "results")),
    ),
    (Event.SEARCH, REFUSED): _refused("failed"),
    (Event.END, ALLOWED): _ENDED,
    (Event.END, REFUSED): _refused("failed", "grant_id"),
    (Event.REVOKE, ALLOWED): _ENDED,
    (Event.REVOKE, REFUSED): _refused("failed", "grant_id"),
    # Whoever signs for the first time has no paper yet, and may have no role.
    (Event.SIGN, ALLOWED): (
        _rule(DETAILS, ("subject",), marks=SOURCE),
        _rule(PERSON, DETAILS, ("factor", "subject")),
    ),
    (Event.SIGN, REFUSED): _refused("details"),
    (Event.REVIEW, ALLOWED): _done(),
    (Event.REVIEW, REFUSED): _refused("details"),
    (Event.REPORT, ALLOWED): _done(),
    (Event.REPORT, REFUSED): _refused("details"),
    # One's own document may be exported when nothing is in force any more.
    (Event.EXPORT, ALLOWED): (_rule(DETAILS, marks=SOURCE), _rule(PERSON, DETAILS, ("factor",))),
    (Event.EXPORT, REFUSED): _refused("details"),
    (Event.IMPORT, ALLOWED): (_rule(SOURCE, DETAILS),),
    (Event.IMPORT, FAILED): (_rule(SOURCE, DETAILS),),
    (Event.CHANGE, ALLOWED): (_done()[0], _rule(OFFICER, PAPER, marks=DETAILS), _BY_PAGE),
    (Event.CHANGE, REFUSED): _refused("details"),
    (Event.CHANGE, FAILED): (_done()[0], _BY_PAGE),
    (Event.RECOVER, ALLOWED): _done(),
    (Event.RECOVER, REFUSED): _refused("details"),
    (Event.ERASE, ALLOWED): (_rule(SOURCE, DETAILS, ("account", "fields")),),
    (Event.SEAL, ALLOWED): (_rule(SOURCE, DETAILS),),
}
