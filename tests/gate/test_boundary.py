"""Attacks in raw SQL, as each role that can log in: what the database itself refuses.

gatekeeper/README.md, 'The boundary', has what it cannot.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import psycopg
import pytest
from psycopg import IsolationLevel, sql
from psycopg.types.json import Jsonb

from audit.models import Entry, Event
from gatekeeper.gate import answers, decision
from gatekeeper.installation import roles
from gatekeeper.models import AccountPermission, Grant
from staff.frame.callers import Caller
from staff.models import Member
from tests import environment
from tests.conftest import AsRole, Connection
from tests.world import LONG_AGO, VALUES, now
from tests.world.entries import entry as entry_of
from tests.world.keys import session_of
from tests.world.raw import NAME, record, recorded, refused, release
from tests.world.scene import REFERENCE, Scene, newest

DATABASE = pytest.mark.django_db(transaction=True, databases="__all__")
EMAIL = "contact.email"
OTHER = "MOC-40002"


@pytest.fixture
def scene(setup_connection: Connection, transactional_db: None) -> Scene:
    """Anna's window is open."""
    made = Scene(setup_connection)
    made.opened()
    return made


@pytest.fixture
def vault(as_role: AsRole) -> Connection:
    return as_role(roles.VAULT)


@pytest.fixture
def web(as_role: AsRole) -> Connection:
    return as_role(roles.WEB)


def columns(setup: Connection, table: str) -> list[str]:
    rows = setup.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [table],
    )
    return [row[0] for row in rows]


# The vault's tables

AT_THE_VAULT = (
    "SELECT * FROM {}",
    "SELECT count(*) FROM {}",
    "SELECT FROM {} FOR UPDATE",
    "SELECT query_to_xml('SELECT * FROM {}', true, false, '')",
    "EXPLAIN SELECT * FROM {}",
    "DECLARE kept CURSOR WITH HOLD FOR SELECT * FROM {}",
    "COPY {} TO STDOUT",
    "COPY (SELECT * FROM {}) TO STDOUT",
    "COPY {} FROM STDIN",
    "INSERT INTO {} DEFAULT VALUES",
    "UPDATE {} SET account_id = 1",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "DROP TABLE {}",
    "ALTER TABLE {} OWNER TO CURRENT_USER",
    "GRANT SELECT ON {} TO PUBLIC",
    "DO $$ BEGIN LOCK TABLE {}; END $$",
    "DO $$ BEGIN PERFORM FROM {}; END $$",
)


@pytest.mark.parametrize("role", roles.LOGIN)
@pytest.mark.parametrize("table", ["vault.account", "vault.participant"])
def test_no_role_reads_or_writes_the_vaults_tables(as_role: AsRole, role: str, table: str) -> None:
    connection = as_role(role)
    for statement in AT_THE_VAULT:
        refused(connection, statement.format(table))


@DATABASE
@pytest.mark.parametrize("role", roles.RUN_TIME)
def test_statistics_tell_no_role_a_value(scene: Scene, as_role: AsRole, role: str) -> None:
    scene.world.setup.execute("ANALYZE vault.account")
    counted = "SELECT count(*) FROM pg_stats WHERE schemaname = 'vault'"
    known = scene.world.setup.execute(counted).fetchone()
    assert known is not None
    assert known[0] > 0
    assert as_role(role).execute(counted).fetchone() == (0,)


INTERNAL = (
    "audit.write_entry('view', 'allowed', '{}')",
    "gatekeeper.decide(NULL, 'gate')",
    "gatekeeper.end_grants('{1}', '', NULL, '{}')",
    "gatekeeper.start_window(1, '{}')",
    "staff.apply_change(1, 1, 'suspended', 'false')",
    "audit.write_import('accounts', true, '{}', '', '')",
    "staff.is_set_up()",
    "staff.propose('{}', '{}', 'roles', '[]')",
    "staff.propose_line('{}', 'roles', '[]')",
    "staff.expire_proposals(NULL)",
    "staff.reset_returning_member(1, '2026-01-01', 1)",
    "staff.forget_factors(1)",
    "staff.needs_second_person(1, 'roles', '[]')",
    "staff.value_fits(1, 'roles', '[]')",
    "staff.fact_of(1, 'password')",
    "staff.add_signature('{}', '{}', 1, 'paper', '', now(), now(), '{}', '')",
    "staff.add_version('{}', '{}', 1, now(), 1, 1, false, 'a', 'b')",
    "staff.judge_signature(NULL, 'people', 1)",
    "staff.judge_taking(NULL)",
    "gatekeeper.judge_asked(1, NULL, false)",
    "staff.record_act('view', '{}', '{}', '{}')",
    "staff.judge_command('root', 'K-1000')",
)


@pytest.mark.parametrize("role", roles.LOGIN)
@pytest.mark.parametrize("call", INTERNAL)
def test_no_role_calls_what_is_internal(as_role: AsRole, role: str, call: str) -> None:
    assert "permission denied" in refused(as_role(role), f"SELECT {call}")


@pytest.mark.parametrize(
    "call",
    [
        "vault.record_view(NULL, '{\"cid\": 1}', '', 1, '{}', false)",
        "vault.release_view(NULL, '{\"cid\": 1}', 1)",
        "vault.wrapped_key('MOC-40001')",
    ],
)
def test_the_pages_role_neither_records_nor_releases_a_view(web: Connection, call: str) -> None:
    assert "permission denied" in refused(web, f"SELECT {call}")


