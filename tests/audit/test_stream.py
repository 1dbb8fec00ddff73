"""The stream to a SIEM: valid events, each at least once, in order, whatever the receiver does."""

from __future__ import annotations

import json
import socket
import stat
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone

from audit.models import Entry, Event, Leaf, Limit, Outcome, Stream
from audit.seal import stored
from audit.siem import ocsf as schema
from audit.siem import stream
from audit.siem.receivers import File, Https, RefusedError, TargetError, receiver
from gatekeeper.frame.health_row import Health
from gatekeeper.installation import roles
from gatekeeper.installation.environment import Environment
from gatekeeper.pages import log_health
from tests.world import ocsf, recording
from tests.world.log import ACCOUNT
from tests.world.pairs import pairwise
from tests.world.receiver import Siem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit.siem.receivers import Receiver
    from tests.world.log import Log

DATABASE = pytest.mark.django_db(transaction=True, databases="__all__")
PLACE: dict[str, Any] = {
    "origin": "log.example/log",
    "vendor": "Akovana LLC",
    "place": 7,
    "leaf": b"\x01" * 32,
}


@pytest.fixture
def siem(tmp_path: Path) -> Iterator[Siem]:
    with Siem(tmp_path).running() as running:
        yield running


def aim(target: str) -> None:
    """The target that the settings name, as apply_settings writes it, but without its entry: the log has
    what each test puts there alone."""
    switch = "ALTER TABLE audit_limit {} TRIGGER limit_is_recorded"
    with recording.off("migrator"), connections["migrator"].cursor() as cursor:
        cursor.execute(switch.format("DISABLE"))
        Limit.objects.using("migrator").filter(name="siem_target").update(value=target)
        cursor.execute(switch.format("ENABLE"))


def streamer(to: Receiver, target: str = "https://siem.example/in") -> stream.Streamer:
    aim(target)
    return stream.Streamer(
        partial(stored.raw, stream.WATCH),
        target,
        to,
        origin=settings.LOG_ORIGIN,
        vendor=settings.COMPANY,
        source="stream_log (tests)",
    )


def over(siem: Siem, **more: Any) -> stream.Streamer:
    return streamer(Https(siem.url, roots=siem.roots, **more), siem.url)


def numbers(siem: Siem) -> list[int]:
    """The entries' numbers, as they came."""
    return [int(one["metadata"]["uid"].rpartition("/")[2]) for one in siem.events]


def in_order() -> list[int]:
    return list(Leaf.objects.order_by("place").values_list("entry", flat=True))


# The events


FULL: dict[str, Any] = {
    "session": 7,
    "factor": "totp",
    "remote_addr": "192.0.2.1",
    "cid": "c-1",
    "user_agent": "tests",
    "subject": "K-0200",
    "ticket": "ZD-10001",
    "request_id": 3,
    "grant_id": 4,
    "signature": 5,
    "reason": "ticket_closed",
    "categories": ["contact"],
    "fields": ["contact.name"],
    "records": [1, 2],
    "nda_ends": datetime(2030, 1, 1, tzinfo=UTC),
    "details": {"minutes": 60},
    "changes": {"language": ["pl", "en"]},
}


