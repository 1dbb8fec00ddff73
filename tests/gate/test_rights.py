"""Who may do what, in PostgreSQL's catalogue, against gatekeeper/README.md, our catalogue and lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.db import connections

from audit.installation import SCHEMAS, differences
from audit.models import Entry
from gatekeeper import catalogue
from gatekeeper.installation import checks, roles
from gatekeeper.installation.sql_files import FILES
from tests import readme, rights
from tests.world import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Connection
    from tests.world.twins import Twins

DATABASE = pytest.mark.django_db(transaction=True, databases="__all__")

# Callable from outside: they run as the owner. A new one has to be named here.
DEFINERS = {
    *("stamp_entry", "check_answer", "spread_limits", "cascade", "forget_proofs"),  # triggers
    *("require_entry", "require_fact_entry", "require_contact_entry", "follow_members"),
    *("session_by", "touch_session", "end_session", "end_own_sessions", "end_overdue_sessions"),
    *("is_good_link",),
    *(
        "begin_session",
        "verify_session",
        "renew_session",
        "keep_session",
        "take_remembered",
        "end_sessions_of",
    ),
    *("able", "foresee_suspension", "recover", "acknowledge_recovery"),
    *("gate", "officer", "approvers", "read_log", "read_own_entries", "take_log"),
    *("ask", "judge_request", "decide_request", "open_grant", "end_grant", "tidy"),
    *("name_deputy", "end_deputy", "deputies", "ask_more", "decide_more", "more_today"),
    *("record_view", "release_view", "wrapped_key"),
    *("stored", "store_accounts", "store_participants", "close_account", "take_delivery"),
    *("participants_beyond", "remove_participants"),
    *("erase_account", "restrict_account", "record_import"),
    *(
        "lock_seal",
        "sealing_delays",
        "tags",
        "note_quiet",
        "note_proof",
        "begin_era",
        "announce_key",
        "retain",
    ),  # the sealer's
    *("apply_tickets", "block_ticket", "close_missing", "record_contact"),
    *("doubt", "settle", "compare_tickets", "open_tickets"),
    *("change_member", "add_member", "apply_members", "decide_proposal", "is_own_address"),
    *("found_member", "invite_by_command", "open_lock", "record_staff_import"),
    *("publish_nda_version", "recall_nda_version"),
    *("sign_nda", "countersign", "upload_signature", "confirm_original", "withdraw_signature"),
    *("take_file", "record_register", "print_grant"),
    *("issue_authorisation", "withdraw_authorisation", "take_authorisation"),
    *("record_report", "begin_stream", "stream_went", "stream_failed"),
    *("draw_reviews", "judge", "judge_again", "decide_review", "answer_review", "grant_of"),
}
# Callable from outside, with the caller's own rights and settings: it calls two of the above by their full
# names, and COMMIT is refused to a definer and to whatever pins a setting.
INVOKERS = {"reveal"}
# They read, with their caller's rights, what the caller may read anyway, or nothing.
READERS = {
    *(
        "limit_of",
        "end_of_day",
        "signature_ends",
        "agreement_ends",
        "signatures_at",
        "nda_status_at",
        "blocked_by_version",
    ),
    *("waits_for_second", "has_signed", "to_sign", "misses_allowed"),
}
# One expression each, which PostgreSQL makes a part of what calls it.
EXPRESSIONS = {
    *(f"{condition}_code" for condition in catalogue.CONDITIONS),
    *("role_for", "failing", "consent_at", "blocked_categories", "misses_allowed", "is_view"),
    *(f"lacking_{facts}" for facts in ("kind", "actor", "access", "subject", "reason")),
}
# Internal, and called in every reveal: the search path and the time zone are those of the definer that calls.
INHERITING = {
    *(
        "decide",
        "authorize",
        "nearest_ticket",
        "newest_access",
        "has_claimed",
        "is_clock_behind",
    ),
    *("version_before", "newest_signature", "beyond_budget", "beyond_day", "uncounted", "count_view"),
    *("context", "known_fields", "known_categories"),
    *EXPRESSIONS,
}
# No date and no time is made into another in these.
WITHOUT_TIME_ZONE = {
    *("context", "known_fields", "known_categories", "wrapped_key"),
    *("nearest_ticket", "newest_access", "has_claimed", "is_clock_behind"),
    *("version_before", "newest_signature", "beyond_budget", "beyond_day", "uncounted", "count_view"),
    *("admit_entry", "stamp_entry", "refuse_rewriting", "keep_members"),
    *("lock_seal", "tags", "is_in_use", "limit_of", "limits_of"),
    *("name_roles", "take_news", "lock_line"),
    *("threshold", "judged_below", "stream_target"),
}
DYNAMIC = re.compile(
    r"\bEXECUTE\b|\bformat\s*\(|quote_(ident|literal)|\w+_to_xml|\bOPEN\b.*\bFOR\b|dblink|\bPREPARE\b", re.I
)
COMMENT = re.compile(r"--[^\n]*")
FUNCTIONS = f"""
    SELECT p.proname, p.prosecdef, p.proowner::regrole::text, l.lanname, p.proconfig, p.prosrc
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE n.nspname IN {schemas.FUNCTIONS} ORDER BY 1
"""


def source(setup: Connection, function: str) -> str:
    """A function's body without its comments."""
    [body] = [row[5] for row in setup.execute(FUNCTIONS) if row[0] == function]
    return COMMENT.sub("", body)


