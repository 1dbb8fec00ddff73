"""The sealer: every entry once, in one order, under signed checkpoints that leave the database."""

from __future__ import annotations

import base64
import hashlib
import os
import runpy
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from psycopg.types.json import Jsonb

from audit.models import Entry
from audit.seal import alarms, anchors, judging, leaves, proofs, stored
from audit.seal.checkpoints import Keys, LogKeyError, Signer
from audit.seal.copying import Copier
from audit.seal.findings import Kind
from audit.seal.sealing import Sealer, SealError
from audit.seal.verification import Verification
from audit.verify_bundle import (
    CUSTOMER,
    STAFF,
    Key,
    ProofError,
    check_bundle,
    customer_hash,
    leaf_data,
    leaf_hash,
    open_checkpoint,
    part_hash,
    read_head,
    record,
)
from gatekeeper.installation import roles, secrets
from gatekeeper.installation.environment import Environment
from tests.world.log import ACCOUNT, VIEW

if TYPE_CHECKING:
    from tests.conftest import Connection
    from tests.world.log import Log

#: What makes an entry one of no account.
OF_NOBODY: dict[str, Any] = {
    "event": "import", "account": "", "source": "import_staff (test)", "details": {}
}  # fmt: skip

# The leaf


def test_every_column_is_in_a_part() -> None:
    """A column that is in neither could be edited and nobody would see it."""
    columns = {field.column for field in Entry._meta.concrete_fields}
    assert columns == {*leaves.CUSTOMER, *leaves.STAFF, leaves.SALTS}
    assert set(leaves.CUSTOMER) - set(leaves.STAFF) == set(leaves.ERASED)
    assert len(leaves.CUSTOMER) == len(set(leaves.CUSTOMER))
    assert len(leaves.STAFF) == len(set(leaves.STAFF))


def test_the_model_has_every_column_of_the_table(log: Log) -> None:
    rows = log.setup.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'audit_entry'::regclass AND attnum > 0"
        " AND NOT attisdropped"
    ).fetchall()
    assert {name for (name,) in rows} == {field.column for field in Entry._meta.concrete_fields}


def test_the_leaf_is_what_its_description_says(log: Log) -> None:
    """From Python's own reading of the row, not from the COPY that makes leaves."""
    [written] = log.sealed(1, details={"b": 2, "aa": [1, "ł"]}, records=[3, 5])
    cursor = log.setup.cursor(row_factory=psycopg.rows.dict_row)
    row: dict[str, Any] = cursor.execute("SELECT * FROM audit_entry WHERE id = %s", [written]).fetchall()[0]
    row |= {
        "categories": "{contact}",
        "fields": "{contact.name,contact.email}",
        "failed": "{}",
        "records": "{3,5}",
        "details": '{"b": 2, "aa": [1, "ł"]}',
        "remote_addr": "192.0.2.1/32",
    }
    texts = {name: _text(value) for name, value in row.items() if name != leaves.SALTS}
    customer = customer_hash(row["salts"][:16], [texts[name] for name in leaves.CUSTOMER])
    shared = record([texts[name] for name in leaves.SHARED])
    staff = part_hash(STAFF, row["salts"][16:], [shared, *(texts[name] for name in leaves.STAFF_ALONE)])
    [(key,)] = log.setup.execute("SELECT key FROM audit_tag WHERE account = %s", [ACCOUNT]).fetchall()
    [(found, tag, number)] = log.setup.execute(
        "SELECT hash, tag, number FROM audit_leaf WHERE entry = %s", [written]
    ).fetchall()
    assert (tag, number) == (leaves.tag(ACCOUNT, key), 1)
    assert found == leaves.leaf_hash(customer, staff, tag, 1)


