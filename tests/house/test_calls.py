"""The database is called in one way (audit/database.py), and each role calls exactly what it may.

Read from the code: who calls which function, over which connection, with which arguments. Compared with the
catalogue: the arguments and columns that the function has, and the rights of the connection's role.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.conf import settings

from audit.installation import SCHEMAS
from gatekeeper.installation import roles
from tests.house.source import ROOT, modules, name_of

if TYPE_CHECKING:
    from tests.conftest import Connection

#: Who executes SQL through cursors of their own, and why; everybody else goes through audit/database.py.
BY_THEMSELVES: Final = {
    "audit/database.py": "the one way",
    "audit/installation.py": "runs whole .sql files, as the migrator, in one transaction",
    "audit/explorer/finding.py": "SET LOCAL, which gives no row",
    "audit/seal/copying.py": "writes that give no row",
    "audit/seal/judging.py": "SET TRANSACTION, and COPY",
    "audit/seal/proofs.py": "COPY",
    "audit/seal/sealing.py": "SET LOCAL, and a write that gives no row",
    "audit/seal/inclusion_status.py": "COPY",
    "audit/seal/verification.py": "SET TRANSACTION, and a cursor on the server for many rows",
    "audit/seal/waiting.py": "COPY",
    "audit/seal/writing.py": "COPY, and writes that give no row",
    "gatekeeper/installation/cluster.py": "the superuser's, before there is an alias",
    "gatekeeper/installation/connections.py": "a connection beside the aliases, to try one out",
    "gatekeeper/installation/roles.py": "roles, databases and rights, as the superuser",
}
#: Calls over a connection that is handed on: whose it is.
HANDED_ON: Final[dict[str, tuple[str, ...]]] = {
    "audit/seal/delays.py": (roles.WEB, roles.SEALER),
    "audit/seal/sealing.py": (roles.SEALER,),
    "audit/seal/silence.py": (roles.SEALER,),
    "audit/seal/spans.py": (roles.SEALER,),
    "audit/seal/writing.py": (roles.SEALER,),
    "staff/directory/recoveries.py": (),  # the superuser's
}
#: What a role may execute without calling it: functions that run with the rights of whoever calls them do.
WITHIN: Final = {
    ("vault.record_view", roles.VAULT): "vault.reveal",
    ("vault.release_view", roles.VAULT): "vault.reveal",
    ("audit.end_of_day", roles.WEB): "staff.blocked_by_version",
    ("audit.limit_of", roles.WEB): "audit.end_of_day",
    ("staff.has_signed", roles.WEB): "staff.to_sign",
}


@dataclass(frozen=True)
class Call:
    """One place that calls a function; `roles` empty where it is a superuser or the owner."""

    place: str
    function: str
    roles: tuple[str, ...]
    given: frozenset[str]
    is_open: bool  # takes more arguments out of a mapping
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    """As the catalogue has it."""

    taken: frozenset[str]
    needed: frozenset[str]
    gives: frozenset[str]
    roles: frozenset[str]


def names_of(tree: ast.Module) -> set[str]:
    """What this module calls `call` and `calls`."""
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "audit.database"]
    return {a.asname or a.name for n in imports for a in n.names if a.name in {"call", "calls"}}


def calls_in(path: Path) -> Iterator[Call]:
    place, tree = str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))
    ours = names_of(tree)
    for node in ast.walk(tree) if ours else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ours:
            yield read(node, path, place)


def read(node: ast.Call, path: Path, place: str) -> Call:
    function = node.args[0]
    named = function.value if isinstance(function, ast.Constant) else None
    assert isinstance(named, str), f"{place}:{node.lineno} does not name its function"
    given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    into = given.pop("into", None)
    using = given.pop("using", None)
    names = set(given) | ({"digest", "context"} if len(node.args) > 1 else set())
    columns = () if into is None else value_of(into, path).__match_args__
    return Call(
        f"{place}:{node.lineno}",
        named,
        HANDED_ON[place] if using is not None and is_handed_on(using) else role_of(using, path),
        frozenset(names),
        any(keyword.arg is None for keyword in node.keywords),
        columns,
    )


def is_handed_on(node: ast.expr) -> bool:
    """Whether that is a variable, and no constant of the module's."""
    name = ast.unparse(node)
    return not (isinstance(node, ast.Constant) or name.rpartition(".")[2].isupper() or name == "SIGN_IN")