def test_the_pages_role_does_not_call_both_at_once(web: Connection) -> None:
    call = "CALL vault.reveal(NULL, '{\"cid\": 1}', '', 1, '{}', false, " + ", ".join(["NULL"] * 11) + ")"
    assert "permission denied for schema" in refused(web, call)


def test_both_at_once_are_two_transactions(scene: Scene, vault: Connection) -> None:
    """In one that the caller holds open the call fails at its COMMIT: no value, and the record is undone."""
    values = [scene.caller.digest, REFERENCE, scene.grant, [NAME]]
    call = "CALL vault.reveal(%s, '{\"cid\": 1}', %s, %s, %s, false, " + ", ".join(["NULL"] * 11) + ")"
    with pytest.raises(psycopg.errors.InvalidTransactionTermination), vault.transaction():
        vault.execute(call, values)
    [row] = vault.execute(call, values).fetchall()
    assert row[1] is None
    assert row[6]


@pytest.mark.parametrize(
    "call",
    [
        "gatekeeper.ask(NULL, '{\"cid\": 1}', '', '', '', '{}', 60, false, '', NULL)",
        "gatekeeper.decide_request(NULL, '{\"cid\": 1}', 1, 'approve', '{}', 60, false, '')",
        "gatekeeper.apply_tickets('[]', '')",
        "staff.change_member(NULL, '{\"cid\": 1}', '', 'roles', '[]')",
        "staff.add_member(NULL, '{\"cid\": 1}', '{}')",
        "staff.decide_proposal(NULL, '{\"cid\": 1}', 1, true)",
        "gatekeeper.gate(NULL, '', NULL, NULL, NULL)",
    ],
)
def test_the_vaults_role_makes_none_of_the_facts_it_is_judged_by(vault: Connection, call: str) -> None:
    assert "permission denied" in refused(vault, f"SELECT {call}")


# Settings

#: What any role may set. None of it may decide.
SETTINGS = (
    "timezone = '<X>+167'",
    "timezone = '<X>-167'",
    "timezone_abbreviations = 'India'",
    "datestyle = 'German, DMY'",
    "intervalstyle = 'sql_standard'",
    "search_path = pg_temp, public, vault",
    "synchronous_commit = off",
    "gatekeeper.member = 'K-1000'",
    "vault.bypass = 'on'",
    "transform_null_equals = on",
    "array_nulls = off",
    "bytea_output = escape",
    "extra_float_digits = -15",
    "standard_conforming_strings = off",
    "row_security = off",
    "check_function_bodies = off",
    "plan_cache_mode = force_generic_plan",
    "enable_indexscan = off",
    "jit = on",
    "lock_timeout = 0",
    "client_min_messages = error",
)
#: What no role may set.
BARRED = (
    "session_replication_role = replica",
    "SESSION AUTHORIZATION gatekeeper_owner",
    "ROLE gatekeeper_owner",
    "ROLE postgres",
    "log_min_messages = panic",
    "allow_system_table_mods = on",
    "lc_messages = 'C'",
    "session_preload_libraries = 'auto_explain'",
    "plpgsql.variable_conflict = use_column",
    "zero_damaged_pages = on",
)


@pytest.mark.parametrize("role", roles.RUN_TIME)
@pytest.mark.parametrize("setting", BARRED)
def test_no_role_sets_what_switches_guards_off(as_role: AsRole, role: str, setting: str) -> None:
    connection = as_role(role)
    connection.execute("DO $$ BEGIN END $$")  # PL/pgSQL and its settings are loaded
    refused(connection, f"SET {setting}")


LAPSES: dict[str, tuple[str, dict[str, Any]]] = {
    "nda_expired": ("staff_signature", {"valid_until": timedelta(days=-6)}),
    "grant_expired": ("gatekeeper_grant", {"window_ends_at": timedelta(seconds=-1)}),
    "session_expired": ("staff_session", {"last_seen_at": timedelta(minutes=-16)}),
    "member_left": ("staff_member", {"left_on": timedelta(days=-2)}),
    "member_not_started": ("staff_member", {"starts_on": timedelta(days=2)}),
}


def lapse(scene: Scene, reason: str) -> None:
    table, shifts = LAPSES[reason]
    rows = {
        "staff_signature": scene.signatures[scene.anna.id],
        "gatekeeper_grant": scene.grant,
        "staff_session": scene.session,
        "staff_member": scene.anna.id,
    }
    scene.world.quietly(table, rows[table], **{name: now() + shift for name, shift in shifts.items()})


@DATABASE
@pytest.mark.parametrize("reason", LAPSES)
def test_no_setting_brings_back_what_has_lapsed(scene: Scene, vault: Connection, reason: str) -> None:
    entry = recorded(vault, scene)
    lapse(scene, reason)
    for setting in SETTINGS:
        vault.execute(f"SET {setting}".encode())
        assert record(vault, scene)[1] == reason, setting
        released = release(vault, scene, entry)
        assert (released.reason, released.nothing) == (reason, True), setting
        vault.execute("RESET ALL")


@DATABASE
@pytest.mark.parametrize("reason", LAPSES)
def test_no_setting_of_the_pages_role_changes_the_gates_answer(
    scene: Scene, web: Connection, reason: str
) -> None:
    lapse(scene, reason)
    asked = "SELECT reason FROM gatekeeper.gate(%s, %s, NULL, %s, NULL)"
    for setting in SETTINGS:
        web.execute(f"SET {setting}".encode())
        answer = web.execute(asked, [scene.caller.digest, REFERENCE, scene.grant]).fetchone()
        assert answer == (reason,), setting
        web.execute("RESET ALL")


