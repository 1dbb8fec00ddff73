"""That the log is read, and that parts of it are exported: recorded before it happens (PCI DSS 10.2.1.3).

`digest` is the reader's session: the database derives who reads, and judges whether they may. Each
returns why it may not be; '' if it may, and the entry is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from audit.database import call

if TYPE_CHECKING:
    from audit.explorer.search import Query


def search(digest: bytes | None, context: Mapping[str, Any], query: Query, **keys: int | None) -> str:
    """Record that a question is asked, once however often; `keys`: of the page of its answer."""
    asked = {"query": query.tokens()} | {name: key for name, key in keys.items() if key is not None}
    return str(call("gatekeeper.read_log", digest=digest, context=context, asked=asked))


def opening(digest: bytes | None, context: Mapping[str, Any], *, entry: int) -> str:
    """Record that one row is opened."""
    return str(call("gatekeeper.read_log", digest=digest, context=context, asked={"entry": entry}))


def own(digest: bytes | None, context: Mapping[str, Any]) -> str:
    """Record that a member looks at their own entries, once in a quarter of an hour."""
    return str(call("gatekeeper.read_own_entries", digest=digest, context=context))


def taking(
    digest: bytes | None, context: Mapping[str, Any], query: Query, *, form: str, top: int, results: int
) -> str:
    """Record that so many entries, the newest up to `top`, are exported as a file of a form."""
    asked = {"query": query.tokens(), "form": form, "top": top}
    return str(call("gatekeeper.take_log", digest=digest, context=context, asked=asked, results=results))
