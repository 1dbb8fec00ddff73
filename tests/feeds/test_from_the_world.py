"""Lines as real systems write them, and lines that nobody would: no input ends an import or gives a 500."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatekeeper.feeds import store
from gatekeeper.feeds.account_lines import AccountLine
from gatekeeper.feeds.byte_lines import LONGEST_LINE
from gatekeeper.feeds.jsonlines import lines, read
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.feeds.records import Record
from gatekeeper.feeds.staff_lines import StaffLine
from gatekeeper.feeds.ticket_lines import TicketLine
from gatekeeper.models import Account
from tests.world.importing import PERSON, REFERENCE, account, counts, opened, run
from tests.world.messages import send

if TYPE_CHECKING:
    from tests.conftest import Connection

DATA = Path(__file__).parents[1] / "data"
SHAPES: dict[str, type[Record]] = {"account": AccountLine, "participant": ParticipantLine}
WORLD = [json.loads(line) for line in (DATA / "from-the-world.jsonl").read_text().splitlines()]
DATABASE = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.mark.parametrize("told", WORLD, ids=[one["why"] for one in WORLD])
def test_from_the_world(told: dict[str, Any]) -> None:
    """`expect` says in words what is right: each of them gets in, and only what is bad is named."""
    _, notes = read(told["line"].encode(), SHAPES[told["kind"]])
    named = any(word in told["expect"] for word in ("refused", "dropped", "unknown"))
    assert [note.reason.partition(":")[0] for note in notes] == (
        {
            "a typo must not lose a restriction": ["billing.bank_account"],
            "a typo must not lose the end of a consent": ["contact.email"],
            "an objection is never lost": ["email"],
            "a sentinel": ["created_at"],
            "half an emoji, cut by JavaScript": ["activity.settings"],
        }[told["why"]]
        if named
        else []
    )


@DATABASE
@pytest.mark.parametrize("kind", SHAPES)
def test_from_the_world_into_the_vault(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], setup_connection: Connection
) -> None:
    """Each by itself, by the command: nothing is refused, and what closes has closed."""
    for told in [one for one in WORLD if one["kind"] == kind]:
        if kind == "participant":
            run("accounts", [account(0)], tmp_path, capsys)
        path = tmp_path / "one.jsonl"
        path.write_text(told["line"] + "\n")
        found, _said, status = run(f"{kind}s", path, tmp_path, capsys)
        assert (found["new"], found["refused"], status) == (1, 0, 0), told["why"]
        stored = Account.objects.get()
        assert bool(stored.restricted_at) is ("restricted" in told["expect"])
        if "objected" in told["expect"]:
            assert stored.participants == 0
        if kind == "account" and "emoji" in told["why"]:
            assert opened(setup_connection)["activity.settings"] == {"nick": "x\ufffd"}
        setup_connection.execute("TRUNCATE gatekeeper_account, vault.account, vault.participant CASCADE")
        setup_connection.commit()


#: What stands between two good lines of a file -> why it is refused, or '' when it gets in.
BETWEEN: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b" \t\r", "empty"),
    (b"\0" * 40, "line: not JSON"),
    (b"{", "line: not JSON"),
    (b"\xff\xfe", "line: not UTF-8"),
    (b"[" * 200_000, "line: not JSON"),
    (b'{"a":' * 40_000, "line: not JSON"),
    (b"x" * (3 * LONGEST_LINE), "line: too long"),
    (b"null", "line: not an object"),
    (b"1e999", "line: not an object"),
    (b"NaN", "line: not an object"),
    (b"1" * 10_000, "line: not an object"),
    (b'"\\ud800"', "line: not an object"),
    (b'{"reference": ' + b"[" * 5_000 + b"]" * 5_000 + b', "plan": "pro"}', "line: not JSON"),
    (json.dumps(account(1, contact={"name": "Łucja"}), ensure_ascii=False).encode("cp1250"), ""),
    (json.dumps(account(1, reference="MOC-50001")).encode("utf-16-le"), "line: not JSON"),
    (json.dumps(account(1, reference="MOC-50001")).encode()[:-20], "line: not JSON"),
    (json.dumps(account(1, reference="MOC-50001"))[:-1].encode() + b', "plan": "pro"}', ""),
    (json.dumps(account(1, reference="MOC-50001")).replace("Zuzanna", "Zu\tza\x01nna").encode(), ""),
]


@pytest.mark.parametrize(("raw", "why"), BETWEEN, ids=[f"{n}" for n in range(len(BETWEEN))])
def test_no_line_ends_the_file(raw: bytes, why: str) -> None:
    good = json.dumps(account(0)).encode()
    found = list(lines(io.BytesIO(b"\n".join([good, raw, good])), AccountLine))
    told = {line.number: line.reason for line in found}
    assert (told[1], told[3]) == ("", "")
    assert told.get(2, "empty").startswith(why) if why else told[2] == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_files_of_every_encoding(encoding: str) -> None:
    name = "Zażółć \U0001f600 Jaźń \u2028"
    text = "".join(
        json.dumps(account(n, contact={"name": name + str(n)}), ensure_ascii=False) + "\r\n"
        for n in range(300)
    )
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    found = list(lines(io.BytesIO(mark + text.encode(encoding)), AccountLine))
    assert [line.reason for line in found] == [""] * 300
    for number, line in enumerate(found):
        assert line.value
        assert line.value.contact
        assert line.value.contact.name == f"Zażółć \U0001f600 Jaźń  {number}"


def test_a_file_in_utf_16_that_breaks_off() -> None:
    raw = (json.dumps(account(0)) + "\n").encode("utf-16") + b"x"
    first, second = lines(io.BytesIO(raw), AccountLine)
    assert (first.reason, second.reason) == ("", "line: not JSON")
    long = "\ufeff".encode("utf-16-le") + ("x" * 2 * LONGEST_LINE + "\n{}").encode("utf-16-le")
    assert [line.reason for line in lines(io.BytesIO(long), AccountLine)] == [
        "line: too long",
        "line: tells nothing",
    ]


# --- whatever comes -------------------------------------------------------------------------------

ODD_TEXT = st.one_of(
    st.text(st.characters(), max_size=30),  # halves of characters as well
    st.sampled_from(
        ["\ud83d", "\u202e", "\0", "\x85", "4111 1111 1111 1111", "2026-01-01T00:00:00Z", "MOC-48213"]
    ),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | ODD_TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(ODD_TEXT, children, max_size=4),
    max_leaves=6,
)
FIELDS = sorted(
    {*AccountLine.model_fields, *ParticipantLine.model_fields, *TicketLine.model_fields, "restrictedAt"}
)


@st.composite
def odd_lines(draw: st.DrawFn) -> bytes:
    """A line that is nearly right: fields replaced, doubled, cut off, or bytes put into it."""
    base = draw(st.sampled_from([account(1), PERSON, {}]))
    values = base | draw(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4))
    raw = json.dumps(values).encode()
    if draw(st.booleans()):
        raw = (
            raw[:-1] + b", " + json.dumps(draw(st.dictionaries(st.sampled_from(FIELDS), VALUES))).encode()[1:]
        )
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(raw)))
        raw = raw[:place] + draw(st.binary(max_size=4)) + raw[place + draw(st.integers(0, 3)) :]
    return draw(st.sampled_from([raw, raw[: len(raw) // 2], raw.decode("latin-1").encode("utf-16")]))


@given(st.lists(odd_lines() | st.binary(max_size=60), max_size=4), st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
@settings(max_examples=300, deadline=None)
def test_no_input_ends_the_reading(raw: list[bytes], end: bytes) -> None:
    for shape in (AccountLine, ParticipantLine, TicketLine, StaffLine):
        for line in lines(io.BytesIO(end.join(raw)), shape):
            assert (line.value is None) == bool(line.reason)
            if line.value is not None:
                # What is kept can be written anywhere: no half of a character is left in it.
                json.dumps(line.value.model_dump(mode="json"), ensure_ascii=False, allow_nan=False).encode()


def unusual_batch(seed: int, count: int) -> list[bytes]:
    """Unusual lines for a test that has one database for all of them."""
    found: list[bytes] = []

    @given(odd_lines() | st.binary(max_size=60))
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    def collect(raw: bytes) -> None:
        found.append(raw)

    collect()
    random.Random(seed).shuffle(found)  # noqa: S311 - an order, not a key
    return found


@DATABASE
@pytest.mark.parametrize("what", ["accounts", "participants"])
def test_no_input_ends_an_import(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("accounts", [account(0)], tmp_path, capsys)
    path = tmp_path / "unusual.jsonl"
    last = (
        account(9, reference="MOC-59999")
        if what == "accounts"
        else PERSON | {"reference": f"{REFERENCE}-P99"}
    )
    unusual = [raw.replace(b"\n", b"") for raw in unusual_batch(1, 400)]
    # A plain line first: a byte order mark at a file's beginning would say how all of it is written.
    path.write_bytes(b"\n".join([b"{}", *unusual, json.dumps(last).encode(), b""]))
    found, _said, _status = run(what, path, tmp_path, capsys)
    assert found["new"] >= 1, "the last line, which is good, got in"
    assert sum(found[word] for word in counts()) <= len(unusual) + 2


@DATABASE
def test_no_input_gives_a_500() -> None:
    for raw in unusual_batch(2, 150):
        answer = send("PUT", f"/api/accounts/{REFERENCE}", raw)
        assert answer.status_code < 500, raw
        assert json.loads(answer.content)
        assert send("DELETE", f"/api/accounts/{REFERENCE}", raw).status_code < 500
        if Account.objects.filter(erased_at__isnull=False).exists():
            return


@DATABASE
def test_what_is_stored_is_what_was_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same file again changes nothing: whatever was mended is mended alike."""
    unusual = [raw.replace(b"\n", b"") for raw in unusual_batch(3, 150)]
    path = tmp_path / "unusual.jsonl"
    path.write_bytes(b"\n".join(unusual))
    run("accounts", path, tmp_path, capsys)
    assert run("accounts", path, tmp_path, capsys)[0]["new"] == 0
    assert store.erase_account(REFERENCE, "test") in ("erased", "barred")