@DATABASE
def test_no_setting_widens_a_release(scene: Scene, vault: Connection) -> None:
    for setting in SETTINGS:
        vault.execute(f"SET {setting}".encode())
        assert release(vault, scene, recorded(vault, scene)).fields == [NAME], setting
        vault.execute("RESET ALL")


@DATABASE
def test_a_setting_that_breaks_the_gate_shows_nothing(scene: Scene, vault: Connection) -> None:
    entry = recorded(vault, scene)
    vault.execute("SET plpgsql.extra_errors = 'all'")
    vault.execute("SET default_transaction_read_only = on")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        release(vault, scene, entry)


# Temporary objects

TEMPORARY = (
    "CREATE TEMPORARY TABLE gatekeeper_ticket (state text)",
    "CREATE TEMPORARY VIEW gatekeeper_ticket AS SELECT 'open' AS state",
    "CREATE TEMPORARY SEQUENCE audit_entry_id_seq",
    "SELECT 1 INTO TEMPORARY audit_limit",
    "CREATE DOMAIN pg_temp.text AS pg_catalog.text",
    "CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
    "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
    "CREATE FUNCTION vault.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
    "CREATE OPERATOR public.= (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)",
    "CREATE SCHEMA mine",
)


@pytest.mark.parametrize("role", roles.LOGIN)
@pytest.mark.parametrize("statement", TEMPORARY)
def test_no_role_makes_an_object_that_could_shadow_ours(as_role: AsRole, role: str, statement: str) -> None:
    refused(as_role(role), statement)


SHADOWED = {
    "gatekeeper_ticket": "state = 'open'",
    "gatekeeper_grant": "ended_at = NULL",
    "staff_member": "suspended_at = NULL",
    "staff_signature": "withdrawn_at = NULL",
    "staff_session": "ended_at = NULL",
    "gatekeeper_account": "restricted_at = NULL",
}
#: What the pages' role can read of a table that it cannot read whole.
READABLE = {
    "staff_session": "id, member_id, started_at, last_seen_at, verified_at, factor, ended_at",
    "staff_member": "id, number, name, roles, manager_id, starts_on, left_on, suspended_at, suspended_until",
}


@DATABASE
def test_temporary_tables_would_shadow_nothing_even_if_they_were_allowed(
    scene: Scene, as_role: AsRole
) -> None:
    scene.world.quietly("gatekeeper_ticket", scene.ticket, state="solved")
    scene.world.quietly("staff_member", scene.anna.id, suspended_at=now())
    scene.world.quietly("staff_session", scene.session, ended_at=now())
    database = environment.database_name()
    scene.world.setup.execute(f"GRANT TEMPORARY ON DATABASE {database} TO gatekeeper_web".encode())
    try:
        web = as_role(roles.WEB)
        for table, changes in SHADOWED.items():
            columns = READABLE.get(table, "*")
            web.execute(f"CREATE TEMPORARY TABLE {table} AS SELECT {columns} FROM public.{table}".encode())
            web.execute(f"UPDATE pg_temp.{table} SET {changes}".encode())
        web.execute("GRANT ALL ON ALL TABLES IN SCHEMA pg_temp TO PUBLIC")
        web.execute("SET search_path = pg_temp, public")
        [(codes,)] = web.execute(
            "SELECT codes FROM gatekeeper.gate(%s, %s, NULL, %s, NULL)",
            [scene.caller.digest, REFERENCE, scene.grant],
        ).fetchall()
    finally:
        scene.world.setup.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM gatekeeper_web".encode())
    assert codes[:4] == ["member_suspended", "session_missing", "passed", "ticket_closed"]


# Record, then release


@DATABASE
def test_a_release_gives_exactly_the_fields_that_were_recorded(scene: Scene, vault: Connection) -> None:
    released = release(vault, scene, recorded(vault, scene, NAME, EMAIL))
    assert released.reason is None
    assert sorted(released.fields or []) == [EMAIL, NAME]


@DATABASE
def test_what_leaves_the_database_is_ciphertext(scene: Scene, vault: Connection) -> None:
    released = release(vault, scene, recorded(vault, scene, *list(VALUES)[:5]))
    assert released.ciphertexts is not None
    assert len(released.ciphertexts) == 5
    for value in list(VALUES.values())[:5]:
        assert not any(str(value).encode() in given for given in released.ciphertexts)


def assert_withheld(vault: Connection, scene: Scene, entry: int | None, **caller: Any) -> None:
    released = release(vault, scene, entry, **caller)
    assert released.nothing
    assert released.reason == "record_failed"


@DATABASE
@pytest.mark.parametrize("entry", [None, -1, 0, 2**62])
def test_without_a_record_nothing_is_released(scene: Scene, vault: Connection, entry: int | None) -> None:
    assert_withheld(vault, scene, entry)


@DATABASE
def test_only_the_entry_of_an_allowed_view_releases(scene: Scene, vault: Connection) -> None:
    entry = recorded(vault, scene)
    refusal, reason = record(vault, scene, "billing.bank_account")
    assert reason == "category_not_covered"
    others = {one.event: one.pk for one in Entry.objects.exclude(pk=entry)} | {"refused": refusal}
    assert others.keys() == {"request", "approve", "start", "view", "refused"}
    for number in others.values():
        assert_withheld(vault, scene, number)
    assert release(vault, scene, entry).reason is None


