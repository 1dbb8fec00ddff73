"""Proof bundles: they convince a stranger, with our single file, with another's package, and with Go."""

from __future__ import annotations

import base64
import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import metamorphic_log
import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from audit import verify_bundle
from audit.seal import proofs, stored
from audit.verify_bundle import Key
from gatekeeper.installation import roles
from tests.world import programs
from tests.world.log import ACCOUNT

if TYPE_CHECKING:
    from tests.world.log import Log

ROOT = Path(__file__).resolve().parents[2]
GO_PACKAGES = Path("/usr/share/gocode")


def bundle(log: Log, **wanted: Any) -> dict[str, Any]:
    found = proofs.bundle(stored.raw("default"), Key.read(settings.LOG_VERIFIER), proofs.Wanted(**wanted))
    assert log.verify().findings == []
    copied: dict[str, Any] = json.loads(json.dumps(found))
    return copied


@pytest.fixture
def one(log: Log) -> dict[str, Any]:
    """A bundle of one entry in the middle of three hundred."""
    target = log.sealed(200)[77]
    log.sealed(100)
    return bundle(log, entry=target)


def elsewhere(found: dict[str, Any], place: int = 0) -> dict[str, Any]:
    """The parts of a bundle as tools for any log want them."""
    entry = found["entries"][place]
    values = [None if value is None else value.encode() for value in entry["customer"].values()]
    customer = verify_bundle.customer_hash(bytes.fromhex(entry["salt"]), values)
    tag, staff = bytes.fromhex(entry["tag"]), bytes.fromhex(entry["staff"])
    return {
        "key": found["key"],
        "checkpoint": found["checkpoint"],
        "earlier": found["earlier"][0]["checkpoint"],
        "consistency": found["earlier"][0]["consistency"],
        "place": entry["place"],
        "data": verify_bundle.leaf_data(customer, staff, tag, entry["number"]),
        "inclusion": entry["inclusion"],
    }


def decoded(steps: list[str]) -> list[bytes]:
    return [base64.b64decode(step) for step in steps]


def several(log: Log) -> dict[str, Any]:
    """A bundle of three entries of one account."""
    numbers = log.sealed(20)[4:7]
    return bundle(log, entries=tuple(numbers))


def test_a_damaged_bundle_is_told_in_words(log: Log) -> None:
    """Whatever is lacking or of another kind: no trace of the program, and never 'All holds'."""
    found = several(log)
    key = settings.LOG_VERIFIER
    assert verify_bundle.check_bundle(found, key=key) == []
    for name in ("checkpoint", "earlier", "entries"):
        for kind in (None, 5, "x", [None]):
            assert verify_bundle.check_bundle(found | {name: kind}, key=key), (name, kind)
    others: tuple[object, ...] = (None, "x", [], {}, -1, 10**30, 0.5)
    for name in found["entries"][0]:
        for other in others:
            damaged = copy.deepcopy(found)
            damaged["entries"][0][name] = other
            assert verify_bundle.check_bundle(damaged, key=key), (name, other)
        damaged = copy.deepcopy(found)
        del damaged["entries"][0][name]
        assert verify_bundle.check_bundle(damaged, key=key), name


def test_an_entry_that_stands_twice_is_refused(log: Log) -> None:
    found = several(log)
    found["entries"].append(found["entries"][1])
    place = found["entries"][1]["place"]
    [wrong] = verify_bundle.check_bundle(found, key=settings.LOG_VERIFIER)
    assert wrong == f"the entry at place {place} stands 2 times in the bundle"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000, b"null"])