#: What an entry of the stream can be made of: event, outcome, member, account, and what else it has.
KINDS: tuple[list[Any], ...] = (
    Event.values,
    Outcome.values,
    ["", "K-0193"],
    ["", ACCOUNT],
    [{}, FULL, {"source": "seal_log (root)"}],
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every pair of those kinds, or, with `--whole`, every combination."""
    if metafunc.function is test_every_entry_is_an_event_of_the_schema:
        whole = metafunc.config.getoption("--whole")
        found = list(product(*KINDS)) if whole else pairwise(*KINDS)
        metafunc.parametrize(("event", "outcome", "member", "account", "more"), found)


def test_every_entry_is_an_event_of_the_schema(
    event: str, outcome: str, member: str, account: str, more: dict[str, Any]
) -> None:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    entry = Entry(id=5, timestamp=at, event=event, outcome=outcome, member=member, account=account, **more)
    made = schema.event(entry, **PLACE)
    assert ocsf.wrong(made) == []
    assert json.loads(json.dumps(made)) == made
    assert made["time"] == 1_795_348_800_000
    assert made["metadata"]["uid"] == "log.example/log/5"


def test_the_table_names_every_event() -> None:
    assert set(schema.EVENTS) == set(Event.values)
    assert set(schema._OUTCOMES) == set(Outcome.values)


def test_a_view_is_entity_management_read_of_the_account() -> None:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    facts = {"member": "K-0193", "member_name": "Katarzyna Przykładowa", "account": ACCOUNT} | FULL
    made = schema.event(Entry(id=5, timestamp=at, event="view", outcome="allowed", **facts), **PLACE)
    assert (made["class_uid"], made["activity_id"], made["type_uid"]) == (3004, 2, 300402)
    assert (made["entity"]["uid"], made["entity"]["type"]) == (ACCOUNT, "Account")
    assert (made["actor"]["user"]["uid"], made["actor"]["session"]["uid"]) == ("K-0193", "7")
    assert made["unmapped"]["leaf_hash"] == "01" * 32
    text = json.dumps(made, ensure_ascii=False)
    assert "Katarzyna" not in text  # a number is enough
    assert (made["unmapped"]["records"], made["unmapped"]["changed"]) == (2, ["language"])


# Sending


@DATABASE
def test_all_that_is_sealed_arrives_once_and_in_the_seals_order(log: Log, siem: Siem) -> None:
    log.sealed(3)
    sent = over(siem, token="t0ken").send()
    assert sent == len(in_order())
    assert numbers(siem) == in_order()
    assert [one["metadata"]["sequence"] for one in siem.events] == list(range(sent))
    leaves = Leaf.objects.order_by("place")
    assert [one["unmapped"]["leaf_hash"] for one in siem.events] == [
        bytes(leaf.hash).hex() for leaf in leaves
    ]
    assert siem.headers[0]["Authorization"] == "Bearer t0ken"
    assert siem.headers[0]["Content-Type"] == "application/x-ndjson"
    assert all(ocsf.wrong(one) == [] for one in siem.events)
    log.sealed(1)
    over(siem).send()
    assert numbers(siem) == in_order()
    assert len(set(numbers(siem))) == len(numbers(siem))


@DATABASE
def test_what_is_not_sealed_waits(log: Log, siem: Siem) -> None:
    log.sealed(1)
    waiting = log.write()
    over(siem).send()
    assert waiting not in numbers(siem)
    log.sealer().seal()
    over(siem).send()
    assert waiting in numbers(siem)


@DATABASE
def test_that_the_log_goes_somewhere_is_an_entry_once(log: Log, siem: Siem) -> None:
    log.sealed(1)
    over(siem).send()
    over(siem).send()
    found = Entry.objects.filter(event="export", details__what="stream")
    assert [(one.source, one.details["target"]) for one in found] == [("stream_log (tests)", siem.url)]


@DATABASE
def test_a_receiver_that_is_down_gets_everything_later(log: Log, siem: Siem, tmp_path: Path) -> None:
    log.sealed(2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = Https(f"https://127.0.0.1:{taken.getsockname()[1]}/in", roots=siem.roots)
        assert streamer(dead, siem.url).send() == 0
    noted = Stream.objects.get()
    assert (noted.place, "ConnectionRefused" in noted.failure, noted.failed_at is not None) == (0, True, True)
    log.sealed(2)
    over(siem).send()
    assert numbers(siem) == in_order()
    noted.refresh_from_db()
    assert (noted.failure, noted.failed_at) == ("", None)


@DATABASE
@pytest.mark.parametrize("status", [302, 401, 500, 503])
def test_whoever_does_not_say_yes_gets_the_same_again(log: Log, siem: Siem, status: int) -> None:
    log.sealed(2)
    siem.status = status
    assert over(siem).send() == 0
    assert Stream.objects.get().failure == f"RefusedError: HTTP {status}"
    siem.status = 200
    over(siem).send()
    assert numbers(siem) == in_order()


@DATABASE
def test_an_answer_that_is_lost_makes_it_come_twice_never_not_at_all(log: Log, siem: Siem) -> None:
    log.sealed(2)
    siem.loses_answer = True
    assert over(siem).send() == 0
    siem.loses_answer = False
    over(siem).send()
    assert set(numbers(siem)) == set(in_order())
    assert len(siem.batches) == 2
    assert siem.batches[1][: len(siem.batches[0])] == siem.batches[0]


@DATABASE
def test_a_receiver_that_takes_little_gets_little_at_a_time(log: Log, siem: Siem) -> None:
    log.sealed(20)
    siem.most_bytes = 4000
    over(siem).send()
    assert numbers(siem) == in_order()
    assert len(siem.batches) > 5


@DATABASE
def test_a_batch_that_fails_in_the_middle_loses_none(
    log: Log, siem: Siem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BATCH", 3)
    log.sealed(10)

    class Halting:
        """Says yes twice, and then no more."""

        def __init__(self, to: Receiver) -> None:
            self.to, self.left = to, 2

        def take(self, lines: Any) -> None:
            if not self.left:
                raise RefusedError(503)
            self.left -= 1
            self.to.take(lines)

    assert streamer(Halting(Https(siem.url, roots=siem.roots)), siem.url).send() == 6
    assert Stream.objects.get().place == 6
    over(siem).send()
    assert numbers(siem) == in_order()


@DATABASE
def test_a_certificate_that_nobody_vouches_for_is_not_believed(log: Log, siem: Siem) -> None:
    log.sealed(1)
    assert streamer(Https(siem.url), siem.url).send() == 0
    assert "SSLCertVerificationError" in Stream.objects.get().failure
    assert siem.batches == []


@DATABASE
def test_one_process_sends_at_a_time(log: Log, siem: Siem) -> None:
    log.sealed(1)
    other = log.as_role(roles.WEB)
    other.execute("SELECT pg_advisory_lock(%s)", [stream.LOCK])
    assert over(siem).send() == 0
    other.close()


@DATABASE
def test_sending_holds_up_no_seal(log: Log) -> None:
    """A transaction that stays open while the receiver thinks would hold back the seal's horizon."""
    log.sealed(1)
    written: list[int] = []

    class Slow:
        def take(self, lines: Any) -> None:
            if not written:
                written.extend(log.sealed(1))

    streamer(Slow()).send()
    assert Leaf.objects.filter(entry__in=written).count() == 1


@DATABASE
def test_another_receiver_begins_at_the_beginning(log: Log, siem: Siem, tmp_path: Path) -> None:
    log.sealed(2)
    over(siem).send()
    target = f"file:{tmp_path}/log.jsonl"
    streamer(receiver(target), target).send()
    assert [one.target for one in Stream.objects.all()] == [target]
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["metadata"]["sequence"] for line in lines] == list(range(len(in_order())))


