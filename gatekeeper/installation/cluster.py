"""What bootstrap made of the server, as it stands now: the roles' own settings, limits and rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from gatekeeper.installation import connection_budget, roles

if TYPE_CHECKING:
    from psycopg import Connection

#: A setting that a role has for its own sessions, and the statement that resets it.
_OWN: Final = """
    SELECT r.rolname, x.name, x.value, quote_ident(x.name), quote_ident(d.datname)
    FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
        LEFT JOIN pg_database d ON d.oid = s.setdatabase
        CROSS JOIN LATERAL (
            SELECT split_part(c, '=', 1), substr(c, strpos(c, '=') + 1) FROM unnest(s.setconfig) c
        ) AS x (name, value)
    WHERE r.rolname = ANY (%s) AND (s.setdatabase = 0 OR d.datname = current_database())
    ORDER BY 1, 5, 2
"""
_SERVER: Final = """
    SELECT (SELECT setting::int FROM pg_settings WHERE name = 'max_connections'),
        (SELECT sum(setting::int) FROM pg_settings
         WHERE name IN ('superuser_reserved_connections', 'reserved_connections'))
"""
_ROLES: Final = """
    SELECT r.rolname, r.rolconnlimit,
        (SELECT count(*)::int FROM pg_stat_activity a WHERE a.usesysid = r.oid)
    FROM pg_roles r WHERE r.rolname = ANY (%s)
"""
_MADE: Final = """
    SELECT pg_has_role(%s, %s, 'USAGE'),
        NOT EXISTS (SELECT FROM unnest(%s::regprocedure[]) f, unnest(%s::regrole[]) r
                    WHERE has_function_privilege(r::oid, f::oid, 'EXECUTE'))
"""


@dataclass(frozen=True)
class Stray:
    """A setting of a role's own that bootstrap did not make, and the statement that undoes it."""

    role: str
    name: str
    value: str
    undo: str

    def __str__(self) -> str:
        return f"{self.role}: {self.name} = {self.value[:40]}"


def strays(connection: Connection[Any]) -> list[Stray]:
    """Every setting that our roles have of their own beyond what bootstrap made, and what of that is gone."""
    wanted = {(role, name): value for role, of in roles.PARAMETERS.items() for name, value in of.items()}
    found = []
    for role, name, value, quoted, database in connection.execute(_OWN, [[roles.OWNER, *roles.LOGIN]]):
        where = f" IN DATABASE {database}" if database else ""
        was = None if database else wanted.pop((role, name), None)
        if was != value:
            undo = f"SET {quoted} = '{was}'" if was else f"RESET {quoted}"
            found.append(Stray(role, name, value, f"ALTER ROLE {role}{where} {undo};"))
    for (role, name), was in wanted.items():
        found.append(Stray(role, name, "?", f"ALTER ROLE {role} SET {name} = '{was}';"))
    return found


def is_made(connection: Connection[Any]) -> bool:
    """Whether the owner may tell who holds the sealing up, and nobody makes large objects."""
    functions = [f"pg_catalog.{name}" for name in roles.LARGE_OBJECTS]
    values = [roles.OWNER, roles.STATISTICS, functions, list(roles.LOGIN)]
    [row] = connection.execute(_MADE, values).fetchall()
    return all(row)


@dataclass(frozen=True)
class Connections:
    """How many connections there may be, and what is wrong with that: `small` the server, `limits` the roles
    whose limit is not what the budget says, `full` those that are at their limit."""

    room: int
    wanted: int
    limits: list[str]
    full: list[str]

    @property
    def is_small(self) -> bool:
        """Whether the server allows fewer connections than the installation needs."""
        return self.room < self.wanted


def connections(connection: Connection[Any]) -> Connections:
    """The budget of the installation against what the server says."""
    [(room, reserved)] = connection.execute(_SERVER).fetchall()
    limits = connection_budget.limits(settings.PROCESSES)
    rows = connection.execute(_ROLES, [list(limits)]).fetchall()
    return Connections(
        room,
        connection_budget.wanted(settings.PROCESSES, reserved),
        sorted(role for role, limit, _count in rows if limit != limits[role]),
        sorted(role for role, limit, count in rows if 0 <= limit <= count),
    )