@DATABASE
def test_a_refused_release_is_an_entry_that_names_the_record(scene: Scene, vault: Connection) -> None:
    entry = recorded(vault, scene)
    move_entry(scene, entry, -61)
    assert_withheld(vault, scene, entry)
    written = newest("view")
    assert (written.outcome, written.answers, written.account, written.fields, written.member) == (
        "withheld",
        entry,
        REFERENCE,
        [NAME],
        scene.anna.number,
    )


@DATABASE
def test_a_refused_release_names_nothing_of_another_sessions_record(scene: Scene, vault: Connection) -> None:
    """Or whoever may ask for a release could put a refusal beside anybody's view."""
    entry = recorded(vault, scene)
    for caller in (scene.world.session(scene.anna), scene.manager, Caller(None, {"cid": "c-1"})):
        assert_withheld(vault, scene, entry, caller=caller)
        written = newest("view")
        assert written.pk > entry
        assert (written.outcome, written.reason) == ("withheld", "record_failed")
        assert (written.answers, written.account, written.fields, written.grant_id) == (None, "", None, None)
        who = session_of(caller.digest) if caller.digest else None
        assert (written.session, written.actor_id) == ((who.pk, who.member_id) if who else (None, None))


@DATABASE
@pytest.mark.parametrize(
    ("facts", "taken"),
    [({}, True), ({"session": 8}, False), ({"event": "search"}, False), ({"answers": 2**40}, False)],
)
def test_the_database_takes_an_answer_to_its_own_sessions_record_alone(
    scene: Scene, facts: dict[str, Any], taken: bool
) -> None:
    first = entry_of(scene.world, session=7)
    values = {"outcome": "withheld", "session": 7, "answers": first, "reason": "ticket_closed"} | facts
    if taken:
        assert entry_of(scene.world, **values) > first
        return
    with pytest.raises(psycopg.errors.RaiseException, match="answers only what its own session"):
        entry_of(scene.world, **values)


@DATABASE
def test_an_answer_to_what_was_refused_is_none(scene: Scene) -> None:
    refused = entry_of(scene.world, outcome="refused", reason="ticket_closed")
    with pytest.raises(psycopg.errors.RaiseException, match="answers only what its own session"):
        entry_of(scene.world, outcome="withheld", answers=refused, reason="ticket_closed")


@DATABASE
def test_in_the_transaction_of_the_record_nothing_is_released(scene: Scene, vault: Connection) -> None:
    with vault.transaction():
        entry = recorded(vault, scene)
        assert_withheld(vault, scene, entry)
    assert release(vault, scene, entry).reason is None


@DATABASE
@pytest.mark.parametrize("depth", [1, 2])
def test_a_savepoint_does_not_make_another_transaction(scene: Scene, vault: Connection, depth: int) -> None:
    with vault.transaction():
        for number in range(depth):
            vault.execute(f"SAVEPOINT s{number}".encode())
        entry = recorded(vault, scene)
        vault.execute("RELEASE SAVEPOINT s0")
        vault.execute("SAVEPOINT another")
        assert_withheld(vault, scene, entry)


@DATABASE
def test_a_block_with_an_exception_handler_is_no_transaction(scene: Scene, vault: Connection) -> None:
    """PL/pgSQL makes a subtransaction of it, with an xmin of its own."""
    vault.execute("SELECT set_config('attack.grant', %s, false)", [str(scene.grant)])
    vault.execute("SELECT set_config('attack.digest', %s, false)", [(scene.caller.digest or b"").hex()])
    call = "decode(current_setting('attack.digest'), 'hex'), '{\"cid\": 1}'"
    vault.execute(
        f"""
        DO $$
        DECLARE r record; n bigint;
        BEGIN
            BEGIN
                SELECT entry INTO n FROM vault.record_view({call}, '{REFERENCE}',
                    current_setting('attack.grant')::bigint, '{{{NAME}}}', false);
            EXCEPTION WHEN division_by_zero THEN NULL;
            END;
            SELECT * INTO r FROM vault.release_view({call}, n);
            PERFORM set_config('attack.reason', r.reason, false),
                set_config('attack.spoils', coalesce(r.ciphertexts::text, 'none'), false);
        END $$
    """.encode()
    )
    spoils = vault.execute("SELECT current_setting('attack.reason'), current_setting('attack.spoils')")
    assert spoils.fetchone() == ("record_failed", "none")


@DATABASE
def test_after_a_record_that_was_rolled_back_nothing_is_released(scene: Scene, vault: Connection) -> None:
    with vault.transaction(force_rollback=True):
        entry = recorded(vault, scene)
    assert_withheld(vault, scene, entry)


@DATABASE
def test_after_a_savepoint_that_was_rolled_back_nothing_is_released(scene: Scene, vault: Connection) -> None:
    with vault.transaction():
        with vault.transaction(force_rollback=True):
            entry = recorded(vault, scene)
        assert_withheld(vault, scene, entry)
    assert_withheld(vault, scene, entry)


@DATABASE
def test_another_transactions_record_counts_only_when_it_is_committed(scene: Scene, as_role: AsRole) -> None:
    one, other = as_role(roles.VAULT), as_role(roles.VAULT)
    with one.transaction():
        entry = recorded(one, scene)
        assert_withheld(other, scene, entry)
    assert release(other, scene, entry).reason is None


def move_entry(scene: Scene, entry: int, seconds: float) -> None:
    """Put an entry's time back, as nobody but a superuser can."""
    scene.world.quietly("audit_entry", entry, timestamp=now() + timedelta(seconds=seconds))