def value_of(node: ast.expr, path: Path) -> Any:
    """What an expression of the module's constants is."""
    found: Any = importlib.import_module(name_of(path))
    if isinstance(node, ast.Constant):
        return node.value
    for part in ast.unparse(node).split("."):
        found = getattr(found, part)
    return found


def role_of(using: ast.expr | None, path: Path) -> tuple[str, ...]:
    alias = "default" if using is None else value_of(using, path)
    role = settings.DATABASES[alias]["USER"]
    return () if role == roles.MIGRATOR else (role,)


CATALOGUE: Final = """
    SELECT n.nspname || '.' || p.proname, coalesce(p.proargnames, '{}'), p.pronargdefaults,
        coalesce(p.proargmodes::text[], array_fill('i'::text, ARRAY[p.pronargs])),
        (SELECT coalesce(array_agg(x.grantee::regrole::text), '{}')
         FROM aclexplode(p.proacl) x WHERE x.grantee <> p.proowner)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = ANY(%s)
"""


def catalogue(connection: Connection) -> dict[str, Function]:
    found: dict[str, Function] = {}
    for name, names, defaults, modes, granted in connection.execute(CATALOGUE, [list(SCHEMAS)]).fetchall():
        pairs = list(zip(names, modes or (), strict=True))
        taken = [one.removeprefix("p_") for one, mode in pairs if mode in "ib"]
        gives = frozenset(one for one, mode in pairs if mode in "otb")
        assert name not in found, f"two functions are {name}: a call does not say which"
        found[name] = Function(
            frozenset(taken), frozenset(taken[: len(taken) - defaults]), gives, frozenset(granted)
        )
    return found


CALLS: Final = [call for path in modules() for call in calls_in(path)]


@pytest.fixture
def functions(db: None, setup_connection: Connection) -> dict[str, Function]:
    return catalogue(setup_connection)


def test_nobody_else_executes_sql() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"cursor", "execute", "executemany"}
        and ast.unparse(node.func.value) != "super()"
    }
    assert found == set(BY_THEMSELVES)


def test_each_call_gives_the_arguments_of_its_function(functions: dict[str, Function]) -> None:
    wrong = []
    for one in CALLS:
        function = functions[one.function]
        needed = frozenset() if one.is_open else function.needed
        if not needed <= one.given <= function.taken:
            wrong.append((one.place, one.function, sorted(one.given ^ function.taken)))
    assert not wrong


def test_each_call_takes_columns_that_its_function_gives(functions: dict[str, Function]) -> None:
    wrong = [
        (one.place, one.function, one.columns)
        for one in CALLS
        if not set(one.columns) <= functions[one.function].gives
        or (not one.columns and functions[one.function].gives)
    ]
    assert not wrong


def test_each_call_is_its_roles_right(functions: dict[str, Function]) -> None:
    wrong = [
        (one.place, one.function, role)
        for one in CALLS
        for role in one.roles
        if role not in functions[one.function].roles
    ]
    assert not wrong


def test_no_role_may_execute_what_it_never_calls(functions: dict[str, Function]) -> None:
    called = defaultdict(set)
    for one in CALLS:
        for role in one.roles:
            called[role].add(one.function)
    texts = set(re.findall(r"\w+\.\w+", "\n".join(statements())))
    unused = {
        (name, role)
        for name, function in functions.items()
        for role in function.roles
        if name not in called[role] and name not in texts
    }
    assert unused == set(WITHIN)
    assert all(role in functions[caller].roles for (_name, role), caller in WITHIN.items())


def statements() -> Iterator[str]:
    """Texts in the code, but what explains it."""
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
                yield node.value
