"""A superuser with the triggers off against a checkpoint outside: found, and rightly named.

And the application's own roles: refused. audit-log's list of attacks, each column in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from audit.models import Entry
from audit.seal import leaves
from audit.seal.findings import Kind
from audit.seal.sealing import SealError
from gatekeeper.installation import roles

if TYPE_CHECKING:
    from audit.seal.findings import Finding
    from audit.seal.report import Report
    from tests.world.log import Log

#: Another value of each column's kind.
OTHER = {
    "AutoField": "0",
    "BigAutoField": "99999",
    "BigIntegerField": "424242",
    "CharField": "'x'",
    "DateTimeField": "'2031-05-05T05:05:05Z'",
    "ForeignKey": "424242",
    "GenericIPAddressField": "'198.51.100.9'",
    "IntegerField": "424242",
    "JSONField": """'{"x": 1}'""",
    "PositiveIntegerField": "424242",
    "PositiveSmallIntegerField": "7",
    "TextField": "'x'",
    "TransactionId": "'424242'",
    "BinaryField": "decode(repeat('00', 32), 'hex')",
}
ARRAYS = {"records": "'{7}'"}


def other_value(name: str) -> str:
    field = next(f for f in Entry._meta.concrete_fields if f.column == name)
    kind = type(field).__name__
    return ARRAYS.get(name, "'{x}'") if kind == "ArrayField" else OTHER[kind]


def only(report: Report) -> Finding:
    assert len(report.findings) == 1, [str(one) for one in report.findings]
    return report.findings[0]


def kinds(report: Report) -> set[Kind]:
    return {one.kind for one in report.findings}


def place_of(log: Log, entry: int) -> int:
    [(place,)] = log.setup.execute("SELECT place FROM audit_leaf WHERE entry = %s", [entry]).fetchall()
    return int(place)


COLUMNS = sorted(field.column for field in Entry._meta.concrete_fields)


def test_each_column_edited_is_found_and_named(log: Log) -> None:
    """One log for all columns: each is edited, found, and put back, or the next would prove nothing."""
    written = log.sealed(4)
    outside, target = log.checkpoint(), written[1]
    log.setup.execute("CREATE TABLE kept AS SELECT * FROM audit_entry WHERE id = %s", [target])
    try:
        for column in COLUMNS:
            if column == "id":
                continue  # below: then nothing stands under the number
            set_to = f'UPDATE audit_entry SET "{column}" = {other_value(column)} WHERE id = {target}'
            assert log.tamper(set_to) == 1
            found = log.verify(outside).findings
            assert [one.kind for one in found] == [Kind.EDITED], (column, [str(one) for one in found])
            assert (found[0].entry, found[0].first) == (target, place_of(log, target))
            log.tamper(f'UPDATE audit_entry e SET "{column}" = k."{column}" FROM kept k WHERE k.id = e.id')
            assert log.verify(outside).findings == [], column
    finally:
        log.setup.execute("DROP TABLE kept")


def test_one_character_of_an_old_entry(log: Log) -> None:
    target = log.sealed(300)[10]
    log.tamper("UPDATE audit_entry SET member_name = replace(member_name, 'ł', 'l') WHERE id = %s", [target])
    finding = only(log.verify())
    assert finding.kind is Kind.EDITED
    assert finding.entry == target


def test_an_edit_with_its_leaf_is_found_by_the_signed_root(log: Log) -> None:
    target = log.sealed(3)[1]
    log.sealed(3)
    place = place_of(log, target)
    log.tamper("UPDATE audit_entry SET member = 'K-6666' WHERE id = %s", [target])
    _forge_leaf(log, target)
    finding = only(log.verify(log.checkpoint()))
    assert finding.kind is Kind.EDITED
    assert finding.first is not None
    assert finding.last is not None
    assert finding.first <= place <= finding.last < 4  # its checkpoint's leaves, not the later ones


def _forge_leaf(log: Log, entry: int) -> None:
    """Make the leaf again from the entry, as whoever has read our source would."""
    of = f"FROM audit_entry e WHERE id = {entry}"
    statement = f"COPY (SELECT e.salts, {leaves.PARTS} {of}) TO STDOUT (FORMAT binary)"
    with log.setup.cursor() as cursor, cursor.copy(statement) as copy:
        [row] = leaves.rows(copy)
    salts, at = leaves.value(row, leaves.FIRST)
    assert salts
    [(tag, number)] = log.setup.execute(
        "SELECT tag, number FROM audit_leaf WHERE entry = %s", [entry]
    ).fetchall()
    forged = leaves.leaf_hash(*leaves.hashes(row, at, salts), tag, number)
    assert log.tamper("UPDATE audit_leaf SET hash = %s WHERE entry = %s", [forged, entry]) == 1


def test_an_entry_deleted(log: Log) -> None:
    target = log.sealed(3)[1]
    log.tamper("DELETE FROM audit_entry WHERE id = %s", [target])
    finding = only(log.verify(log.checkpoint()))
    assert (finding.kind, finding.entry) == (Kind.MISSING, target)


def test_an_entry_deleted_with_its_leaf(log: Log) -> None:
    target = log.sealed(3)[1]
    later = log.sealed(2)[0]
    place = place_of(log, target)
    log.tamper("DELETE FROM audit_entry WHERE id = %s", [target])
    log.tamper("DELETE FROM audit_leaf WHERE entry = %s", [target])
    log.tamper("UPDATE audit_entry SET member = 'K-6666' WHERE id = %s", [later])
    found = log.verify(log.checkpoint()).findings
    assert [one.kind for one in found] == [Kind.MISSING, Kind.EDITED]  # what follows is still verified
    assert (found[0].first, found[0].last) == (place, place)
    assert found[1].entry == later


def test_an_entry_deleted_and_the_leaves_renumbered(log: Log) -> None:
    target = log.sealed(3)[1]
    log.sealed(3)
    place = place_of(log, target)
    log.tamper("DELETE FROM audit_entry WHERE id = %s", [target])
    log.tamper("DELETE FROM audit_leaf WHERE entry = %s", [target])
    log.tamper("UPDATE audit_leaf SET place = -place WHERE place > %s", [place])
    log.tamper("UPDATE audit_leaf SET place = -place - 1 WHERE place < 0")
    found = log.verify(log.checkpoint()).findings
    assert {one.kind for one in found} == {Kind.MISSING}
    assert (found[0].first, found[0].last) == (0, 2)


def test_an_entry_renumbered(log: Log) -> None:
    target = log.sealed(3)[1]
    log.tamper("UPDATE audit_entry SET id = 900 WHERE id = %s", [target])
    found = {one.kind: one for one in log.verify(log.checkpoint()).findings}
    assert found.keys() == {Kind.MISSING, Kind.INSERTED}
    assert found[Kind.MISSING].entry == target
    assert found[Kind.INSERTED].entry == 900


def test_two_leaves_swapped(log: Log) -> None:
    first, second = log.sealed(4)[1:3]
    place = place_of(log, first)
    log.tamper("UPDATE audit_leaf SET place = -place WHERE entry IN (%s, %s)", [first, second])
    log.tamper(
        "UPDATE audit_leaf SET place = CASE entry WHEN %s THEN %s ELSE %s END WHERE place < 0",
        [first, place + 1, place],
    )
    finding = only(log.verify(log.checkpoint()))
    assert (finding.kind, finding.entry) == (Kind.REORDERED, first)


def test_the_tail_cut_off_with_its_checkpoints(log: Log) -> None:
    log.sealed(3)
    cut = log.sealed(2)
    outside = log.checkpoint()
    for table, column in (("audit_entry", "id"), ("audit_leaf", "entry")):
        log.tamper(f"DELETE FROM {table} WHERE {column} >= %s", [cut[0]])
    log.tamper("DELETE FROM audit_checkpoint WHERE size > 4")
    assert log.verify().findings == []  # without a copy outside nothing shows
    finding = only(log.verify(outside))
    assert (finding.kind, finding.first, finding.last) == (Kind.CUT_OFF, 4, 5)


def test_the_tail_cut_off_without_its_checkpoints(log: Log) -> None:
    log.sealed(3)
    cut = log.sealed(2)
    log.tamper("DELETE FROM audit_leaf WHERE entry >= %s", [cut[0]])
    log.tamper("DELETE FROM audit_entry WHERE id >= %s", [cut[0]])
    finding = only(log.verify())
    assert (finding.kind, finding.first, finding.last) == (Kind.MISSING, 4, 5)


def test_a_back_dated_entry_without_a_leaf(log: Log) -> None:
    written = log.sealed(3)
    log.tamper(
        "INSERT INTO audit_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', 500))).*"
        " FROM audit_entry e WHERE id = %s",
        [written[0]],
    )
    finding = only(log.verify(log.checkpoint()))
    assert (finding.kind, finding.entry) == (Kind.INSERTED, 500)
    assert log.sealer().seal() == 0  # the sealer does not lend its hand


def test_a_back_dated_entry_that_is_let_seal(log: Log) -> None:
    log.sealed(3)
    log.tamper("UPDATE audit_entry SET xid = xid WHERE false")
    forged = log.write()
    log.tamper("UPDATE audit_entry SET timestamp = timestamp - interval '3 days' WHERE id = %s", [forged])
    assert log.sealer().seal() == 1
    finding = only(log.verify(log.checkpoint()))
    assert (finding.kind, finding.entry) == (Kind.INSERTED, forged)


def test_a_clock_that_was_accepted_explains_old_times(log: Log) -> None:
    log.sealed(3)
    written = log.write()
    log.tamper("UPDATE audit_entry SET timestamp = timestamp - interval '3 days' WHERE id = %s", [written])
    log.write("change", details={"clock_accepted": 1})
    log.sealer().seal()
    assert log.verify().findings == []


def test_an_entry_inserted_with_a_leaf_at_the_end(log: Log) -> None:
    written = log.sealed(3)
    log.tamper(
        "INSERT INTO audit_leaf SELECT 4, 500, number, hash, tag FROM audit_leaf WHERE entry = %s",
        written[:1],
    )
    log.tamper(
        "INSERT INTO audit_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', 500))).*"
        " FROM audit_entry e WHERE id = %s",
        written[:1],
    )
    finding = only(log.verify(log.checkpoint()))
    assert (finding.kind, finding.first, finding.entry) == (Kind.INSERTED, 4, 500)
    with pytest.raises(psycopg.errors.UniqueViolation):  # and the sealer does not go on over it
        log.sealed(1)


@pytest.mark.parametrize("place", [-5, 1 << 62, (1 << 63) - 1])
def test_an_entry_inserted_with_a_leaf_where_none_is(log: Log, place: int) -> None:
    """Far from all others it would lack no leaf, and be compared with none."""
    written = log.sealed(3)
    log.tamper(
        "INSERT INTO audit_leaf SELECT %s, 500, number, hash, tag FROM audit_leaf WHERE entry = %s",
        [place, written[0]],
    )
    log.tamper(
        "INSERT INTO audit_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', 500))).*"
        " FROM audit_entry e WHERE id = %s",
        written[:1],
    )
    finding = only(log.verify(log.checkpoint()))
    assert (finding.kind, finding.entry, finding.first) == (Kind.INSERTED, 500, place)


def test_an_entry_inserted_with_a_leaf_in_the_middle(log: Log) -> None:
    first = log.sealed(3)[0]
    log.sealed(3)
    log.tamper("UPDATE audit_leaf SET place = -place - 1 WHERE place > 2")
    log.tamper("UPDATE audit_leaf SET place = -place WHERE place < 0")
    log.tamper(
        "INSERT INTO audit_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', 500))).*"
        " FROM audit_entry e WHERE id = %s",
        [first],
    )
    log.tamper(
        "INSERT INTO audit_leaf SELECT 3, 500, number, hash, tag FROM audit_leaf WHERE entry = %s", [first]
    )
    _forge_leaf(log, 500)
    found = log.verify(log.checkpoint()).findings
    assert Kind.INSERTED in {one.kind for one in found}, [str(one) for one in found]


def test_a_time_shifted(log: Log) -> None:
    target = log.sealed(3)[1]
    log.tamper("UPDATE audit_entry SET timestamp = timestamp - interval '1 second' WHERE id = %s", [target])
    assert only(log.verify(log.checkpoint())).kind is Kind.EDITED


def test_rolled_back_to_a_backup(log: Log) -> None:
    log.sealed(3)
    log.copy_database("backup")
    log.sealed(2)
    outside = log.checkpoint()
    log.restore_database("backup")
    assert log.verify().findings == []
    finding = only(log.verify(outside))
    assert (finding.kind, finding.first, finding.last) == (Kind.ROLLED_BACK, 4, 5)
    with pytest.raises(SealError, match="rolled back"):
        log.sealer().compare([outside])


def test_rolled_back_and_gone_on(log: Log) -> None:
    """Whoever holds the key and the database signs another history: a copy outside still tells."""
    log.sealed(3)
    log.copy_database("backup")
    log.sealed(2)
    outside = log.checkpoint()
    log.restore_database("backup")
    log.sealed(4)
    assert log.verify().findings == []
    assert only(log.verify(outside)).kind is Kind.ROLLED_BACK
    with pytest.raises(SealError, match="not those"):
        log.sealer().compare([outside])


def test_rolled_back_under_a_sealer_that_runs(log: Log) -> None:
    sealer = log.sealer()
    log.write()
    sealer.seal()
    log.copy_database("backup")
    log.write()
    sealer.seal()
    log.restore_database("backup")
    log.write()
    with pytest.raises(SealError, match="rolled back"):
        sealer.seal()


def test_a_checkpoint_forged(log: Log) -> None:
    log.sealed(3)
    log.tamper("UPDATE audit_checkpoint SET note = replace(note, E'\\n4\\n', E'\\n5\\n')")
    assert kinds(log.verify()) == {Kind.UNSIGNED}
    with pytest.raises(SealError):
        log.sealed(1)


def test_a_checkpoint_given_that_is_not_the_logs(log: Log) -> None:
    log.sealed(3)
    assert kinds(log.verify("another\n1\nAAAA\n\n— another AAAA\n")) == {Kind.UNSIGNED}


def test_a_node_edited(log: Log) -> None:
    log.sealed(300)
    log.tamper("UPDATE audit_node SET hash = decode(repeat('00', 32), 'hex')")
    finding = only(log.verify())
    assert (finding.kind, finding.first, finding.last) == (Kind.EDITED, 0, 255)
    with pytest.raises(SealError):
        log.sealed(1)


def test_not_sealed_for_too_long(log: Log) -> None:
    log.sealed(3)
    waiting = log.write()
    log.tamper("UPDATE audit_entry SET timestamp = timestamp - interval '2 minutes' WHERE id = %s", [waiting])
    finding = only(log.verify())
    assert (finding.kind, finding.entry) == (Kind.UNSEALED, waiting)
    log.tamper("UPDATE audit_checkpoint SET sealed_at = sealed_at - interval '10 minutes'")
    assert kinds(log.verify()) == {Kind.UNSEALED}


def test_a_retention_nobody_wrote(log: Log) -> None:
    """An entry that claims a retention must keep the rule that it names."""
    target = log.sealed(3)[0]
    claim = {"retention": {"from": 0, "to": 4, "days": 1826, "reason": "x"}}
    log.write("seal", account="", source="retain_log (test)", details=claim)
    log.tamper("DELETE FROM audit_entry WHERE id = %s", [target])
    log.sealer().seal()
    assert only(log.verify()).kind is Kind.MISSING


# The application's roles

REFUSED = (
    "UPDATE audit_entry SET member = 'K-6666'",
    "UPDATE audit_leaf SET place = place",
    "UPDATE audit_checkpoint SET note = ''",
    "UPDATE audit_node SET place = 0",
    "UPDATE audit_era SET number = 7",
    "DELETE FROM audit_entry",
    "DELETE FROM audit_leaf",
    "DELETE FROM audit_checkpoint",
    "TRUNCATE audit_entry",
    "TRUNCATE audit_leaf",
    "ALTER TABLE audit_entry DISABLE TRIGGER entry_append_only",
    "ALTER TABLE audit_leaf DISABLE TRIGGER leaf_append_only",
    "DROP TABLE audit_leaf",
    "SELECT setval('audit_entry_id_seq', 1)",
    "LOCK audit_entry IN ACCESS EXCLUSIVE MODE",
    "LOCK audit_leaf IN SHARE MODE",
    "SET session_replication_role = replica",
    "SELECT key FROM audit_tag",
    "DELETE FROM audit_tag",
    "INSERT INTO audit_era VALUES (9, 1, 'x', now())",
    "SELECT audit.erase_references('MOC-40001', '{}')",
)
# A role that sees no schema does not even find the table.
REFUSAL = (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable)
ONLY_THE_SEALERS = (
    "INSERT INTO audit_leaf VALUES (900, 900, 0, '', '')",
    "INSERT INTO audit_node VALUES (8, 900, '')",
    "INSERT INTO audit_checkpoint VALUES (900, 1, '1', '1', 1, now(), '')",
    "SELECT audit.tags('{MOC-40001}', '{1}')",
    "SELECT audit.begin_era('x', 'x')",
    "SELECT audit.announce_key('x', 'x')",
    "INSERT INTO audit_logkey (key, announced_at) VALUES ('x', now())",
    "DELETE FROM audit_logkey",
    "SELECT audit.retain('retention_period', 'x', 1)",
)


@pytest.mark.parametrize("role", roles.RUN_TIME)
def test_the_applications_roles_are_refused(log: Log, role: str) -> None:
    log.sealed(2)
    statements = REFUSED if role == roles.SEALER else (*REFUSED, *ONLY_THE_SEALERS)
    before = log.setup.execute("SELECT * FROM audit_entry ORDER BY id").fetchall()
    with log.as_role(role) as connection:
        for statement in statements:
            with pytest.raises(REFUSAL), connection.transaction():
                connection.execute(statement.encode())
    assert log.setup.execute("SELECT * FROM audit_entry ORDER BY id").fetchall() == before


def test_no_id_is_chosen(log: Log) -> None:
    """`OVERRIDING SYSTEM VALUE` and a plain id alike: the database draws its own."""
    columns = "id, object_pk, object_repr, action, changes_text, event, outcome, reason, cid"
    values = "77777, '', 'password', 3, '', 'sign_in_failed', 'refused', 'email_unknown', 'c-1'"
    with log.as_role(roles.SIGNIN) as signin:
        for clause in ("", "OVERRIDING SYSTEM VALUE"):
            signin.execute(f"INSERT INTO audit_entry ({columns}) {clause} VALUES ({values})".encode())
    assert log.setup.execute("SELECT count(*) FROM audit_entry WHERE id = 77777").fetchall() == [(0,)]
    log.sealer().seal()
    assert log.verify().findings == []


def test_auditlogs_own_flush_is_refused(log: Log) -> None:
    log.sealed(1)
    with log.as_role(roles.WEB) as web, pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier("audit_entry")))


@pytest.mark.parametrize(
    "table", ["audit_leaf", "audit_node", "audit_checkpoint", "audit_era", "audit_logkey"]
)
def test_even_the_owner_rewrites_nothing_by_accident(log: Log, table: str) -> None:
    log.sealed(300)
    with log.setup.transaction(force_rollback=True):
        log.setup.execute("SET LOCAL ROLE gatekeeper_owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            log.setup.execute(f"DELETE FROM {table}".encode())
