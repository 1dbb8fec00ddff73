"""The reveal's twin: the same build, whose decision is a constant that reads and locks nothing.

The functions that record and release are copied from what is installed into the schema `bench`, over the
same tables; only what they call for a decision differs. The difference is what the decision costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

from gatekeeper.gate import vault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.ground import Desk
    from tests.conftest import Connection

REVEAL: Final = vault._REVEAL
TWIN: Final = REVEAL.replace("vault.reveal", "bench.reveal")
COPIED: Final = ("record_view", "release_view", "reveal")
RIGHTS: Final = """
    ALTER ROUTINE bench.{0} OWNER TO gatekeeper_owner;
    REVOKE ALL ON ROUTINE bench.{0} FROM PUBLIC;
    GRANT EXECUTE ON ROUTINE bench.{0} TO gatekeeper_vault;
"""


def install(setup: Connection, desks: Sequence[Desk]) -> None:
    """Make the twin for these desks."""
    setup.execute(_decide(setup, desks))
    for name in COPIED:
        text = _definition(setup, name)
        for one in ("decide", *COPIED):
            text = text.replace(f"vault.{one}(", f"bench.{one}(")
        if "vault.decide" in text or text.count("bench.") < 2:
            raise RuntimeError(f"the twin of {name} would decide")
        setup.execute(text.encode())
    for name in ("decide", *COPIED):
        setup.execute(RIGHTS.format(name).encode())


def _definition(setup: Connection, name: str) -> str:
    [(text,)] = setup.execute(
        "SELECT pg_get_functiondef(oid) FROM pg_proc"
        " WHERE pronamespace = 'vault'::regnamespace AND proname = %s",
        [name],
    ).fetchall()
    return str(text)


def _decide(setup: Connection, desks: Sequence[Desk]) -> sql.Composed:
    """The decision with its own parameters and another body: each desk's facts, in so many words."""
    head, mark, _body = _definition(setup, "decide").partition("AS $function$")
    head = head.replace("vault.decide(", "bench.decide(", 1)
    cases = [_facts(setup, desk) for desk in desks]
    return sql.SQL("{}{}BEGIN {} RAISE 'no desk'; END $function$").format(
        sql.SQL(head),
        sql.SQL(mark),
        sql.SQL(" ").join(cases),
    )


def _facts(setup: Connection, desk: Desk) -> sql.Composed:
    """What the real decision says of this desk."""
    decided = setup.execute(
        "SELECT d.* FROM vault.decide(%s::bytea, 'view', %s::text, p_grant => %s::bigint,"
        " p_categories => '{contact}', p_lock => false) d",
        [desk.caller.digest, desk.account, desk.grant],
    )
    facts, columns = decided.fetchone(), decided.description
    if facts is None or columns is None or dict(zip([c.name for c in columns], facts, strict=True))["reason"]:
        raise RuntimeError(f"the gate is shut: {facts}")
    return sql.SQL("IF p_grant = {} THEN SELECT {} INTO {}; RETURN; END IF;").format(
        sql.Literal(desk.grant),
        sql.SQL(", ").join(sql.Literal(fact) for fact in facts),
        sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
    )