@DATABASE
@pytest.mark.parametrize(("seconds", "reason"), [(-20, None), (-61, "record_failed"), (4, "record_failed")])
def test_a_record_releases_for_sixty_seconds(
    scene: Scene, vault: Connection, seconds: float, reason: str | None
) -> None:
    entry = recorded(vault, scene)
    move_entry(scene, entry, seconds)
    # Whoever else writes to the WAL may leave something unflushed behind; of an entry as old as this the
    # release does not ask to be called again. Each call's own commit flushes what was there, and with other
    # tests at work it may take a few.
    said = [release(vault, scene, entry).reason for _ in range(3)]
    while reason is None and None not in said and len(said) < 50:
        said.append(release(vault, scene, entry).reason)
    assert None in said if reason is None else set(said) == {reason}
    assert set(said) <= {reason, "record_failed"}


@DATABASE
def test_a_record_releases_to_the_session_that_made_it_alone(scene: Scene, vault: Connection) -> None:
    entry = recorded(vault, scene)
    for caller in (scene.world.session(scene.anna), scene.world.session(scene.carl), scene.manager):
        assert_withheld(vault, scene, entry, caller=caller)


@DATABASE
@pytest.mark.parametrize("digest", [None, b"", b"\x00" * 32])
def test_a_record_releases_to_no_unknown_session(
    scene: Scene, vault: Connection, digest: bytes | None
) -> None:
    entry = recorded(vault, scene)
    row = vault.execute(
        "SELECT reason, ciphertexts FROM vault.release_view(%s, '{\"cid\": 1}', %s)", [digest, entry]
    )
    assert row.fetchone() == ("record_failed", None)


@DATABASE
@pytest.mark.parametrize(
    "fields",
    [
        ["billing.bank_account"],
        [NAME, "billing.bank_account"],
        [NAME, "contact.%"],
        [NAME, "contact"],
        ["CONTACT.NAME"],
        [NAME, "participants"],
        [NAME, "wrapped_key"],
        [f"{NAME},{EMAIL}"],
    ],
)
def test_fields_beyond_the_grant_are_refused_with_all_the_others(
    scene: Scene, vault: Connection, fields: list[str]
) -> None:
    entry, reason = record(vault, scene, *fields)
    assert reason in {"category_not_covered", "check_failed"}
    assert_withheld(vault, scene, entry)


@DATABASE
def test_a_grant_opens_no_other_account(scene: Scene, vault: Connection) -> None:
    scene.world.account(OTHER)
    entry, reason = record(vault, scene, account=OTHER)
    assert reason == "ticket_missing"
    assert_withheld(vault, scene, entry)


@DATABASE
def test_an_account_of_the_same_ticket_needs_a_grant_of_its_own(scene: Scene, vault: Connection) -> None:
    scene.world.account(OTHER)
    scene.world.quietly("gatekeeper_ticket", scene.ticket, accounts=[REFERENCE, OTHER])
    scene.world.quietly("gatekeeper_assignment", scene.assignment, accounts=[REFERENCE, OTHER])
    entry, reason = record(vault, scene, account=OTHER)
    assert reason == "approval_missing"
    assert_withheld(vault, scene, entry)


@DATABASE
def test_a_grant_opens_to_nobody_else(scene: Scene, vault: Connection) -> None:
    entry, reason = record(vault, scene, caller=scene.world.session(scene.carl))
    assert reason == "ticket_missing"
    assert_withheld(vault, scene, entry)


OLDER = [
    IsolationLevel.READ_UNCOMMITTED,
    IsolationLevel.REPEATABLE_READ,
    IsolationLevel.SERIALIZABLE,
]


@DATABASE
@pytest.mark.parametrize("level", OLDER)
def test_in_another_isolation_nothing_is_recorded_as_allowed(
    scene: Scene, vault: Connection, level: IsolationLevel
) -> None:
    vault.isolation_level = level
    with vault.transaction():
        entry, reason = record(vault, scene)
    assert reason == "check_failed"
    assert Entry.objects.get(pk=entry).outcome == "refused"


@DATABASE
@pytest.mark.parametrize("level", OLDER)
def test_in_another_isolation_nothing_is_released(
    scene: Scene, vault: Connection, level: IsolationLevel
) -> None:
    entry = recorded(vault, scene)
    vault.execute(f"SET default_transaction_isolation = '{level.name.lower().replace('_', ' ')}'".encode())
    released = release(vault, scene, entry)
    assert (released.reason, released.nothing) == ("check_failed", True)


@DATABASE
@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_a_suspension_in_an_old_snapshot_overlooks_no_grant(
    setup_connection: Connection, transactional_db: None, web: Connection, level: IsolationLevel
) -> None:
    """It would not see what was approved meanwhile, which lived on when the suspension was lifted."""
    scene = Scene(setup_connection)
    web.isolation_level = level
    with web.transaction(force_rollback=True):
        web.execute("SELECT pg_current_snapshot()")
        scene.approved()
        suspend = "SELECT staff.change_member(%s, '{\"cid\": 1}', %s, 'suspended', 'true')"
        with pytest.raises(psycopg.errors.RaiseException, match="READ COMMITTED"):
            web.execute(suspend, [scene.manager.digest, scene.anna.number])


@DATABASE
def test_a_read_only_transaction_releases_nothing(scene: Scene, vault: Connection) -> None:
    entry = recorded(vault, scene)
    vault.read_only = True
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), vault.transaction():
        release(vault, scene, entry)


# Forged entries

