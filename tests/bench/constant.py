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
DECIDE: Final = "gatekeeper.decide"
COPIED: Final = ("vault.record_view", "vault.release_view", "vault.reveal")
RIGHTS: Final = """
    ALTER ROUTINE {0} OWNER TO gatekeeper_owner;
    REVOKE ALL ON ROUTINE {0} FROM PUBLIC;
    GRANT EXECUTE ON ROUTINE {0} TO gatekeeper_vault;
"""


def install(setup: Connection, desks: Sequence[Desk]) -> None:
    """Make the twin for these desks."""
    setup.execute(_decide(setup, desks))
    for name in COPIED:
        text = _definition(setup, name)
        for one in (DECIDE, *COPIED):
            text = text.replace(f"{one}(", f"{_twin(one)}(")
        if DECIDE in text or text.count("bench.") < 2:
            raise RuntimeError(f"the twin of {name} would decide")
        setup.execute(text.encode())
    for name in (DECIDE, *COPIED):
        setup.execute(RIGHTS.format(_twin(name)).encode())


def _twin(name: str) -> str:
    """A function's name in the schema of the twins."""
    return f"bench.{name.partition('.')[2]}"


def _definition(setup: Connection, name: str) -> str:
    [(text,)] = setup.execute("SELECT pg_get_functiondef(%s::regproc)", [name]).fetchall()
    return str(text)


def _decide(setup: Connection, desks: Sequence[Desk]) -> sql.Composed:
    """The decision with its own parameters and another body: each desk's facts, in so many words."""
    head, mark, _body = _definition(setup, DECIDE).partition("AS $function$")
    head = head.replace(f"{DECIDE}(", f"{_twin(DECIDE)}(", 1)
    cases = [_facts(setup, desk) for desk in desks]
    return sql.SQL("{}{}BEGIN {} RAISE 'no desk'; END $function$").format(
        sql.SQL(head),
        sql.SQL(mark),
        sql.SQL(" ").join(cases),
    )


def _facts(setup: Connection, desk: Desk) -> sql.Composed:
    """What the real decision says of this desk."""
    decided = setup.execute(
        "SELECT d.* FROM gatekeeper.decide(%s::bytea, 'view', %s::text, p_grant => %s::bigint,"
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