# Rights


def test_readmes_table_of_rights_is_the_catalogue(setup_connection: Connection) -> None:
    assert readme.stands("rights") == rights.table(setup_connection), "run: python -m tests.rights"


def test_the_table_leaves_nobody_out(setup_connection: Connection) -> None:
    named = {role for of in rights.read_rights(setup_connection).values() for role in of}
    assert named <= set(rights.COLUMNS)


def test_the_owner_owns_everything_here(setup_connection: Connection) -> None:
    owners = {thing.owner for thing in rights.read_rights(setup_connection)}
    assert owners == {roles.OWNER}


def test_the_owner_owns_nothing_elsewhere(setup_connection: Connection) -> None:
    elsewhere = setup_connection.execute(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relowner = 'gatekeeper_owner'::regrole AND n.nspname NOT IN {schemas.OURS}"
        " AND n.nspname <> 'pg_toast'"
    ).fetchone()
    assert elsewhere == (0,)


def test_no_function_shares_its_name(setup_connection: Connection) -> None:
    """gatekeeper/README.md and the lists here name functions without their parameters."""
    names = [row[0] for row in setup_connection.execute(FUNCTIONS).fetchall()]
    assert len(names) == len(set(names)) > 0


def test_run_time_roles_are_members_of_nothing(setup_connection: Connection) -> None:
    rows = setup_connection.execute(
        "SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members"
        " WHERE member = ANY (%s::regrole[]) OR roleid = ANY (%s::regrole[])",
        [list(roles.RUN_TIME), list(roles.RUN_TIME)],
    ).fetchall()
    assert rows == []


@pytest.mark.parametrize("privilege", ["TEMPORARY", "CREATE"])
@pytest.mark.parametrize("role", ["public", *roles.LOGIN])
def test_nobody_makes_objects_in_the_database(
    setup_connection: Connection, role: str, privilege: str
) -> None:
    allowed = setup_connection.execute(
        "SELECT has_database_privilege(%s::name, current_database(), %s)", [role, privilege]
    ).fetchone()
    assert allowed == (False,)


def test_a_stranger_does_not_connect(setup_connection: Connection) -> None:
    allowed = setup_connection.execute(
        "SELECT has_database_privilege('public', current_database(), 'CONNECT')"
    ).fetchone()
    assert allowed == (False,)


@pytest.mark.parametrize("schema", ["public", *SCHEMAS])
def test_a_new_function_is_nobodys(setup_connection: Connection, schema: str) -> None:
    with setup_connection.transaction(force_rollback=True):
        setup_connection.execute("SET LOCAL ROLE gatekeeper_owner")
        setup_connection.execute(f"CREATE FUNCTION {schema}.novel() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        allowed = setup_connection.execute(
            f"SELECT has_function_privilege('gatekeeper_web', '{schema}.novel()', 'EXECUTE')"
        ).fetchone()
    assert allowed == (False,)


def test_a_role_enters_the_schemas_where_it_has_something(setup_connection: Connection) -> None:
    entered, needed = set(), set()
    for thing, of in rights.read_rights(setup_connection).items():
        if thing.kind == "schema":
            entered |= {(role, thing.name) for role in of}
            assert set(of.values()) <= {"USAGE"}, thing
        elif thing.kind != "database":
            needed |= {(role, thing.name.partition(".")[0]) for role in of}
    assert entered == {pair for pair in needed if pair[1] in {"public", *SCHEMAS}}