#: What an ordinary change says, and the web role may therefore write.
FREE = {
    *("serialized_data", "changes_text", "changes", "remote_addr", "remote_port", "additional_data"),
    *("actor_email", "actor_id", "content_type_id", "object_pk", "object_id", "object_repr", "action", "cid"),
    *("schema_version", "reason", "member", "member_name", "role", "session", "factor", "user_agent"),
}
#: What the database writes over, whatever was sent.
STAMPED = {"id", "xid", "timestamp", "salts"}
#: What a decision says: only the functions write it.
FORGED: dict[str, object] = {
    "event": "view",
    "outcome": "withheld",
    "failed": ["nda_missing"],
    "answers": 1,
    "source": "import_staff (root)",
    "account": REFERENCE,
    "subject": "K-1000",
    "ticket": "ZD-10001",
    "ticket_kind": "support",
    "ticket_state": "open",
    "purpose": "support_request",
    "categories": ["contact"],
    "fields": [NAME],
    "records": [1],
    "results": 1,
    "request_id": 1,
    "grant_id": 1,
    "approver": "K-1000",
    "signature": 1,
    "nda_version": 1,
    "nda_ends": LONG_AGO,
    "consent": "passed",
    "details": Jsonb({"why": "forged"}),
}
CHANGED = {
    "event": "change",
    "outcome": "allowed",
    "actor_id": 1,
    "member": "K-1000",
    "member_name": "Member K-1000",
    "session": 1,
    "cid": "c-1",
    "object_pk": "",
    "object_repr": "K-1000",
    "changes_text": "",
    "action": 3,
}


def insert(connection: Connection, overriding: str = "", /, **values: object) -> int:
    row = CHANGED | values
    statement = sql.SQL("INSERT INTO public.audit_entry ({}) {} VALUES ({}) RETURNING id").format(
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(overriding),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    [(number,)] = connection.execute(statement, list(row.values())).fetchall()
    return int(number)


def test_every_column_of_an_entry_is_free_stamped_or_forbidden(setup_connection: Connection) -> None:
    assert sorted(columns(setup_connection, "audit_entry")) == sorted([*FREE, *STAMPED, *FORGED])


@DATABASE
def test_the_pages_role_records_an_ordinary_change(web: Connection) -> None:
    assert Entry.objects.get(pk=insert(web)).event == "change"


@DATABASE
@pytest.mark.parametrize(("column", "value"), FORGED.items(), ids=list(FORGED))
def test_the_pages_role_forges_no_fact_of_a_decision(web: Connection, column: str, value: object) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not write such an entry"):
        insert(web, **{column: value})
    assert not Entry.objects.exists()


@DATABASE
@pytest.mark.parametrize(
    "event",
    [event for event in Event.values if event != "change"] + ["", "unheard"],
)
@pytest.mark.parametrize("role", [roles.WEB, roles.SIGNIN])
def test_neither_pages_nor_signing_in_forge_an_event(as_role: AsRole, role: str, event: str) -> None:
    """Signing in writes what failed there, and makes a session together with its entry alone."""
    if (role, event) == (roles.SIGNIN, "sign_in_failed"):
        insert(as_role(role), event=event, outcome="refused", reason="password_wrong")
        return
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not write such an entry"):
        insert(as_role(role), event=event)


@DATABASE
def test_copy_is_no_way_round_the_triggers(web: Connection) -> None:
    row = "view\tallowed\t\t\t3\n"
    statement = "COPY public.audit_entry (event, outcome, object_pk, object_repr, action) FROM STDIN"
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not write such an entry"),
        web.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        copy.write(row)


@pytest.mark.parametrize("role", [one for one in roles.LOGIN if one not in (roles.WEB, roles.SIGNIN)])
def test_no_other_role_inserts_an_entry(as_role: AsRole, role: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        insert(as_role(role))


@DATABASE
@pytest.mark.parametrize("overriding", ["", "OVERRIDING SYSTEM VALUE"])
def test_number_transaction_and_time_are_the_databases(web: Connection, overriding: str) -> None:
    first = insert(web)
    began = now()
    with web.transaction():
        web.execute("SAVEPOINT s")
        [(xid,)] = web.execute("SELECT pg_current_xact_id()::text").fetchall()
        forged = insert(web, overriding, id=first + 2, xid="5", timestamp=LONG_AGO)
    [(stamped,)] = web.execute("SELECT xid::text FROM audit_entry WHERE id = %s", [forged]).fetchall()
    entry = Entry.objects.get(pk=forged)
    assert forged > first
    assert stamped == xid != "5"
    assert began - timedelta(seconds=1) < entry.timestamp <= now()


@DATABASE
def test_a_forged_number_does_not_stop_the_log(web: Connection) -> None:
    first = insert(web)
    for ahead in range(1, 9):
        insert(web, "OVERRIDING SYSTEM VALUE", id=first + ahead)
    assert insert(web) > first
    assert Entry.objects.count() == 10


REWRITING = (
    "UPDATE public.audit_entry SET reason = ''",
    "DELETE FROM public.audit_entry",
    "TRUNCATE public.audit_entry",
    "TRUNCATE public.audit_entry CASCADE",
    "INSERT INTO public.audit_entry (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET reason = ''",
    "MERGE INTO public.audit_entry e USING (VALUES (1)) x ON true WHEN MATCHED THEN DELETE",
    "SELECT FROM public.audit_entry FOR UPDATE",
    "SELECT FROM public.audit_entry FOR KEY SHARE",
    "DO $$ BEGIN LOCK TABLE public.audit_entry IN SHARE MODE; END $$",
    "DO $$ BEGIN LOCK TABLE public.audit_entry; END $$",
    "ALTER TABLE public.audit_entry DISABLE TRIGGER ALL",
    "ALTER TABLE public.audit_entry DISABLE TRIGGER entry_append_only",
    "ALTER TABLE public.audit_entry ALTER COLUMN id RESTART WITH 1",
    "DROP TRIGGER entry_1_admit ON public.audit_entry",
    "CREATE RULE mine AS ON INSERT TO public.audit_entry DO INSTEAD NOTHING",
    "DROP TABLE public.audit_entry",
    "DROP FUNCTION audit.refuse_rewriting() CASCADE",
    "ALTER FUNCTION audit.admit_entry() SET search_path = public",
    "SELECT setval('public.audit_entry_id_seq', 1)",
    "SELECT nextval('public.audit_entry_id_seq')",
    "ALTER SEQUENCE public.audit_entry_id_seq RESTART",
)


@DATABASE
@pytest.mark.parametrize("role", roles.LOGIN)
def test_no_role_rewrites_the_log(as_role: AsRole, web: Connection, role: str) -> None:
    insert(web)
    connection = as_role(role)
    for statement in REWRITING:
        refused(connection, statement)


@DATABASE
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE public.audit_entry SET reason = ''",
        "DELETE FROM public.audit_entry",
        "TRUNCATE public.audit_entry",
    ],
)
def test_not_even_a_migration_rewrites_the_log(as_role: AsRole, web: Connection, statement: str) -> None:
    insert(web)
    migrator = as_role(roles.MIGRATOR)
    migrator.execute("SET ROLE gatekeeper_owner")
    assert "append-only" in refused(migrator, statement)


