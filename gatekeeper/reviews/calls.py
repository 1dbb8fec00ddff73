"""What changes a review, as the database does it (gatekeeper/reviews/sql/reviews.sql).

Each returns the reason for which nothing was done, or the empty string, unless it says otherwise. Who acts
is the session's member; nothing is judged here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit.functions import call
from gatekeeper.reviews import finding

if TYPE_CHECKING:
    from staff.frame.callers import Caller


def draw(source: str) -> int:
    """Draw the sample of each week that has ended and has none; how many were queued by it."""
    return int(call("SELECT gatekeeper.draw_reviews(%s::text)", [source], using=finding.WATCH)[0])


def decide(caller: Caller, review: int, verdict: str, text: bytes | None = None) -> str:
    """A reviewer's verdict: in_order, question (with its sealed text) or serious. A question without a text,
    as every other verdict, is refused and recorded."""
    return _ask(
        "SELECT gatekeeper.decide_review(%s::bytea, %s::jsonb, %s::bigint, %s::text, %s::bytea)",
        [caller.digest, caller.context, review, verdict, text],
    )


def answer(caller: Caller, review: int, text: bytes | None) -> str:
    """The answer of the member whom a question is about, or of their manager."""
    return _ask(
        "SELECT gatekeeper.answer_review(%s::bytea, %s::jsonb, %s::bigint, %s::bytea)",
        [caller.digest, caller.context, review, text],
    )


def reading(caller: Caller, review: int) -> str:
    """Record that a review's entries are read, before they are (PCI DSS 10.2.1.3)."""
    asked: dict[str, Any] = {"review": review}
    return _ask(
        "SELECT gatekeeper.read_log(%s::bytea, %s::jsonb, %s::jsonb)", [caller.digest, caller.context, asked]
    )


def taking(caller: Caller, what: dict[str, Any], results: int) -> str:
    """Record that so many lines are taken out as a file, after a fresh proof of presence."""
    return _ask(
        "SELECT gatekeeper.take_log(%s::bytea, %s::jsonb, %s::jsonb, %s::integer)",
        [caller.digest, caller.context, what, results],
    )


def _ask(sql: str, values: list[object]) -> str:
    return str(call(sql, values)[0])