@DATABASE
def test_the_pages_role_neither_begins_nor_forgets_a_stream(log: Log) -> None:
    web = log.as_role(roles.WEB)
    for statement in (
        "INSERT INTO audit_stream (target, place, failure) VALUES ('file:/x', 0, '')",
        "DELETE FROM audit_stream",
        "UPDATE audit_stream SET target = 'file:/x'",
    ):
        with pytest.raises(Exception, match="permission denied"):
            web.execute(statement.encode())


@DATABASE
def test_the_place_only_grows_and_never_beyond_the_seal(log: Log, siem: Siem) -> None:
    log.sealed(3)
    over(siem).send()
    watch, size = log.as_role(roles.WATCH), log.count("audit_leaf")
    went = "SELECT audit.stream_went(%s, %s)"
    for place in (size - 1, size + 1, None):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="goes forward only"):
            watch.execute(went, [siem.url, place])
    watch.execute(went, [siem.url, size])
    assert Stream.objects.get().place == size


# The file


def test_a_file_grows_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    to = receiver(f"file:{path}")
    to.take([b"1"])
    path.rename(tmp_path / "old.jsonl")
    to.take([b"2"])
    to.take([b"3"])
    assert path.read_bytes() == b"2\n3\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_in_the_files_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        File(tmp_path / "log.jsonl").take([b"1"])