def _text(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return b"%d" % ((value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
    return str(value).encode()


def test_salts_are_the_databases_and_never_twice(log: Log) -> None:
    for _ in range(50):
        log.write()
    with log.as_role(roles.SIGNIN) as signin:
        signin.execute(
            "INSERT INTO audit_entry (salts, object_pk, object_repr, action, changes_text, event, outcome,"
            " reason, cid) VALUES (decode(repeat('00', 32), 'hex'), '', 'password', 3, '', 'sign_in_failed',"
            " 'refused', 'email_unknown', 'c-1')"
        )
    salts = [row[0] for row in log.setup.execute("SELECT salts FROM audit_entry").fetchall()]
    halves = {half for salt in salts for half in leaves.halves(salt)}
    assert {len(half) for half in halves} == {leaves.SALT_BYTES}
    assert len(halves) == 2 * len(salts) == 102
    assert bytes(16) not in halves


def test_strange_values_are_sealed_and_verified(log: Log) -> None:
    """Whoever may write an ordinary change must not be able to stop the sealer."""
    log.write("change", account="", member_name="Zażółć\n\t\\N\x7f", details={"deep": _deep(400)})
    log.write("change", account="", object_repr="x" * 100_000, details={"number": 10**400})
    target = log.write()
    log.tamper("UPDATE audit_entry SET nda_ends = 'infinity' WHERE id = %s", [target])
    log.sealer().seal()
    assert log.verify().findings == []


def _deep(levels: int) -> Any:
    found: Any = "end"
    for _ in range(levels):
        found = [found]
    return found


# The order


def test_what_is_committed_is_sealed_once(log: Log) -> None:
    written = [log.write() for _ in range(300)]
    assert log.sealer().seal() == 301  # with the entry that begins the era
    assert log.sealer().seal() == 0
    rows = log.setup.execute("SELECT place, entry FROM audit_leaf ORDER BY place").fetchall()
    assert [place for place, _ in rows] == list(range(301))
    assert sorted(entry for _, entry in rows)[:300] == written
    assert log.count("audit_node") == 1


def test_a_sealed_log_verifies(log: Log) -> None:
    log.sealed(300)
    log.sealed(5, **OF_NOBODY)
    told: list[int] = []
    report = log.verify(log.checkpoint(), progress=told.append)
    assert report.findings == []
    assert (report.size, report.entries, report.outside, report.checkpoints) == (306, 306, 1, 3)
    assert sum(told) == 306


def write_as_owner(connection: Connection) -> int:
    connection.execute("SET ROLE gatekeeper_owner")
    [(number,)] = connection.execute(
        "SELECT audit.write_entry('view', 'allowed', %s)", [Jsonb(VIEW)]
    ).fetchall()
    return int(number)


def test_an_entry_that_commits_late_is_not_skipped(log: Log) -> None:
    """It took the lower number; an id cursor would have passed it."""
    with psycopg.connect(log.server.setup_url(log.name)) as slow:
        early = write_as_owner(slow)
        later = log.write()
        assert early < later
        assert log.sealer().seal() == 0  # what came after it waits as well: the order is the transactions'
        assert log.verify().findings == []
        slow.commit()
    assert log.sealer().seal() == 3
    assert _order(log)[:2] == [early, later]
    assert log.verify().findings == []


def test_an_entry_that_was_being_written_while_a_checkpoint_was_made(log: Log) -> None:
    """Its number was drawn before the checkpoint's, and no later transaction had ended: a snapshot's xmax
    would have taken it for one to come."""
    log.sealed(1)
    log.write()
    with psycopg.connect(log.server.setup_url(log.name)) as slow:
        written = write_as_owner(slow)
        assert log.sealer().seal() == 1
        slow.commit()
    assert log.sealer().seal() == 1
    assert _order(log)[-1] == written


def test_what_is_rolled_back_leaves_a_gap_that_proves_nothing(log: Log) -> None:
    with psycopg.connect(log.server.setup_url(log.name)) as gone:
        write_as_owner(gone)
        gone.rollback()
    log.sealed(2)
    assert log.verify(log.checkpoint()).findings == []


def test_a_later_transaction_with_a_lower_number(log: Log) -> None:
    """The order is (transaction, number), not the number."""
    log.sealed(1)
    with psycopg.connect(log.server.setup_url(log.name)) as first:
        first.execute("SELECT pg_current_xact_id()")
        second = log.write()
        late = write_as_owner(first)
        first.commit()
    assert second < late
    log.sealer().seal()
    assert _order(log)[-2:] == [late, second]
    assert log.verify().findings == []


def _order(log: Log) -> list[int]:
    return [row[0] for row in log.setup.execute("SELECT entry FROM audit_leaf ORDER BY place").fetchall()]


def test_eight_writers_and_a_sealer(log: Log) -> None:
    """A fifth rolls back; the sealer works all the while; everything committed is sealed exactly once."""
    committed: list[int] = []
    done = threading.Event()

    def work(writer: int) -> None:
        with psycopg.connect(log.server.setup_url(log.name)) as connection:
            for number in range(40):
                found = write_as_owner(connection)
                if (number + writer) % 5:
                    connection.commit()
                    committed.append(found)
                else:
                    connection.rollback()

    def seal() -> None:
        signer = Signer(settings.LOG_ORIGIN, settings.LOG_KEY)
        with log.as_role(roles.SEALER) as connection:
            sealer = log.sealer_on(connection, signer)
            while not done.is_set():
                sealer.seal()

    writers = [threading.Thread(target=work, args=[number]) for number in range(8)]
    sealing = threading.Thread(target=seal)
    sealing.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    sealing.join()
    log.sealer().seal()
    assert len(committed) == 256
    assert set(committed) <= set(_order(log))
    assert len(_order(log)) == len(set(_order(log)))
    report = log.verify(log.checkpoint())
    assert report.findings == []
    assert report.entries == report.size


def test_the_number_is_drawn_after_the_transaction_has_begun(log: Log) -> None:
    """stored.lowest rests on it, and on a sequence that gives numbers to nobody in advance."""
    [(source,)] = log.setup.execute("SELECT prosrc FROM pg_proc WHERE proname = 'stamp_entry'").fetchall()
    assert 0 < source.index("pg_current_xact_id") < source.index("nextval")
    [(cached,)] = log.setup.execute(
        "SELECT seqcache FROM pg_sequence WHERE seqrelid = 'audit_entry_id_seq'::regclass"
    ).fetchall()
    assert cached == 1


def test_the_sealer_finds_what_is_new_by_the_key_alone(log: Log) -> None:
    """Its cost must not grow with the log: the bound follows."""
    log.sealed(50)
    log.sealed(1)
    newest = stored.newest_checkpoint(log.setup)
    assert newest
    assert 50 <= stored.lowest(log.setup, newest.horizon, newest.era) < log.write()


def test_one_sealer_at_a_time(log: Log) -> None:
    log.write()
    with psycopg.connect(log.server.setup_url(log.name)) as other:
        other.execute("SELECT audit.lock_seal()")
        with log.as_role(roles.SEALER) as connection:
            connection.execute("SET lock_timeout = '100ms'")
            signer = Signer(settings.LOG_ORIGIN, settings.LOG_KEY)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                log.sealer_on(connection, signer).seal()


def test_numbers_run_on_under_each_tag(log: Log) -> None:
    for account in ("MOC-50001", "MOC-50002", "MOC-50001", ""):
        log.sealed(2, **({"account": account} if account else OF_NOBODY))
    rows = log.setup.execute(
        "SELECT tag, array_agg(number ORDER BY place) FROM audit_leaf GROUP BY tag ORDER BY min(place)"
    ).fetchall()
    # The beginning of the era and the two of no account have no tag and no number.
    assert sorted(numbers for tag, numbers in rows if tag != leaves.NO_TAG) == [[1, 2], [1, 2, 3, 4]]
    assert [numbers for tag, numbers in rows if tag == leaves.NO_TAG] == [[0, 0, 0]]
    assert {len(tag) for tag, _ in rows} == {leaves.TAG_BYTES}


# Eras


def test_another_name_is_another_era_and_everything_has_its_leaf(log: Log) -> None:
    log.sealed(2)
    waiting = log.write()
    assert log.sealer("elsewhere.test/log").seal() == 2  # what waited, then the era's own entry
    assert _order(log)[-2] == waiting
    log.sealed_by("elsewhere.test/log", 2)
    assert log.count("audit_era") == 2
    report = log.verify(log.checkpoint(3), log.checkpoint())
    assert report.findings == []
    assert read_head(log.checkpoint()).origin == "elsewhere.test/log"


def test_another_key_under_another_name(log: Log) -> None:
    """A lost key: the new one goes on over the same leaves, and the old public one still counts."""
    target = log.sealed(2)[0]
    log.write()
    signer = Signer("second.test/log", secrets.log_key())
    with pytest.raises(SealError):
        Sealer(lambda: stored.raw("sealer"), signer, "tests").seal()
    keys = Keys.read(f"{signer.key},{settings.LOG_VERIFIER}")
    assert Sealer(lambda: stored.raw("sealer"), signer, "tests", keys).seal() == 2
    beside = stored.another("default")
    report = Verification(stored.raw("default"), beside, keys).run()
    beside.close()
    assert report.findings == []
    found = proofs.bundle(stored.raw("default"), keys.newest, proofs.Wanted(entry=target))
    assert check_bundle(found, key=str(signer.key)) == []


def test_another_cluster_is_another_era(log: Log) -> None:
    """As after a dump and a restore: there transactions are numbered again, perhaps from far below."""
    log.sealed(2)
    log.tamper("UPDATE audit_era SET system = system + 1")
    log.tamper("UPDATE audit_checkpoint SET horizon = '900000000', ceiling = '900000000'")
    log.write()
    assert log.sealer().seal() >= 1
    log.sealed(2)
    assert log.verify().findings == []


# Checkpoints and keys


def test_a_checkpoint_is_signed_by_the_logs_key(log: Log) -> None:
    log.sealed(3)
    head = open_checkpoint(log.checkpoint(), Key.read(settings.LOG_VERIFIER))
    assert (head.origin, head.size) == (settings.LOG_ORIGIN, 4)
    assert log.checkpoint().split("\n")[:2] == [settings.LOG_ORIGIN, "4"]


def test_a_checkpoint_of_another_origin_under_our_name_is_refused() -> None:
    """A key may sign more than one log's; what it signs counts for the one that the text names."""
    private = Ed25519PrivateKey.generate()
    key = Key("here.test/log", private.public_key().public_bytes_raw())
    text = f"elsewhere.test/log\n1\n{base64.b64encode(bytes(32)).decode()}\n"
    signature = base64.b64encode(key.number + private.sign(text.encode())).decode()
    with pytest.raises(ProofError, match="another log"):
        open_checkpoint(f"{text}\n— {key.name} {signature}\n", key)


@pytest.mark.parametrize(("origin", "secret"), [("x", "AAAA"), ("x", "?"), ("a b", ""), ("a+b", "")])
def test_keys_that_cannot_be_used(origin: str, secret: str) -> None:
    with pytest.raises(LogKeyError):
        Signer(origin, secret or secrets.log_key())


BASE = {"GATEKEEPER_MODE": "test", "GATEKEEPER_SITE_URL": "https://gate.test"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_KEY", "short"),
        ("LOG_ORIGIN", "two words"),
        ("LOG_VERIFIER", "no+key"),
        ("LOG_ANCHORS", "directory:relative"),
        ("LOG_ANCHORS", "carrier pigeon"),
    ],
)
def test_settings_that_cannot_be_used(name: str, value: str) -> None:
    environment = Environment(BASE | {f"GATEKEEPER_{name}": value})
    readers = {
        "LOG_KEY": environment.log_key,
        "LOG_ORIGIN": environment.log_origin,
        "LOG_VERIFIER": environment.log_verifier,
        "LOG_ANCHORS": environment.log_anchors,
    }
    with pytest.raises(ImproperlyConfigured, match=f"GATEKEEPER_{name}"):
        readers[name]()


def test_the_verifier_comes_from_the_key_where_that_is() -> None:
    key = secrets.log_key()
    environment = Environment(BASE | {"GATEKEEPER_LOG_KEY": key})
    assert environment.log_verifier() == str(Signer("gate.test/log", key).key)
    elsewhere = Environment(BASE | {"GATEKEEPER_LOG_VERIFIER": environment.log_verifier()})
    assert elsewhere.log_verifier() == environment.log_verifier()
    assert elsewhere.log_key() == ""


# Silence, lag and copies


def test_an_empty_period_is_sealed_every_five_minutes(log: Log) -> None:
    log.sealed(1)
    assert log.sealer().seal() == 0
    log.tamper("UPDATE audit_checkpoint SET sealed_at = sealed_at - interval '4 minutes'")
    assert log.sealer().seal() == 0
    log.tamper("UPDATE audit_checkpoint SET sealed_at = sealed_at - interval '2 minutes'")
    assert log.sealer().seal() == 1
    [(event, details)] = log.setup.execute(
        "SELECT event, details FROM audit_entry ORDER BY id DESC LIMIT 1"
    ).fetchall()
    assert (event, details) == ("seal", {"quiet": True})
    assert log.sealer().seal() == 0


def test_silence_is_broken_once_while_a_transaction_runs_on(log: Log) -> None:
    log.sealed(1)
    log.tamper("UPDATE audit_checkpoint SET sealed_at = sealed_at - interval '6 minutes'")
    with psycopg.connect(log.server.setup_url(log.name)) as long:
        long.execute("SELECT pg_current_xact_id()")
        assert log.sealer().seal() == log.sealer().seal() == 0
    assert log.count("audit_entry") == 3
    assert log.sealer().seal() == 1


def test_alarms_of_the_sealer(log: Log) -> None:
    assert alarms.sealing("default").sealed_at is None
    log.sealed(1)
    assert alarms.sealing("default").sealer == []
    waiting = log.write()
    log.tamper("UPDATE audit_entry SET timestamp = timestamp - interval '2 minutes' WHERE id = %s", [waiting])
    [words] = alarms.sealing("default").sealer
    assert "has waited for its seal" in words
    log.tamper("UPDATE audit_checkpoint SET sealed_at = sealed_at - interval '10 minutes'")
    assert alarms.sealing("default").sealer == ["The sealer has not worked since then."]


def copier(*names: str) -> Copier:
    return Copier(lambda: stored.raw("sealer"), names)


def test_copies_leave_and_can_be_read_back(log: Log, tmp_path: Path) -> None:
    log.sealed(1)
    name = f"directory:{tmp_path}"
    copier(name).copy()
    first = log.checkpoint()
    log.sealed(1)
    copier(name).copy()
    assert copier(name).newest(settings.LOG_ORIGIN) == [log.checkpoint()]
    assert copier(name).newest("another.test/log") == []
    kept = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert [path.name[:12] for path in kept] == ["000000000002", "000000000003"]
    assert kept[0].read_text() == first
    assert alarms.sealing("default").copies == []
    copier(name).copy()  # nothing new: nothing is written
    assert len(list(tmp_path.rglob("*"))) == 3


def test_an_anchor_that_fails_is_shown_and_tried_again(log: Log, tmp_path: Path) -> None:
    log.sealed(1)
    bad, good = tmp_path / "not-mounted", tmp_path / "good"
    good.mkdir()
    names = f"directory:{bad}", f"directory:{good}"
    copier(*names).copy()
    [words] = alarms.sealing("default").copies
    assert words.startswith(f"directory:{bad}: FileNotFoundError")
    assert copier(names[1]).newest(settings.LOG_ORIGIN) == [log.checkpoint()]  # the other has its copy
    log.sealed(1)  # and work went on
    bad.mkdir()
    copier(*names).copy()
    assert alarms.sealing("default").copies == []
    assert len(copier(*names).newest(settings.LOG_ORIGIN)) == 2


def test_a_copy_is_never_overwritten(tmp_path: Path) -> None:
    where, at = anchors.Directory(tmp_path), datetime(2026, 1, 2, tzinfo=UTC)
    where.copy("log\none", 5, at)
    where.copy("log\none", 5, at)
    with pytest.raises(FileExistsError):
        where.copy("log\nanother", 5, at)
    where.copy("other\none", 5, at)
    assert {path.read_text() for path in tmp_path.rglob("*5-*")} == {"log\none", "other\none"}


def test_without_an_anchor_the_page_says_what_that_means(log: Log) -> None:
    log.sealed(1)
    [words] = alarms.sealing("default").copies
    assert "superuser" in words


def test_an_anchor_that_is_no_longer_named_is_forgotten(log: Log, tmp_path: Path) -> None:
    log.sealed(1)
    copier(f"directory:{tmp_path}/gone").copy()
    copier(f"directory:{tmp_path}").copy()
    assert alarms.sealing("default").copies == []


# The commands


def test_seal_log_once(log: Log, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.LOG_ANCHORS = [f"directory:{tmp_path}", "stdout"]
    log.write()
    call_command("seal_log")
    said = capsys.readouterr()
    assert said.out == log.checkpoint() + "\n"
    assert settings.LOG_VERIFIER in said.err
    assert log.verify(log.checkpoint()).findings == []


def test_seal_logs_exit_status_tells_of_a_failing_anchor(log: Log, tmp_path: Path, settings: Any) -> None:
    settings.LOG_ANCHORS = [f"directory:{tmp_path}/not-mounted"]
    log.write()
    with pytest.raises(CommandError, match="FileNotFoundError"):
        call_command("seal_log")
    assert log.verify(log.checkpoint()).findings == []  # sealed all the same


def test_seal_log_refuses_a_database_that_was_rolled_back(log: Log, tmp_path: Path, settings: Any) -> None:
    settings.LOG_ANCHORS = [f"directory:{tmp_path}"]
    log.write()
    call_command("seal_log")
    log.empty()
    log.write()
    with pytest.raises(CommandError, match="rolled back"):
        call_command("seal_log")
    assert log.count("audit_leaf") == 0
    settings.LOG_ORIGIN = "second.test/log"  # the way on: a new log under a new name
    call_command("seal_log")
    assert log.count("audit_leaf") == 2


def test_seal_log_needs_its_key_and_its_link(settings: Any) -> None:
    settings.LOG_KEY = ""
    with pytest.raises(CommandError, match="GATEKEEPER_LOG_KEY"):
        call_command("seal_log")


def test_verify_log_says_what_is_wrong_and_where(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = log.sealed(3)[1]
    kept = tmp_path / "kept"
    kept.write_text(log.checkpoint())
    call_command("verify_log", checkpoint=[kept])
    assert "The log is what was sealed." in capsys.readouterr().out
    log.tamper("UPDATE audit_entry SET ticket_state = 'pending' WHERE id = %s", [target])
    with pytest.raises(CommandError, match="1 thing is wrong"):
        call_command("verify_log", checkpoint=[kept])
    assert f"edited: entry {target} is not what leaf 1 says" in capsys.readouterr().out


def test_verify_log_by_several_processes(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is ended from outside ends the verification, and nothing passes for verified."""
    log.sealed(5)
    monkeypatch.setattr(judging, "SPAN", 1)
    with pytest.raises(CommandError, match="At least one process"):
        call_command("verify_log", processes=0)
    monkeypatch.setattr(judging, "_begin", lambda *_given: os._exit(1))
    with pytest.raises(CommandError, match="ended from outside"):
        call_command("verify_log", processes=2)
    call_command("verify_log", processes=1)  # which starts none


def test_all_processes_read_in_one_snapshot(log: Log) -> None:
    """What is put right while they start was not right when the verification began."""
    log.sealed(5)
    [leaf] = log.setup.execute("SELECT * FROM audit_leaf WHERE place = 2").fetchall()
    log.tamper("DELETE FROM audit_leaf WHERE place = 2")

    def connect() -> Connection:
        with psycopg.connect(log.server.setup_url(log.name), autocommit=True) as late:
            late.execute("INSERT INTO audit_leaf VALUES (%s, %s, %s, %s, %s)", leaf)
        return stored.another("default")

    beside, keys = stored.another("default"), Keys.read(settings.LOG_VERIFIER)
    others = judging.Others(connect, processes=1)
    report = Verification(stored.raw("default"), beside, keys, others=others).run()
    beside.close()
    assert {finding.kind for finding in report.findings} == {Kind.MISSING, Kind.INSERTED}  # and its entry
    assert log.verify().findings == []


def test_verify_log_since(log: Log) -> None:
    old = log.sealed(300)[5]
    log.tamper("UPDATE audit_checkpoint SET sealed_at = sealed_at - interval '3 minutes'")
    log.sealed(3)
    since = datetime.now(UTC) - timedelta(minutes=1)
    log.tamper("UPDATE audit_entry SET member = 'K-6666' WHERE id = %s", [old])
    report = log.verify(log.checkpoint(), since=since)
    assert (report.findings, report.entries) == ([], 3)
    assert len(log.verify(since=since - timedelta(days=1)).findings) == 1


def test_verify_log_since_when_nothing_was_sealed(log: Log) -> None:
    """A copy of the last checkpoint before that moment is of this history, and nothing was cut off."""
    log.sealed(3)
    report = log.verify(log.checkpoint(), since=datetime.now(UTC) + timedelta(minutes=1))
    assert (report.findings, report.entries, report.outside) == ([], 0, 1)


def test_the_web_process_refuses_the_keys_and_links_of_commands() -> None:
    """Whoever takes over a web process must not be able to sign another log, or to blind the rules."""
    source = Path(__file__).parents[2] / "gatekeeper" / "wsgi.py"
    with pytest.raises(ImproperlyConfigured) as refused:
        runpy.run_path(str(source))
    for name in ("LOG_KEY", *(f"DATABASE_URL_{one}" for one in roles.LINKS if one not in roles.SERVING)):
        assert f"GATEKEEPER_{name}" in str(refused.value)


# What leaves the log rightly


def erase(log: Log, account: str) -> None:
    with log.as_role(roles.FEED) as feed:
        feed.execute("SELECT vault.erase_account(%s, 'tests')", [account])


def test_an_erased_accounts_entries_stay_provable_without_it(log: Log) -> None:
    log.sealed(2, account="MOC-50000")
    erased = log.sealed(3)
    waiting = log.write()
    erase(log, ACCOUNT)
    log.sealer().seal()
    report = log.verify(log.checkpoint())
    assert (report.findings, report.erased) == ([], 3)
    rows = log.setup.execute(
        "SELECT account, records, octet_length(salts) FROM audit_entry WHERE id = ANY (%s) ORDER BY id",
        [[*erased, waiting]],
    ).fetchall()
    assert rows == [("", None, 48)] * 3 + [("", None, 32)]
    [(named, reason)] = log.setup.execute(
        "SELECT details->'leaves', details->>'reason' FROM audit_entry WHERE event = 'erase'"
    ).fetchall()
    assert (named, reason) == ([[3, 5]], "account_erased")
    assert log.count("audit_tag") == 2  # the other account's, and the erasure's own entry's: a new key


def test_an_erased_entry_can_still_not_be_edited(log: Log) -> None:
    target = log.sealed(3)[1]
    erase(log, ACCOUNT)
    log.sealer().seal()
    for column, value in (("member", "'K-6666'"), ("account", "'MOC-50000'"), ("records", "'{1}'")):
        log.tamper(f"UPDATE audit_entry SET {column} = {value} WHERE id = %s", [target])
        assert [one.entry for one in log.verify().findings] == [target]
        before = {"member": "'K-0193'", "account": "''", "records": "NULL"}[column]
        log.tamper(f"UPDATE audit_entry SET {column} = {before} WHERE id = %s", [target])
    assert log.verify().findings == []


def test_an_erasure_nobody_recorded_is_an_edit(log: Log) -> None:
    target = log.sealed(3)[1]
    log.tamper(
        "UPDATE audit_entry e SET account = '', records = NULL,"
        " salts = audit.customer_hash(e) || substr(salts, 17) WHERE id = %s",
        [target],
    )
    assert [one.entry for one in log.verify(log.checkpoint()).findings] == [target]


def test_the_hash_that_an_erasure_leaves_is_the_leafs(log: Log) -> None:
    shown = log.write(records=[1, 2])
    [target] = log.sealed(1, outcome="withheld", reason="ticket_closed", records=[1, 2], answers=shown)
    of = f"FROM audit_entry e WHERE id = {target}"
    statement = f"COPY (SELECT audit.customer_hash(e), salts, {leaves.PARTS} {of}) TO STDOUT (FORMAT binary)"
    with log.setup.cursor() as cursor, cursor.copy(statement) as rows:
        [row] = leaves.rows(rows)
    by_sql, at = leaves.value(row, leaves.FIRST)
    salts, at = leaves.value(row, at)
    assert salts
    assert by_sql == leaves.customer_hash(salts[:16], leaves.cut(row, at).customer)


def old(log: Log) -> None:
    """Everything is six years older, and is sealed so."""
    with log.as_role(roles.SEALER) as sealer:
        sealer.execute("SELECT audit.begin_era(%s, 'tests')", [settings.LOG_VERIFIER])
    with log.untriggered():
        log.setup.execute("UPDATE audit_entry SET timestamp = timestamp - interval '6 years'")
    log.sealer().seal()
    log.tamper("UPDATE audit_checkpoint SET sealed_at = sealed_at - interval '6 years'")


def test_retention_takes_bodies_and_the_log_stays_provable(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    written = [log.write() for _ in range(4)]
    old(log)
    log.sealed(2)
    call_command("retain_log")
    assert "5 bodies are gone" in capsys.readouterr().out
    log.sealer().seal()
    report = log.verify(log.checkpoint())
    assert [str(one) for one in report.findings] == []
    assert report.removed == 5  # with the entry of the era's beginning
    left = log.setup.execute("SELECT count(*) FROM audit_entry WHERE id = ANY (%s)", [written]).fetchall()
    assert left == [(0,)]
    [(rule,)] = log.setup.execute(
        "SELECT details->'retention' FROM audit_entry WHERE event = 'seal' AND details ? 'retention'"
    ).fetchall()
    assert rule == {"from": 0, "to": 5, "days": 1826, "reason": "retention_period"}
    call_command("retain_log")
    assert "0 bodies" in capsys.readouterr().out


def test_retention_takes_nothing_that_is_young(log: Log) -> None:
    log.sealed(5)
    with log.as_role(roles.SEALER) as sealer:
        assert sealer.execute("SELECT audit.retain('retention_period', 'x', 100)").fetchone() == (0,)
    assert log.count("audit_entry") == 6


def test_retention_needs_its_reason(log: Log) -> None:
    with log.as_role(roles.SEALER) as sealer, pytest.raises(psycopg.errors.InsufficientPrivilege):
        sealer.execute("SELECT audit.retain('because', 'x', 100)")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM public.audit_entry",
        "UPDATE public.audit_entry SET account = '', records = NULL",
        "UPDATE public.audit_entry SET member = 'K-6666'",
    ],
)
def test_the_append_only_log_admits_nothing_else(log: Log, statement: str) -> None:
    """Not even the owner's, without the entry of the same transaction that says so."""
    for _ in range(2):
        log.write()
    old(log)
    with log.setup.transaction(force_rollback=True):
        log.setup.execute("SET LOCAL ROLE gatekeeper_owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            log.setup.execute(statement.encode())


def test_an_erasure_changes_nothing_else(log: Log) -> None:
    """With the entry of the erasure behind it, still only the references of that account go."""
    log.sealed(2)
    for change in (
        "member = 'K-6666', account = ''",
        "account = '', salts = '\\x00'",
        "account = 'MOC-50000'",
    ):
        with log.setup.transaction(force_rollback=True):
            log.setup.execute("SET LOCAL ROLE gatekeeper_owner")
            log.setup.execute(
                "SELECT audit.write_entry('erase', 'allowed', %s)",
                [Jsonb({"account": ACCOUNT, "source": "erase_account (test)", "fields": [], "details": {}})],
            )
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                log.setup.execute(f"UPDATE public.audit_entry SET {change} WHERE event = 'view'".encode())


def test_prefixes_keep_parts_apart() -> None:
    """The same bytes as a customer's part and as a staff part are two hashes."""
    assert part_hash(CUSTOMER, b"s", [b"x"]) != part_hash(STAFF, b"s", [b"x"])
    assert part_hash(CUSTOMER, b"s", [b"ab", b"c"]) != part_hash(CUSTOMER, b"s", [b"a", b"bc"])
    assert part_hash(CUSTOMER, b"s", [None]) != part_hash(CUSTOMER, b"s", [b""])
    assert leaves.leaf_hash(bytes(32), bytes(32), b"tag", 7) == leaf_hash(
        leaf_data(bytes(32), bytes(32), b"tag", 7)
    )
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
