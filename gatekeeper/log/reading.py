"""That the log is read, and that parts of it are taken out: recorded before it happens (PCI DSS 10.2.1.3).

`digest` is the reader's session: the database derives who reads, and judges whether they may. Each
returns why it may not be; '' if it may, and the entry is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from audit.functions import call

if TYPE_CHECKING:
    from audit.explorer.search import Query

_READ = "SELECT gatekeeper.read_log(%s::bytea, %s::jsonb, %s::jsonb)"
_TAKE = "SELECT gatekeeper.take_log(%s::bytea, %s::jsonb, %s::jsonb, %s::integer)"


def search(digest: bytes | None, context: Mapping[str, Any], query: Query, **keys: int | None) -> str:
    """Record that a question is asked, once however often; `keys`: of the page of its answer."""
    asked = {"query": query.tokens()} | {name: key for name, key in keys.items() if key is not None}
    return str(call(_READ, [digest, context, asked])[0])


def opening(digest: bytes | None, context: Mapping[str, Any], *, entry: int) -> str:
    """Record that one row is opened."""
    return str(call(_READ, [digest, context, {"entry": entry}])[0])


def taking(
    digest: bytes | None, context: Mapping[str, Any], query: Query, *, form: str, top: int, results: int
) -> str:
    """Record that so many entries, the newest up to `top`, are taken out as a file of a form."""
    asked = {"query": query.tokens(), "form": form, "top": top}
    return str(call(_TAKE, [digest, context, asked, results])[0])