# The command, the settings and the page of checks


@DATABASE
def test_the_command_sends_and_its_status_says_when_it_cannot(
    log: Log, siem: Siem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SIEM_TARGET", "")
    with pytest.raises(CommandError, match="GATEKEEPER_SIEM_TARGET"):
        call_command("stream_log")
    monkeypatch.setattr(settings, "SIEM_TARGET", siem.url)
    monkeypatch.setattr(settings, "SIEM_ROOTS", siem.roots)
    log.sealed(1)
    with pytest.raises(DatabaseError, match="where the settings say"):  # they were not applied
        call_command("stream_log")
    aim(siem.url)
    call_command("stream_log")
    assert numbers(siem) == in_order()
    log.sealed(1)
    siem.status = 503
    with pytest.raises(CommandError, match="HTTP 503"):
        call_command("stream_log")


@DATABASE
def test_the_page_of_checks_says_how_it_stands(log: Log, siem: Siem, monkeypatch: pytest.MonkeyPatch) -> None:
    def row() -> Health:
        return log_health.streaming()

    assert row().state == "off"
    monkeypatch.setattr(settings, "SIEM_TARGET", siem.url)
    assert row().state == "to_fix"  # it has never run
    log.sealed(1)
    over(siem).send()
    assert row().state == "ok"
    monkeypatch.setattr(settings, "SIEM_TARGET", "https://elsewhere.example/in")
    assert (row().state, row().cause) == ("to_fix", siem.url)
    monkeypatch.setattr(settings, "SIEM_TARGET", siem.url)
    log.sealed(1)
    assert row().state == "ok"  # it waits, but not for long
    siem.status = 503
    over(siem).send()
    assert (row().state, row().cause) == ("to_fix", "RefusedError: HTTP 503")
    siem.status = 200
    over(siem).send()
    assert row().state == "ok"


@DATABASE
def test_entries_that_wait_too_long_are_an_alarm_though_nothing_failed(log: Log, siem: Siem) -> None:
    log.sealed(1)
    over(siem).send()
    log.sealed(1)
    found = stream.state(timezone.now() + stream.LATE + timedelta(minutes=1))
    assert found is not None
    assert (found.failure, found.is_late) == ("", True)
    over(siem).send()
    found = stream.state(timezone.now() + stream.LATE + timedelta(minutes=1))
    assert found is not None
    assert (found.lag, found.is_late) == (None, False)


@pytest.mark.parametrize(
    "target",
    [
        "http://siem.example/in",
        "siem.example",
        "ftp://siem.example/in",
        "https://user:word@siem.example/in",
        "https://siem.example/in?token=x",
        "https://siem.example:port/in",
        "https:///in",
        "file:relative",
        "https://siem.example/" + "x" * 200,
    ],
)
def test_a_target_that_is_no_https_or_would_show_a_secret_is_refused(target: str) -> None:
    with pytest.raises(TargetError):
        receiver(target)
    with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_SIEM_TARGET") as refused:
        environment(SIEM_TARGET=target, SIEM_IN_EU="yes").siem_target()
    assert target not in str(refused.value)


def environment(**values: str) -> Environment:
    return Environment({"GATEKEEPER_MODE": "test"} | {f"GATEKEEPER_{k}": v for k, v in values.items()})


def test_a_receiver_by_https_has_to_be_declared_as_lying_in_the_eu(tmp_path: Path) -> None:
    """Every outgoing target is declared as lying in the EU."""
    target = "https://siem.example/in"
    with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_SIEM_IN_EU"):
        environment(SIEM_TARGET=target).siem_target()
    assert environment(SIEM_TARGET=target, SIEM_IN_EU="yes").siem_target() == target
    assert environment(SIEM_TARGET="file:/var/log/gatekeeper.jsonl").siem_target()
    assert environment().siem_target() == ""
    (tmp_path / "roots.pem").write_text("nothing")
    with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_SIEM_ROOTS"):
        environment(SIEM_ROOTS=str(tmp_path / "roots.pem")).siem_roots()
