"""What each role may do with each object, read from PostgreSQL's catalogue.

`python -m tests.rights` migrates a database of its own and writes the table into gatekeeper/README.md.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg

from gatekeeper.installation import roles
from tests import environment, readme
from tests.world.schemas import OURS

if TYPE_CHECKING:
    from tests.conftest import Connection

COLUMNS: Final = ("PUBLIC", *roles.RUN_TIME, roles.MIGRATOR)
NONE: Final = "–"

# An object that was never granted nor revoked has no list of rights: acldefault says what that means.
OBJECTS: Final = f"""
    SELECT 1, 'database', 'the database', NULL, d.datdba, coalesce(d.datacl, acldefault('d', d.datdba))
    FROM pg_database d WHERE d.datname = current_database()
    UNION ALL
    SELECT 2, 'schema', n.nspname, NULL, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
    FROM pg_namespace n
    WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'recording')
    UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 4 ELSE 3 END,
        CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END,
        n.nspname || '.' || c.relname, NULL, c.relowner,
        coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN {OURS} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 3, 'table', n.nspname || '.' || c.relname, a.attname, c.relowner, a.attacl
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN {OURS} AND a.attacl IS NOT NULL
    UNION ALL
    SELECT 5, 'function', n.nspname || '.' || p.proname, NULL, p.proowner,
        coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN {OURS}
"""
RIGHTS: Final = f"""
    SELECT o.kind, o.name, o.owner::regrole::text,
        CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END,
        x.privilege_type || CASE WHEN x.is_grantable THEN ' (may pass it on)' ELSE '' END, o.attribute
    FROM ({OBJECTS}) AS o (place, kind, name, attribute, owner, acl)
        LEFT JOIN LATERAL aclexplode(o.acl) x ON x.grantee <> o.owner
    ORDER BY o.place, o.name, 4, 5, o.attribute
"""


@dataclass(frozen=True)
class Object:
    """Something that rights are about."""

    kind: str
    name: str
    owner: str


def read_rights(connection: Connection) -> dict[Object, dict[str, str]]:
    """Every object with every role's rights on it, in words; the owner's own are left out."""
    found: dict[Object, dict[str, dict[str, list[str]]]] = {}
    for kind, name, owner, role, right, attribute in connection.execute(RIGHTS).fetchall():
        of_roles = found.setdefault(Object(kind, name, owner), defaultdict(lambda: defaultdict(list)))
        if role is not None:
            of_roles[role][right].append(attribute or "")
    return {thing: {role: _words(rights) for role, rights in of.items()} for thing, of in found.items()}


def _words(rights: dict[str, list[str]]) -> str:
    """{"SELECT": [""], "UPDATE": ["theme"]} -> SELECT, UPDATE (theme)."""
    return ", ".join(
        right if attributes == [""] else f"{right} ({', '.join(filter(None, attributes))})"
        for right, attributes in rights.items()
    )


def table(connection: Connection) -> str:
    """The rights as gatekeeper/README.md has them: objects with the same rights share a line."""
    lines: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for thing, rights in read_rights(connection).items():
        lines[(thing.kind, *(rights.get(role, NONE) for role in COLUMNS))].append(thing.name)
    names = (role.removeprefix("gatekeeper_") for role in COLUMNS)
    head = [f"| | {' | '.join(names)} |", "|---|" + "---|" * len(COLUMNS)]
    return "\n".join([*head, *(_line(names, *key) for key, names in lines.items())])


def _line(names: list[str], kind: str, *rights: str) -> str:
    if kind == "database":
        return f"| the database | {' | '.join(rights)} |"
    plural = "s" if len(names) > 1 else ""
    return f"| {kind}{plural} {', '.join(f'`{name}`' for name in names)} | {' | '.join(rights)} |"


def main() -> None:
    """Put the table of a freshly migrated database into gatekeeper/README.md."""
    environment.start_server()
    environment.set_databases()
    import django  # settings come first
    from django.core.management import call_command

    try:
        django.setup()
        roles.create_database(environment.setup_url(), environment.database_name())
        call_command("migrate", verbosity=0, interactive=False)
        with psycopg.connect(environment.setup_url(environment.database_name())) as connection:
            readme.write("rights", table(connection))
    finally:
        environment.pytest_unconfigure()


if __name__ == "__main__":
    main()
