"""The READMEs' tables, made from the code: `python -m tests.readme` writes them, a test compares them.

The bench's table is not among them: `make bench` prints it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
#: A longer paper stands in the folder that it speaks of.
READMES = (
    README,
    ROOT / "gatekeeper/README.md",
    ROOT / "gatekeeper/installation/README.md",
    ROOT / "gatekeeper/feeds/README.md",
    ROOT / "staff/README.md",
    ROOT / "audit/README.md",
    ROOT / "tests/README.md",
    ROOT / "tests/attacks/README.md",
)


def conditions() -> str:
    """Every condition with its reason codes, from the catalogue."""
    from django.utils.translation import override

    from gatekeeper import catalogue
    from gatekeeper.gate import conditions

    rows = ["| condition | on the page | reason codes when it does not hold |", "|---|---|---|"]
    with override("en"):
        for name, codes in catalogue.CONDITIONS.items():
            rows.append(f"| `{name}` | {conditions.title(name)} | {_codes(codes)} |")
    rows.append(f"| beside them | | {_codes(catalogue.OTHER_REASONS)} |")
    return "\n".join(rows)


def addresses() -> str:
    """Every address with what its view says of itself, from the URL list."""
    from django.urls import URLPattern, get_resolver

    rows = ["| address | name | what it is |", "|---|---|---|"]
    for pattern in get_resolver().url_patterns:
        assert isinstance(pattern, URLPattern), "addresses stand in one flat list"
        words = " ".join((pattern.callback.__doc__ or "").strip().split("\n\n")[0].split())
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", str(pattern.pattern))
        rows.append(f"| `/{path}` | `{pattern.name}` | {words} |")
    return "\n".join(rows)


def settings() -> str:
    """Every setting, from the environment's table."""
    from gatekeeper.installation.settings_table import table

    return table()


def connections() -> str:
    """How many connections each role may have, by the processes of the default."""
    from gatekeeper.installation import connection_budget, roles
    from gatekeeper.installation.settings_table import BY_NAME

    processes = connection_budget.read(BY_NAME["PROCESSES"].default or "")
    beside, needed, limits = (
        connection_budget.need(()),
        connection_budget.need(processes),
        connection_budget.limits(processes),
    )
    rows = ["| role | threads | beside them | limit |", "|---|---|---|---|"]
    for role in roles.LINKS.values():
        rows.append(f"| `{role}` | {needed[role] - beside[role]} | {beside[role]} | {limits[role]} |")
    wanted = connection_budget.wanted(processes, SUPERUSERS)
    rows.append(
        f"| together, one of them at its limit, with {SUPERUSERS} for superusers | | | **{wanted}** |"
    )
    return "\n".join(rows)


def users() -> str:
    """The system's users with their units, and which roles PostgreSQL lets each be."""
    from gatekeeper.installation import roles
    from gatekeeper.installation.logins import USERS
    from tests.shipped.units import read_units

    units = read_units(ROOT / "gatekeeper" / "installation" / "units")
    rows = ["| user | units | roles |", "|---|---|---|"]
    for user, links in USERS.items():
        theirs = _codes(tuple(sorted(name for name, unit in units.items() if unit.user == user)))
        rows.append(
            f"| `{user}` | {theirs or 'commands by hand'} | {_codes(tuple(roles.LINKS[x] for x in links))} |"
        )
    return "\n".join(rows)


#: superuser_reserved_connections, as PostgreSQL comes.
SUPERUSERS = 3
TABLES = {
    "conditions": conditions,
    "addresses": addresses,
    "settings": settings,
    "connections": connections,
    "users": users,
}


def _codes(codes: tuple[str, ...]) -> str:
    return " ".join(f"`{code}`" for code in codes)


def place(name: str) -> Path:
    """The one README that has these markers."""
    places = [path for path in READMES if f"<!-- {name} -->\n" in path.read_text()]
    assert len(places) == 1, f"{len(places)} READMEs have markers for {name}"
    return places[0]


def stands(name: str) -> str:
    """What a README has between the markers."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", place(name).read_text(), re.DOTALL)
    assert found, f"no README has both markers for {name}"
    return found[1].strip()


def write(name: str, table: str) -> None:
    """Put a table between its markers."""
    path = place(name)
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    path.write_text(pattern.sub(lambda found: f"{found[1]}{table}\n{found[2]}", path.read_text()))


if __name__ == "__main__":
    import django

    import tests.typed_settings  # noqa: F401  # secrets for a process that connects nowhere

    django.setup()
    for one, make in TABLES.items():
        write(one, make())
        sys.stdout.write(f"{one}\n")