# Functions


def test_every_function_is_the_owners_and_pins_its_search_path(setup_connection: Connection) -> None:
    for name, _definer, owner, language, settings, _body in setup_connection.execute(FUNCTIONS):
        assert owner == roles.OWNER, name
        assert language in {"plpgsql", "sql"}, name
        if name not in INVOKERS | INHERITING:
            assert "search_path=pg_catalog, pg_temp" in settings, name


def test_who_pins_nothing_is_called_by_those_who_do(setup_connection: Connection) -> None:
    """Setting what is set already costs each call as much as it reads. The owner alone may call these."""
    calls = re.compile(rf"\b(?:{'|'.join(SCHEMAS)})\.({'|'.join(INHERITING)})\(")
    for name, _definer, _owner, _language, settings, body in setup_connection.execute(FUNCTIONS):
        assert settings or name in INHERITING or not calls.search(COMMENT.sub("", body)), name
        assert not (settings and name in INHERITING), name


def test_the_definer_functions_are_those_listed(setup_connection: Connection) -> None:
    assert {row[0] for row in setup_connection.execute(FUNCTIONS) if row[1]} == DEFINERS


def test_who_may_be_called_from_outside_is_a_definer(setup_connection: Connection) -> None:
    called = {
        thing.name.partition(".")[2]
        for thing, of in rights.read_rights(setup_connection).items()
        if thing.kind == "function" and of
    }
    assert called
    assert called <= DEFINERS | INVOKERS | READERS


def test_every_function_that_judges_time_pins_the_time_zone(setup_connection: Connection) -> None:
    rows = setup_connection.execute(FUNCTIONS).fetchall()
    assert {
        row[0] for row in rows if "TimeZone=UTC" not in (row[4] or ())
    } == WITHOUT_TIME_ZONE | EXPRESSIONS | INVOKERS | {"decide", "authorize"}


def test_no_function_sets_anything_else(setup_connection: Connection) -> None:
    settings = {setting for row in setup_connection.execute(FUNCTIONS) for setting in row[4] or ()}
    assert settings == {"search_path=pg_catalog, pg_temp", "TimeZone=UTC"}


def test_no_function_builds_sql(setup_connection: Connection) -> None:
    built = {
        row[0]: found[0]
        for row in setup_connection.execute(FUNCTIONS)
        if (found := DYNAMIC.search(COMMENT.sub("", row[5])))
    }
    assert built == {}


def test_every_table_that_a_function_reads_is_named_with_its_schema(setup_connection: Connection) -> None:
    tables = [
        row[0].partition(".")[2]
        for row in setup_connection.execute(
            f"SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN {schemas.OURS}"
        )
    ]
    bare = re.compile(rf"\b(?:FROM|JOIN|INSERT INTO|UPDATE|USING)\s+(?:{'|'.join(tables)})\b")
    found = {row[0] for row in setup_connection.execute(FUNCTIONS) if bare.search(COMMENT.sub("", row[5]))}
    assert found == set()


# The catalogue in Python and the catalogue in SQL


def test_the_conditions_come_in_one_order(setup_connection: Connection) -> None:
    who, about_an_account = (
        re.findall(r"codes := ARRAY\[(.*?)\];", source(setup_connection, function), re.S)[0]
        for function in ("authorize", "decide")
    )
    named = re.findall(r"(?:staff\.|gatekeeper\.|c_)(\w+?)(?:_code\(|,)", who + about_an_account)
    assert list(dict.fromkeys(named)) == list(catalogue.CONDITIONS)


def test_the_codes_of_the_gate_are_the_catalogues(setup_connection: Connection) -> None:
    beside = {catalogue.PASSED, catalogue.NOT_REQUIRED, catalogue.CANNOT_START}
    for condition, codes in catalogue.CONDITIONS.items():
        judging = source(setup_connection, f"{condition}_code")
        if condition == "consent":  # how each consent stands is given
            judging += source(setup_connection, "consent_at")
        assert set(re.findall(r"(?:THEN|ELSE)\s+'(\w+)'", judging)) - beside == set(codes)
    of_both = {"clock_behind", "check_failed"}
    assert set(re.findall(r"THEN '(\w+)'", source(setup_connection, "authorize"))) == of_both
    assert set(re.findall(r"THEN '(\w+)'", source(setup_connection, "decide"))) == {
        *of_both,
        "cannot_start_yet",
    }


