"""Every attack of tests/attacks/sql is tried as its role, and meets the verdict that its head names."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from audit.models import Entry, Flag
from gatekeeper.gate import answers
from gatekeeper.installation import roles
from gatekeeper.pages import health
from gatekeeper.reviews import finding
from staff.sign_in import sheets
from tests.attacks import files
from tests.world.people import give_factors, member
from tests.world.scene import REFERENCE, TICKET, Scene
from tests.world.schemas import OURS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.attacks.files import Attack
    from tests.conftest import AsRole, Connection

DATABASE = pytest.mark.django_db(transaction=True, databases="__all__")
OTHER: Final = "MOC-40002"
#: So many files each role has at least.
LEAST: Final = 3
#: What a statement meets that is out of date, and was refused for no other reason: a table, column or
#: function that is not there, or a mistake in writing.
OUT_OF_DATE: Final = (
    psycopg.errors.SyntaxError,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
    psycopg.errors.UndefinedParameter,
    psycopg.errors.DatatypeMismatch,
)
TABLES: Final = f"SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN {OURS} ORDER BY 1"
DIGEST: Final = "SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM {} t"
OBJECTS: Final = {
    "newest entry": "SELECT coalesce(max(id), 0) FROM audit_entry",
    "large objects": "SELECT count(*) FROM pg_largeobject_metadata",
    "what roles have set": "SELECT s.setrole::regrole::text, s.setconfig FROM pg_db_role_setting s"
    " JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database() ORDER BY 1",
}
#: What a refusal adds to.
LOG: Final = {"public.audit_entry", "newest entry"}


@dataclass(frozen=True)
class Target:
    """A consultant with a live grant, their manager, and one of each thing that is worth an attack."""

    scene: Scene
    names: Mapping[str, Any]


@pytest.fixture
def target(setup_connection: Connection, transactional_db: None) -> Target:
    scene = Scene(setup_connection)
    give_factors(scene.world, scene.anna, scene.boss)
    sheets.make(member(scene.boss))
    setup_connection.execute("UPDATE staff_recoverydevice SET confirmed = true")
    setup_connection.execute("UPDATE staff_recoverycode SET used_at = now() WHERE id % 2 = 0")
    setup_connection.execute("UPDATE staff_session SET verified_at = now()")  # a new factor took it back
    scene.world.account(OTHER)
    grant = scene.opened()
    assert isinstance(scene.reveal(), answers.Reveal)
    view = Entry.objects.filter(event="view").latest("pk")
    finding.find("tests")
    return Target(
        scene,
        {
            "account": REFERENCE,
            "other": OTHER,
            "ticket": TICKET,
            "member": scene.anna.id,
            "number": scene.anna.number,
            "manager": scene.boss.id,
            "session": scene.session,
            "grant": grant,
            "request": view.request_id,
            "entry": view.pk,
            "digest": scene.caller.digest,
        },
    )


# The files


@pytest.mark.parametrize("path", files.every(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_file_says_who_wants_what_and_what_becomes_of_it(path: Path) -> None:
    attack = files.read(path)
    assert attack.role == f"gatekeeper_{path.parent.name}"
    assert attack.role in roles.LOGIN
    assert attack.wants.endswith(".")


def test_no_role_is_left_out() -> None:
    counted = Counter(f"gatekeeper_{path.parent.name}" for path in files.every())
    assert {role: counted[role] for role in roles.RUN_TIME if counted[role] < LEAST} == {}


@DATABASE
@pytest.mark.parametrize("path", files.every(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_attack_meets_its_verdict(path: Path, target: Target, as_role: AsRole) -> None:
    meet(files.read(path), target, as_role)


# What signing in changes with an entry alone (staff.require_entry)

#: Every trigger that asks for the entry, and an attack that it alone refuses.
ASKING: Final = {
    "factor_begun_is_recorded": "factor_inserted",
    "factor_is_recorded": "factor_key_replaced",
    "factor_removed_is_recorded": "factor_removed",
    "passkey_is_recorded": "passkey_inserted",
    "sheet_begun_is_recorded": "sheet_inserted",
    "sheet_is_recorded": "sheet_moved",
    "sheet_removed_is_recorded": "sheet_removed",
    "code_is_recorded": "code_inserted",
    "code_used_is_recorded": "code_used_again",
    "password_is_recorded": "password_changed",
    "link_is_recorded": "link_inserted",
}


@DATABASE
def test_every_trigger_that_asks_for_an_entry_is_tried(setup_connection: Connection) -> None:
    found = setup_connection.execute(
        "SELECT tgname FROM pg_trigger WHERE tgfoid = 'staff.require_entry()'::regprocedure"
    ).fetchall()
    assert {name for (name,) in found} == set(ASKING)


@DATABASE
@pytest.mark.parametrize(("trigger", "attack"), ASKING.items(), ids=str)
def test_without_the_trigger_the_attack_gets_through(
    target: Target, as_role: AsRole, trigger: str, attack: str
) -> None:
    setup, path = target.scene.world.setup, files.FOLDER / "signin" / f"{attack}.sql"
    [(table,)] = setup.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s", [trigger]
    ).fetchall()
    setup.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}".encode())
    try:
        with closing(as_role(roles.SIGNIN)) as connection:
            assert tried(connection, files.read(path), target.names)[0] is None
    finally:
        setup.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}".encode())


# The runner itself


@DATABASE
@pytest.mark.parametrize(
    ("verdict", "statement", "wrong"),
    [
        ("refused", "SELECT 1", "was not refused"),
        ("refused", "SELECT nothing FROM public.audit_flag", "out of date"),
        ("refused: another word", "TRUNCATE public.audit_entry", "another word"),
        ("nothing", "DELETE FROM public.gatekeeper_accountpermission", "gatekeeper_grant"),
        ("nothing: session_missing", "SELECT 'member_left'", "session_missing"),
        ("seen: gatekeeper.E002", "SELECT 1", "E002"),
        ("seen: hours", "SELECT 1", "hours"),
    ],
)
def test_an_attack_that_does_not_meet_its_verdict_fails(
    tmp_path: Path, target: Target, as_role: AsRole, verdict: str, statement: str, wrong: str
) -> None:
    path = tmp_path / "attack.sql"
    path.write_text(f"-- As: gatekeeper_web\n-- Wants: a test.\n-- Verdict: {verdict}\n{statement};\n")
    with pytest.raises(AssertionError, match=wrong):
        meet(files.read(path), target, as_role)


def test_statements_end_with_a_semicolon_outside_of_a_body(tmp_path: Path) -> None:
    path = tmp_path / "attack.sql"
    head = "-- As: gatekeeper_web\n-- Wants: a test.\n-- Verdict: nothing\n"
    path.write_text(
        f"{head}SELECT 1;\n-- why\nDO $$ BEGIN\n  NULL;\nEND $$;\nSELECT :a::text, '12:30', 5 % 2\n"
    )
    statements = files.read(path).statements
    assert statements == ("SELECT 1;", "DO $$ BEGIN\n  NULL;\nEND $$;", "SELECT :a::text, '12:30', 5 % 2")
    assert files.bound(statements[2]) == "SELECT %(a)s::text, '12:30', 5 %% 2"


@pytest.mark.parametrize(
    "text", ["", "-- As: gatekeeper_web\nSELECT 1;\n", "-- As: x\n-- Wants: y\n-- Verdict: fine\nSELECT 1;\n"]
)
def test_a_file_without_a_whole_head_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "attack.sql").write_text(text)
    with pytest.raises(ValueError, match=r"attack\.sql"):
        files.read(tmp_path / "attack.sql")


# Meeting a verdict


def meet(attack: Attack, target: Target, as_role: AsRole) -> None:
    """Try it, and compare what became of it with its verdict."""
    setup = target.scene.world.setup
    connection = as_role(attack.role)
    seen_before = seen() if attack.kind == "seen" else set()
    before = stand(setup)
    try:
        error, answer = tried(connection, attack, target.names)
        if attack.kind == "seen":
            assert error is None, error
            assert attack.words in seen() - seen_before, f"{attack.words} does not show it"
            return
        if attack.kind == "refused":
            assert error, f"was not refused: {answer}"
            assert not isinstance(error, OUT_OF_DATE), f"out of date: {error}"
            assert isinstance(error, psycopg.errors.InsufficientPrivilege) or attack.words, error
            assert attack.words in str(error)
        else:
            assert error is None, error
            assert attack.words in str(answer)
        refusals_may_come = attack.kind == "nothing" and only_refusals_since(before, setup)
        changed = {name for name, rows in stand(setup).items() if rows != before[name]}
        assert changed <= (LOG if refusals_may_come else set()), changed
    finally:
        connection.close()
        undo(setup, attack.role)


def tried(
    connection: Connection, attack: Attack, names: Mapping[str, Any]
) -> tuple[psycopg.Error | None, list[Any]]:
    """Run its statements; the first error, and all rows that came."""
    # The suite's own watch over writes without an entry must not be what refuses.
    connection.execute("SET recording.off = 'on'")
    connection.execute("SET statement_timeout = '20s'")
    answer: list[Any] = []
    cursor = psycopg.ClientCursor(connection)
    try:
        for statement in attack.statements:
            cursor.execute(files.bound(statement).encode(), names)
            answer += cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        return error, answer
    return None, answer


def stand(setup: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """What there is: each table as one digest, the newest entry, large objects, what roles have set."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name, statement in OBJECTS.items():
        found[name] = setup.execute(statement.encode()).fetchall()
    for (table,) in setup.execute(TABLES).fetchall():
        found[table] = setup.execute(DIGEST.format(table).encode()).fetchall()
    return found


def only_refusals_since(before: dict[str, list[tuple[Any, ...]]], setup: Connection) -> bool:
    """Whether nothing but refusals was added to the log."""
    [(newest,)] = before["newest entry"]
    newer = "SELECT FROM audit_entry WHERE id > %s AND outcome NOT IN ('refused', 'withheld')"
    return setup.execute(newer, [newest]).fetchone() is None


def seen() -> set[str]:
    """What shows something: rows of the page of checks that are to be fixed, and rules that found any."""
    finding.find("tests")
    rules = set(Flag.objects.values_list("rule", flat=True))
    return rules | {row.id for row in health.rows() if row.state == "to_fix"}


def undo(setup: Connection, role: str) -> None:
    """What a role set for itself, and objects that no table has, would stay for other tests."""
    [(name,)] = setup.execute("SELECT current_database()").fetchall()
    setup.execute(f"ALTER ROLE {role} IN DATABASE {name} RESET ALL".encode())
    setup.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
