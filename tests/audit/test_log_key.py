"""The log's public key: announced by the sealer, pinned by a setting, and named wherever it is judged by."""

from __future__ import annotations

import base64
import json
import time
from functools import partial
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.core.checks import Error
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import translation

from audit import verify_bundle
from audit.models import Entry, LogKey
from audit.seal import stored, trust
from audit.seal.checkpoints import Keys, Signer
from audit.seal.inclusion_status import inclusion_status
from audit.seal.sealing import Sealer, SealError
from gatekeeper.demo import run
from gatekeeper.installation import checks, roles, secrets
from gatekeeper.pages import surroundings
from gatekeeper.reports import proof as proofs_of
from gatekeeper.reports import words
from tests.world import SOON, World
from tests.world.entries import entry
from tests.world.scene import enter
from tests.world.sealed import sealed_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

    from tests.conftest import Connection
    from tests.world.log import Log

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

#: Somebody else's key, as a setting may name it by mistake.
OTHER = str(Signer("other.test/log", base64.b64encode(bytes(range(32))).decode()).key)


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Whatever a test before has left as the thread's language."""
    with translation.override("en"):
        yield


def read() -> trust.Trust:
    return trust.read(stored.raw("default"))


def announce(log: Log, key: str) -> bool:
    with log.as_role(roles.SEALER) as sealer:
        [(new,)] = sealer.execute("SELECT audit.announce_key(%s, 'tests')", [key]).fetchall()
        return bool(new)


# Announcing


def test_the_sealer_announces_its_key_once_and_that_is_an_entry(log: Log, settings: Any) -> None:
    log.sealed(1)
    log.sealed(1)
    assert [one.key for one in LogKey.objects.all()] == [settings.LOG_VERIFIER]
    [told] = Entry.objects.filter(event="seal", details__has_key="key")
    assert told.details == {"era": 1, "key": settings.LOG_VERIFIER}


def test_a_log_sealed_before_keys_were_announced_has_its_key_at_the_next_turn(
    log: Log, settings: Any
) -> None:
    log.sealed(1)
    log.tamper("DELETE FROM audit_logkey")
    log.sealer().seal()
    assert [one.key for one in LogKey.objects.all()] == [settings.LOG_VERIFIER]
    assert log.sealer().seal() == 1  # that it was announced
    assert log.verify().findings == []


def test_another_key_is_an_entry_and_the_old_one_stays(log: Log) -> None:
    log.sealed(1)
    first = LogKey.objects.get().key
    assert announce(log, OTHER)
    assert not announce(log, OTHER)
    assert list(LogKey.objects.order_by("number").values_list("key", flat=True)) == [first, OTHER]
    newest = Entry.objects.order_by("-id")[0]
    assert (newest.event, newest.details) == ("seal", {"key": OTHER, "before": first})