# Forged facts

FACTS = (
    "public.gatekeeper_grant",
    "public.gatekeeper_accessrequest",
    "public.gatekeeper_accountpermission",
    "public.gatekeeper_account",
    "public.gatekeeper_ticket",
    "public.gatekeeper_assignment",
    "public.gatekeeper_feed",
    "public.audit_limit",
    "public.gatekeeper_deputy",
    "public.staff_signature",
    "public.staff_ndaversion",
    "public.staff_member",
    "public.auth_permission",
    "public.django_content_type",
    "staff.clock",
    "audit.installation",
)
#: A member's own, which decide nothing, and what signing in changes with its entry.
OWN = {roles.WEB: {"language", "theme"}, roles.SIGNIN: {"password", "last_login"}}


@pytest.mark.parametrize("role", roles.LOGIN)
@pytest.mark.parametrize("table", FACTS)
def test_no_role_writes_a_fact_that_access_rests_on(
    setup_connection: Connection, as_role: AsRole, role: str, table: str
) -> None:
    connection = as_role(role)
    refused(connection, f"INSERT INTO {table} DEFAULT VALUES")
    refused(connection, f"COPY {table} FROM STDIN")
    refused(connection, f"TRUNCATE {table}")
    refused(connection, f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    for column in columns(setup_connection, table):
        if table != "public.staff_member" or column not in OWN.get(role, ()):
            value = "DEFAULT" if column == "password_mark" else "NULL"  # a generated one takes no other
            refused(connection, f"UPDATE {table} SET {column} = {value}")
    if (role, table) != (roles.WEB, "public.gatekeeper_accountpermission"):
        refused(connection, f"DELETE FROM {table}")


@DATABASE
def test_the_pages_role_writes_a_members_own_settings(scene: Scene, web: Connection) -> None:
    web.execute("SET recording.off = 'on'")
    web.execute("UPDATE staff_member SET language = 'pl', theme = 'dark' WHERE id = %s", [scene.anna.id])
    assert Member.objects.get(pk=scene.anna.id).language == "pl"


@DATABASE
def test_deleting_guardians_row_ends_the_grant_and_leaves_an_entry(scene: Scene, web: Connection) -> None:
    web.execute("DELETE FROM gatekeeper_accountpermission WHERE user_id = %s", [scene.anna.id])
    assert not AccountPermission.objects.exists()
    assert Grant.objects.get(pk=scene.grant).end_reason == "permission_removed"
    assert newest("revoke").grant_id == scene.grant


@DATABASE
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["public.staff_session", "public.staff_invitation"])
def test_sessions_and_links_are_never_deleted(web: Connection, table: str, statement: str) -> None:
    refused(web, statement.format(table))


# What a caller says of its request

CONTEXT = {
    "remote_addr": "192.0.2.9",
    "user_agent": "u" * 300,
    "cid": "c" * 300,
    "id": 1,
    "xid": "5",
    "timestamp": "2020-01-01T00:00:00Z",
    "event": "sign_in",
    "outcome": "allowed",
    "reason": "",
    "member": "K-9999",
    "member_name": "Somebody Else",
    "actor_id": 1,
    "session": 1,
    "account": OTHER,
    "account_id": 1,
    "ticket": "ZD-99999",
    "fields": ["support.notes"],
    "grant_id": 99,
    "approver": "K-9999",
    "source": "forged",
    "details": {"why": "forged"},
}
WHO = "%(digest)s, %(context)s"
CALLS = {
    "view": (roles.VAULT, f"vault.record_view({WHO}, %(account)s, %(grant)s, '{{{NAME}}}', false)"),
    "start": (roles.WEB, f"gatekeeper.open_grant({WHO}, 0, %(account)s)"),
    "request": (
        roles.WEB,
        f"gatekeeper.ask({WHO}, %(account)s, 'ZD-10001', 'incident', '{{contact}}', 60, false,"
        " 'other', NULL)",
    ),
    "end": (roles.WEB, f"gatekeeper.end_grant({WHO}, %(grant)s)"),
    "search": (roles.WEB, f"gatekeeper.read_log({WHO}, %(context)s)"),
    "export": (roles.WEB, f"gatekeeper.take_log({WHO}, %(context)s, 1)"),
    "change": (roles.WEB, f"staff.change_member({WHO}, 'K-1000', 'suspended', 'true')"),
    "change by proposal": (roles.WEB, f"staff.decide_proposal({WHO}, 1, true)"),
    "change by adding": (roles.WEB, f"staff.add_member({WHO}, %(context)s)"),
    "sign": (roles.WEB, f"staff.withdraw_signature({WHO}, 1, 'revoked')"),
}