def test_a_file_that_is_no_bundle_is_told_in_words(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(data)
    command = [sys.executable, "-I", str(ROOT / "audit" / "verify_bundle.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("DOES NOT HOLD: ")


def test_a_bundle_holds(one: dict[str, Any]) -> None:
    assert verify_bundle.check_bundle(one, key=settings.LOG_VERIFIER) == []
    facts = one["entries"][0]["customer"]
    assert (facts["account"], facts["event"], facts["member"]) == (ACCOUNT, "view", "K-0193")
    assert facts["fields"] == "{contact.name,contact.email}"
    assert "Katarzyna" not in json.dumps(one)  # the staff part stays shut


def test_another_package_accepts_it_and_refuses_what_is_touched(one: dict[str, Any]) -> None:
    parts = elsewhere(one)
    head = metamorphic_log.checkpoint_verify(parts["checkpoint"], [parts["key"]])
    assert (head.origin, head.size) == (settings.LOG_ORIGIN, 301)
    leaf = verify_bundle.leaf_hash(parts["data"])
    proof = decoded(parts["inclusion"])
    metamorphic_log.checkpoint_verify_inclusion(
        parts["checkpoint"], [parts["key"]], parts["place"], leaf, proof
    )
    metamorphic_log.checkpoint_verify_consistency(
        parts["earlier"], parts["checkpoint"], [parts["key"]], decoded(parts["consistency"])
    )
    with pytest.raises(metamorphic_log.VerifyError):
        metamorphic_log.checkpoint_verify_inclusion(
            parts["checkpoint"], [parts["key"]], parts["place"] + 1, leaf, proof
        )
    with pytest.raises(metamorphic_log.VerifyError):
        metamorphic_log.checkpoint_verify(parts["checkpoint"].replace("301", "302"), [parts["key"]])


def go(parts: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    given = parts | {"data": base64.b64encode(parts["data"]).decode()}
    return subprocess.run(
        ["go", "run", "elsewhere.go"],  # noqa: S607  # Go as the tests' machine has it
        cwd=ROOT / "tests",
        env={
            "PATH": os.environ["PATH"],
            "GOPATH": str(GO_PACKAGES),
            "GO111MODULE": "off",
            "GOCACHE": str(folder),
            "HOME": str(folder),
        },
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(
    programs.left_out("go"),
    reason="Go is missing: apt-get install golang-go golang-golang-x-mod-dev",
)
def test_go_accepts_it_and_refuses_what_is_touched(one: dict[str, Any], tmp_path: Path) -> None:
    parts = elsewhere(one)
    held = go(parts, tmp_path)
    assert held.stdout == "holds\n", held.stderr
    touched = [
        parts | {"data": parts["data"] + b"x"},
        parts | {"checkpoint": parts["checkpoint"].replace("301", "302")},
        parts | {"consistency": parts["consistency"][:-1]},
    ]
    assert all(go(one, tmp_path).returncode for one in touched)


def test_the_single_file_runs_alone(one: dict[str, Any], log: Log, tmp_path: Path) -> None:
    """Copied to a folder of its own, it needs nothing of ours."""
    shutil.copy(ROOT / "audit" / "verify_bundle.py", tmp_path)
    (tmp_path / "bundle.json").write_text(json.dumps(one))
    (tmp_path / "kept").write_text(log.checkpoint(200))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "verify_bundle.py", "bundle.json", *arguments],
            cwd=tmp_path,
            env={},
            capture_output=True,
            text=True,
            check=False,
        )

    held = run("--key", settings.LOG_VERIFIER, "--checkpoint", "kept")
    assert (held.returncode, held.stdout) == (
        0,
        f"All holds: 1 entry is in the log {settings.LOG_ORIGIN} of 301 entries.\n",
    )
    assert "compare it" in run().stdout
    one["entries"][0]["customer"]["member"] = "K-6666"
    (tmp_path / "bundle.json").write_text(json.dumps(one))
    lied = run("--key", settings.LOG_VERIFIER)
    assert lied.returncode == 1
    assert "was altered" in lied.stdout


def test_the_single_file_says_what_it_needs(tmp_path: Path) -> None:
    """On a machine with Python alone."""
    ended = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "audit" / "verify_bundle.py", "bundle.json"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "needs the package cryptography" in ended.stderr


def test_a_mark_before_a_bundle_is_nothing(one: dict[str, Any], tmp_path: Path) -> None:
    """As an editor may put it there."""
    (tmp_path / "bundle.json").write_text(json.dumps(one), "utf-8-sig")
    ended = subprocess.run(
        [sys.executable, "-I", ROOT / "audit" / "verify_bundle.py", tmp_path / "bundle.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.startswith("All holds: 1 entry is in the log ")


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every single value of a bundle, by its path."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in paths(inner, (*path, key))]
    if isinstance(value, list):
        return [found for at, inner in enumerate(value) for found in paths(inner, (*path, at))]
    return [path]


def touched(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    if not value:
        return "x"
    return ("1" if value[0] == "0" else "0") + value[1:]


def test_no_single_value_of_a_bundle_can_be_another(one: dict[str, Any]) -> None:
    every = [path for path in paths(one) if path[0] not in ("instructions", "key")]
    assert len(every) > 30
    for path in every:
        other = copy.deepcopy(one)
        holder = other
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = touched(holder[path[-1]])
        assert verify_bundle.check_bundle(other, key=settings.LOG_VERIFIER), path


def test_a_bundle_of_another_log_is_refused(one: dict[str, Any]) -> None:
    other = str(Key(settings.LOG_ORIGIN, bytes(31) + b"\x01"))
    assert verify_bundle.check_bundle(one, key=other) == ["the checkpoint is not signed by this key"]


def test_an_accounts_period_is_whole(log: Log) -> None:
    log.sealed(3)
    log.sealed(2, account="MOC-50000")
    log.sealed(3)
    found = bundle(log, account=ACCOUNT)
    assert [entry["number"] for entry in found["entries"]] == [1, 2, 3, 4, 5, 6]
    assert verify_bundle.check_bundle(found, key=settings.LOG_VERIFIER) == []
    del found["entries"][2]
    [wrong] = verify_bundle.check_bundle(found, key=settings.LOG_VERIFIER)
    assert "no. 3" in wrong


def test_a_bundle_continues_a_checkpoint_that_was_kept(log: Log) -> None:
    log.sealed(3)
    kept = log.checkpoint()
    target = log.sealed(3)[0]
    key = Key.read(settings.LOG_VERIFIER)
    found = proofs.bundle(stored.raw("default"), key, proofs.Wanted(entry=target), earlier=[kept])
    assert verify_bundle.check_bundle(found, key=str(key), checkpoint=kept) == []
    found = proofs.bundle(stored.raw("default"), key, proofs.Wanted(entry=target))
    [wrong] = verify_bundle.check_bundle(found, key=str(key), checkpoint=kept)
    assert "does not continue" in wrong


def test_what_was_altered_is_not_proved(log: Log) -> None:
    target = log.sealed(3)[0]
    log.tamper("UPDATE audit_entry SET member = 'K-6666' WHERE id = %s", [target])
    with pytest.raises(proofs.UnprovableError, match="altered"):
        proofs.bundle(stored.raw("default"), Key.read(settings.LOG_VERIFIER), proofs.Wanted(entry=target))


def test_what_waits_for_its_seal_is_not_proved_yet(log: Log) -> None:
    log.sealed(3)
    waiting = log.write()
    with pytest.raises(proofs.UnprovableError, match="waits"):
        proofs.bundle(stored.raw("default"), Key.read(settings.LOG_VERIFIER), proofs.Wanted(entry=waiting))


def noted(log: Log, *entries: int, source: str = "prove (root)") -> int:
    """What the sealer's role has recorded of a proof: of how many entries."""
    sealer = log.as_role(roles.SEALER)
    try:
        [(count,)] = sealer.execute("SELECT audit.note_proof(%s, %s)", [list(entries), source]).fetchall()
        return int(count)
    finally:
        sealer.close()


def test_a_proof_of_nothing_is_not_claimed(log: Log) -> None:
    sealed, others = log.sealed(2), log.sealed(1, account="MOC-50000")
    waiting = log.write()
    before = log.count("audit_entry")
    for claimed in ([], [waiting], [*sealed, waiting], [*sealed, *others], [sealed[0]] * 2, [10**6]):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="sealed entries of one account"):
            noted(log, *claimed)
    assert log.count("audit_entry") == before
    assert noted(log, *sealed, source="prove (" + "x" * 200) == 2
    [(account, results, source, role)] = log.setup.execute(
        "SELECT account, results, source, role FROM audit_entry ORDER BY id DESC LIMIT 1"
    ).fetchall()
    assert (account, results, len(source), role) == (ACCOUNT, 2, 80, roles.SEALER)


def test_the_command_writes_a_bundle_and_records_it(log: Log, tmp_path: Path) -> None:
    log.sealed(3)
    output = tmp_path / "bundle.json"
    call_command("prove", account=ACCOUNT, output=output)
    found = json.loads(output.read_text())
    assert verify_bundle.check_bundle(found, key=settings.LOG_VERIFIER) == []
    [(event, account, results)] = log.setup.execute(
        "SELECT event, account, results FROM audit_entry ORDER BY id DESC LIMIT 1"
    ).fetchall()
    assert (event, account, results) == ("export", ACCOUNT, 3)
    with pytest.raises(CommandError):
        call_command("prove")