@pytest.mark.parametrize(
    "key",
    [
        "",
        "x",
        "a+b",
        OTHER.replace("other", "mother"),
        f" {OTHER}",
        OTHER + "A",
        "a b+" + OTHER.split("+", 1)[1],
    ],
)
def test_what_is_no_key_is_not_announced(log: Log, key: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        announce(log, key)
    assert not LogKey.objects.exists()


def test_a_sealer_that_must_not_go_on_announces_nothing(log: Log, settings: Any) -> None:
    log.sealed(1)
    stranger = Signer(settings.LOG_ORIGIN, secrets.log_key())
    log.write()
    with pytest.raises(SealError):
        Sealer(partial(stored.raw, "sealer"), stranger, "tests").seal()
    assert [one.key for one in LogKey.objects.all()] == [settings.LOG_VERIFIER]


# Which keys are believed


def test_the_setting_wins_over_what_is_announced(log: Log, settings: Any) -> None:
    assert read() == trust.Trust(Keys.read(settings.LOG_VERIFIER), pinned=True)
    log.sealed(1)
    assert not read().differs
    announce(log, OTHER)
    assert (str(read().keys), read().differs) == (settings.LOG_VERIFIER, True)
    settings.LOG_VERIFIER = f"{OTHER},{settings.LOG_VERIFIER}"
    assert not read().differs


def test_without_the_setting_all_that_were_announced_count_the_newest_first(log: Log, settings: Any) -> None:
    own, settings.LOG_VERIFIER = settings.LOG_VERIFIER, ""
    assert read() == trust.Trust(None, pinned=False)
    log.sealed(1)
    announce(log, OTHER)
    assert (str(read().keys), read().pinned, read().differs) == (f"{OTHER},{own}", False, False)


def test_what_somebody_else_wrote_as_a_key_is_not_believed(log: Log, settings: Any) -> None:
    settings.LOG_VERIFIER = ""
    log.tamper("INSERT INTO audit_logkey (key, announced_at) VALUES ('nonsense', now())")
    assert read().keys is None


def test_without_any_key_a_sealed_entry_cannot_be_judged(log: Log) -> None:
    [sealed] = log.sealed(1)
    assert inclusion_status(stored.raw("default"), None, entry=sealed).state == "keyless"
    assert inclusion_status(stored.raw("default"), None, entry=log.write()).state == "waits"


# The entry's page


@pytest.fixture
def reviewer(setup_connection: Connection) -> Client:
    world = World(setup_connection)
    world.version()
    rita = world.member("reviewer")
    world.signature(rita)
    return enter(world, rita)


def sealed_entry(world: World, settings: Any) -> int:
    """One that has its leaf, sealed in the suite's own database: other workers' transactions delay it."""
    number = entry(world)
    sealer = Sealer(partial(stored.raw, "sealer"), Signer(settings.LOG_ORIGIN, settings.LOG_KEY), "tests")
    deadline = time.monotonic() + SOON
    found = "waits"
    while found == "waits" and time.monotonic() < deadline:
        sealer.seal()
        found = inclusion_status(stored.raw("default"), None, entry=number).state
    assert found == "keyless"
    return number


def page(client: Client, number: int, language: str = "en") -> str:
    client.cookies["django_language"] = language
    answer = client.get(reverse("entry", args=[number]))
    assert answer.status_code == 200
    return " ".join(unescape(answer.content.decode()).split())


def test_the_entrys_page_says_by_which_key_it_judged(
    reviewer: Client, setup_connection: Connection, settings: Any
) -> None:
    number = sealed_entry(World(setup_connection), settings)
    right = settings.LOG_VERIFIER
    said = page(reviewer, number)
    assert "its proof was checked now and is valid" in said
    assert "Proved" in said

    settings.LOG_VERIFIER = ""
    said = page(reviewer, number)
    assert "it is consistent with this server’s key" in said
    assert "Proved" not in said

    settings.LOG_VERIFIER = OTHER
    said = page(reviewer, number)
    assert "Its proof does not hold under the key that is set." in said
    assert "The sealer signs with another key than the one that is set" in said

    settings.LOG_VERIFIER = right
    with setup_connection.transaction():
        setup_connection.execute("SET LOCAL session_replication_role = replica")
        setup_connection.execute("INSERT INTO audit_logkey (key, announced_at) VALUES (%s, now())", [OTHER])
    said = page(reviewer, number)
    assert "its proof was checked now and is valid" in said
    assert "The sealer signs with another key than the one that is set" in said

    settings.LOG_VERIFIER = ""
    with setup_connection.transaction():
        setup_connection.execute("SET LOCAL session_replication_role = replica")
        setup_connection.execute("DELETE FROM audit_logkey")
    assert "It cannot be checked yet" in page(reviewer, number)


def test_before_any_checkpoint_the_page_says_that_it_waits(
    reviewer: Client, setup_connection: Connection, settings: Any
) -> None:
    number = entry(World(setup_connection))
    for key in (settings.LOG_VERIFIER, OTHER, ""):
        settings.LOG_VERIFIER = key
        assert "No checkpoint covers it yet" in page(reviewer, number)


# The customer's report


def said_of(proof: proofs_of.Proof) -> str:
    with translation.override("en"):
        return " ".join(words.proof(proof))


def test_a_report_has_its_proof_without_the_setting_and_says_by_which_key(log: Log, settings: Any) -> None:
    log.sealed(2)
    own, settings.LOG_VERIFIER = settings.LOG_VERIFIER, ""
    proof = proofs_of.of(sealed_report(log))
    [data] = proof.files.values()
    assert verify_bundle.check_bundle(json.loads(data), key=own) == []
    assert "consistent with this server’s key" in said_of(proof)
    assert own in said_of(proof)
    assert "unaltered" not in said_of(proof)


def test_a_report_under_the_right_key_says_unaltered(log: Log) -> None:
    log.sealed(2)
    assert "are in the log, unaltered" in said_of(proofs_of.of(sealed_report(log)))


def test_a_report_under_a_wrong_key_has_no_proof_and_says_why(log: Log, settings: Any) -> None:
    log.sealed(2)
    settings.LOG_VERIFIER = OTHER
    proof = proofs_of.of(sealed_report(log))
    assert proof.files == {}
    assert "There is no proof with this report" in said_of(proof)
    assert "another key than the one that this server expects" in said_of(proof)


def test_a_report_before_the_first_seal_says_that_there_is_no_key(log: Log, settings: Any) -> None:
    settings.LOG_VERIFIER = ""
    log.write()
    proof = proofs_of.of(sealed_report(log))
    assert proof.files == {}
    assert "has not announced" in proof.problem


# The commands


def test_verify_log_and_prove_without_the_setting_say_whose_key_it_was(
    log: Log, settings: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    [sealed] = log.sealed(1)
    own, settings.LOG_VERIFIER = settings.LOG_VERIFIER, ""
    call_command("verify_log", processes=1)
    said = capsys.readouterr().out
    assert f"Compare it with the one that was published: {own}" in said
    assert "The log is consistent with this server's key." in said
    assert "The log is what was sealed." not in said
    call_command("prove", sealed, output=tmp_path / "bundle")
    assert f"Compare it with the one that was published: {own}" in capsys.readouterr().err
    assert verify_bundle.check_bundle(json.loads((tmp_path / "bundle").read_text()), key=own) == []


def test_verify_log_and_prove_refuse_a_wrong_key(log: Log, settings: Any) -> None:
    [sealed] = log.sealed(1)
    right, settings.LOG_VERIFIER = settings.LOG_VERIFIER, OTHER
    with pytest.raises(CommandError, match="wrong"):
        call_command("verify_log", processes=1)
    with pytest.raises(CommandError, match="does not prove it"):
        call_command("prove", sealed)
    settings.LOG_VERIFIER = right
    announce(log, OTHER)  # what is pinned holds, and yet somebody has to look
    log.sealer().seal()
    announce(log, OTHER)
    with pytest.raises(CommandError, match="not the one that is set"):
        call_command("verify_log", processes=1)


def test_verify_log_and_prove_without_any_key_say_what_to_do(log: Log, settings: Any) -> None:
    settings.LOG_VERIFIER = ""
    written = log.write()
    with pytest.raises(CommandError, match="GATEKEEPER_LOG_VERIFIER"):
        call_command("verify_log", processes=1)
    with pytest.raises(CommandError, match="GATEKEEPER_LOG_VERIFIER"):
        call_command("prove", written)


# The checks


def test_the_checks_say_how_the_key_stands(log: Log, settings: Any) -> None:
    def found() -> tuple[str, list[str]]:
        errors = [one.id or "" for one in checks.log_key_pinned(databases=["default"])]
        return surroundings.log_key().state, errors

    right = settings.LOG_VERIFIER
    settings.LOG_VERIFIER = ""
    assert found() == ("to_fix", [])  # nothing was sealed yet
    log.sealed(1)
    assert found() == ("off", [])
    assert right in surroundings.log_key().next_step
    settings.LOG_VERIFIER = right
    assert found() == ("ok", [])
    settings.LOG_VERIFIER = OTHER
    assert found() == ("to_fix", ["gatekeeper.E005"])
    assert right in surroundings.log_key().next_step
    settings.LOG_VERIFIER = right
    log.tamper("UPDATE audit_checkpoint SET note = replace(note, '— ', '— x')")
    assert found() == ("to_fix", [])


def test_a_table_that_cannot_be_read_fails_the_check(log: Log) -> None:
    log.setup.execute("REVOKE SELECT ON audit_logkey FROM gatekeeper_web")
    try:
        [found] = checks.log_key_pinned(databases=["default"])
    finally:
        log.setup.execute("GRANT SELECT ON audit_logkey TO gatekeeper_web")
    assert isinstance(found, Error)


# The demo


def test_the_demos_pages_have_the_key_that_its_sealer_signs_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GATEKEEPER_DATA_DIR", str(tmp_path / "demo"))
    shown = run.Demo()
    web, sealer = shown.environment(8000), shown.environment(8000, "SEALER")
    signer = Signer(sealer["GATEKEEPER_LOG_ORIGIN"], sealer["GATEKEEPER_LOG_KEY"])
    assert web["GATEKEEPER_LOG_VERIFIER"] == str(signer.key)
    assert "GATEKEEPER_LOG_KEY" not in web
