"""What changes a review, as the database does it (gatekeeper/reviews/sql/reviews.sql).

Each returns the reason for which nothing was done, or the empty string, unless it says otherwise. Who acts
is the session's member; nothing is judged here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit.database import call
from gatekeeper.reviews import finding

if TYPE_CHECKING:
    from staff.frame.callers import Caller

#: Reasons that the page of the review says, with what was typed; any other has a page of its own.
SAID_IN_PLACE = ("no_change", "already_decided", "value_refused", "not_yourself")


def draw(source: str) -> int:
    """Draw the sample of each week that has ended and has none; how many were queued by it."""
    return int(call("gatekeeper.draw_reviews", source=source, using=finding.WATCH))


def decide(caller: Caller, review: int, verdict: str, text: bytes | None = None) -> str:
    """A reviewer's verdict: in_order, question (with its sealed text) or serious. A question without a text,
    as every other verdict, is refused and recorded."""
    return str(call("gatekeeper.decide_review", caller, review=review, verdict=verdict, text=text))


def answer(caller: Caller, review: int, text: bytes | None) -> str:
    """The answer of the member whom a question is about, or of their manager."""
    return str(call("gatekeeper.answer_review", caller, review=review, text=text))


def reading(caller: Caller, review: int) -> str:
    """Record that a review's entries are read, before they are (PCI DSS 10.2.1.3)."""
    return str(call("gatekeeper.read_log", caller, asked={"review": review}))


def taking(caller: Caller, what: dict[str, Any] | None, results: int) -> str:
    """Record that so many lines are exported as a file, after a fresh step-up. Of None there is no file:
    that is refused."""
    return str(call("gatekeeper.take_log", caller, asked=what, results=results))