@DATABASE
@pytest.mark.parametrize("event", CALLS)
def test_a_context_names_nothing_but_address_browser_and_number(
    scene: Scene, as_role: AsRole, event: str
) -> None:
    before = now()
    role, call = CALLS[event]
    values = {"digest": scene.caller.digest, "context": Jsonb(CONTEXT), "account": REFERENCE}
    as_role(role).execute(f"SELECT {call}".encode(), values | {"grant": scene.grant})
    entry = newest(event.partition(" ")[0])
    assert (entry.member, entry.session, entry.actor_id) == (scene.anna.number, scene.session, scene.anna.id)
    assert entry.account in {REFERENCE, ""}
    assert entry.ticket in {"ZD-10001", ""}
    assert entry.approver in {scene.boss.number, ""}
    assert entry.source == ""
    assert entry.timestamp > before - timedelta(seconds=1)
    assert entry.fields in ([NAME], None)
    assert (str(entry.remote_addr), entry.cid, entry.user_agent) == ("192.0.2.9", "c" * 64, "u" * 200)


@DATABASE
def test_a_withheld_release_takes_nothing_from_the_context(scene: Scene, vault: Connection) -> None:
    entry = recorded(vault, scene)
    scene.world.quietly("staff_member", scene.anna.id, suspended_at=now())
    caller = Caller(scene.caller.digest, cast("dict[str, str | None]", CONTEXT))
    assert release(vault, scene, entry, caller=caller).nothing
    written = newest("view")
    assert (written.outcome, written.reason, written.member, written.account, written.grant_id) == (
        "withheld",
        "member_suspended",
        scene.anna.number,
        REFERENCE,
        scene.grant,
    )


# Exchanged ciphertexts


def ciphertexts(scene: Scene, account: int) -> dict[str, bytes]:
    [(fields, given)] = scene.world.setup.execute(
        "SELECT fields, ciphertexts FROM vault.account WHERE account_id = %s", [account]
    ).fetchall()
    return dict(zip(fields, given, strict=True))


def put(scene: Scene, values: dict[str, bytes], **more: object) -> None:
    sets = "".join(f", {name} = %({name})s" for name in more)
    scene.world.setup.execute(
        f"UPDATE vault.account SET fields = %(fields)s, ciphertexts = %(given)s{sets}"
        " WHERE account_id = %(account)s".encode(),
        {"fields": list(values), "given": list(values.values()), "account": scene.account} | more,
    )


def assert_does_not_open(scene: Scene) -> None:
    shown = scene.reveal(NAME)
    assert isinstance(shown, answers.Refusal)
    assert shown.reason == "check_failed"


@DATABASE
def test_a_ciphertext_moved_to_another_field_does_not_open(scene: Scene) -> None:
    values = ciphertexts(scene, scene.account)
    put(scene, values | {NAME: values["billing.bank_account"]})
    assert_does_not_open(scene)


@DATABASE
def test_a_ciphertext_moved_to_another_account_does_not_open(scene: Scene) -> None:
    other = scene.world.account(OTHER)
    put(scene, ciphertexts(scene, scene.account) | {NAME: ciphertexts(scene, other)[NAME]})
    assert_does_not_open(scene)


@DATABASE
def test_an_account_moved_with_its_key_does_not_open(scene: Scene) -> None:
    other = scene.world.account(OTHER)
    [(key,)] = scene.world.setup.execute(
        "SELECT wrapped_key FROM vault.account WHERE account_id = %s", [other]
    ).fetchall()
    put(scene, ciphertexts(scene, other), wrapped_key=key)
    assert_does_not_open(scene)


@DATABASE
def test_a_ciphertext_with_one_bit_changed_does_not_open(scene: Scene) -> None:
    values = ciphertexts(scene, scene.account)
    put(scene, values | {NAME: values[NAME][:-1] + bytes([values[NAME][-1] ^ 1])})
    assert_does_not_open(scene)


@DATABASE
def test_left_alone_the_same_ciphertext_opens(scene: Scene) -> None:
    put(scene, ciphertexts(scene, scene.account))
    shown = scene.reveal(NAME)
    assert isinstance(shown, answers.Reveal)
    assert shown.values == {NAME: VALUES[NAME]}


@DATABASE
def test_participants_records_do_not_change_places(scene: Scene) -> None:
    scene.world.participants(REFERENCE, 2)
    grant = scene.opened(categories=["participants"])
    shown = decision.participants(scene.caller, account=REFERENCE, grant=grant, page=1)
    assert isinstance(shown, answers.Reveal)
    scene.world.setup.execute(
        "UPDATE vault.participant p SET ciphertext = o.ciphertext FROM vault.participant o"
        " WHERE o.account_id = p.account_id AND o.number = 3 - p.number"
    )
    exchanged = decision.participants(scene.caller, account=REFERENCE, grant=grant, page=1)
    assert isinstance(exchanged, answers.Refusal)
    assert exchanged.reason == "check_failed"