def test_the_fields_of_the_vault_are_the_catalogues(setup_connection: Connection) -> None:
    known = setup_connection.execute("SELECT gatekeeper.known_fields()").fetchone()
    assert known == ([*catalogue.FIELDS, catalogue.PARTICIPANTS],)


def test_the_categories_of_the_fields_are_the_catalogues() -> None:
    of_fields = dict.fromkeys(map(catalogue.category_of, [*catalogue.FIELDS, catalogue.PARTICIPANTS]))
    assert list(of_fields) == list(dict(catalogue.CATEGORIES))


def test_a_page_of_participants_is_as_long_in_sql(setup_connection: Connection) -> None:
    assert (
        f"LIMIT {catalogue.PAGE_OF_PARTICIPANTS} OFFSET {catalogue.PAGE_OF_PARTICIPANTS}::bigint *"
        in source(setup_connection, "record_view")
    )


def test_open_states_are_the_same_in_sql(setup_connection: Connection) -> None:
    named = re.search(r"t\.state IN \(([^)]*)\)", source(setup_connection, "ticket_code"))
    assert named
    assert set(named[1].replace("'", "").split(", ")) == catalogue.OPEN_STATES


def test_every_code_fits_its_column() -> None:
    codes = [code for of in catalogue.CONDITIONS.values() for code in of] + list(catalogue.OTHER_REASONS)
    assert max(map(len, codes)) <= Entry._meta.get_field("reason").max_length


# What is installed is what the files say


CHANGES = {
    "a function": "CREATE OR REPLACE FUNCTION gatekeeper.record_contact(p_source text) RETURNS void"
    " LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS ''",
    "a function's rights": "GRANT EXECUTE ON FUNCTION audit.write_entry(text, text, jsonb) TO gatekeeper_web",
    "a function's settings": "ALTER FUNCTION gatekeeper.record_contact(text) SET search_path = public",
    "a function's owner": "ALTER FUNCTION gatekeeper.record_contact(text) OWNER TO CURRENT_USER",
    "a function too many": "CREATE FUNCTION vault.open_sesame() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a trigger": "ALTER TABLE audit_entry DISABLE TRIGGER entry_append_only",
    "all triggers": "ALTER TABLE gatekeeper_ticket DISABLE TRIGGER USER",
    "a right on a table": "GRANT SELECT ON vault.account TO gatekeeper_web",
    "everybody's right": "GRANT SELECT ON vault.participant TO PUBLIC",
    "a right on a column": "GRANT UPDATE (roles) ON staff_member TO gatekeeper_web",
    "a right on a sequence": "GRANT UPDATE ON SEQUENCE audit_entry_id_seq TO gatekeeper_web",
    "a right on a schema": "GRANT USAGE ON SCHEMA vault TO PUBLIC",
    "a right taken away": "REVOKE SELECT ON audit_entry FROM gatekeeper_sealer",
}


@pytest.fixture
def change(setup_connection: Connection, request: pytest.FixtureRequest) -> Iterator[str]:
    """A statement; the triggers that it turns off are also those that tests added (tests.world.recording)."""
    yield request.param
    setup_connection.execute("ALTER TABLE gatekeeper_ticket ENABLE TRIGGER USER")


@DATABASE
def test_what_was_installed_is_in_order() -> None:
    assert checks.sql_installed(databases=["default"]) == []


@DATABASE
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES, indirect=True)
def test_a_change_in_the_database_turns_the_check_red(
    setup_connection: Connection, twins: Twins, change: str
) -> None:
    setup_connection.execute(change.encode())
    assert [found.id for found in checks.sql_installed(databases=["default"])] == ["gatekeeper.E003"]


@DATABASE
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES, indirect=True)
def test_installing_again_undoes_a_change(setup_connection: Connection, twins: Twins, change: str) -> None:
    """Else the next migration would note the change as what ought to be."""
    before = rights.table(setup_connection), differences(connections["default"], FILES)
    setup_connection.execute(change.encode())
    twins.restore()
    assert (rights.table(setup_connection), differences(connections["default"], FILES)) == before
