"""A message that closes something closes it, whatever else of it can be used: by import and by webhook."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audit.models import Entry
from gatekeeper.feeds import closing, store
from gatekeeper.models import Account
from tests.world.importing import ACCOUNT, PERSON, REFERENCE, account, at, counts, opened, run
from tests.world.messages import send

if TYPE_CHECKING:
    from tests.conftest import Connection

ADDRESS = f"/api/accounts/{REFERENCE}"
GONE_BY = {"support_since": "2024-01-01T00:00:00Z", "support_until": "2024-02-01T00:00:00Z"}
BOTH = {"support_since": "2025-01-01T00:00:00Z", "participants_since": "2025-01-01T00:00:00Z"}

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class Ground:
    """One account that stands, and what is told of it then."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys
        self.take(account(0, consent=BOTH))

    def take(self, row: dict[str, Any] | bytes, what: str = "accounts") -> tuple[dict[str, int], list[str]]:
        path = self._folder / "one.jsonl"
        path.write_bytes(row if isinstance(row, bytes) else json.dumps(row).encode())
        found, said, _status = run(what, path, self._folder, self._capsys)
        return found, said

    @property
    def now(self) -> tuple[bool, bool, bool]:
        """Whether it is restricted, and whether participants' and support's consents run."""
        found = Account.objects.get(reference=REFERENCE)

        def runs(since: datetime | None, until: datetime | None) -> bool:
            moment = datetime.now(UTC)
            return since is not None and since <= moment and (until is None or moment < until)

        return (
            found.restricted_at is not None,
            runs(found.participants_since, found.participants_until),
            runs(found.support_since, found.support_until),
        )


@pytest.fixture
def ground(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ground:
    return Ground(tmp_path, capsys)


OPEN = (False, True, True)


class TestImport:
    def test_a_field_that_is_shown_keeps_no_closing_out(self, ground: Ground) -> None:
        bad = {"contact": {"name": "Jan", "email": "a@"}, "billing": {"bank_account": "61 1090"}}
        found, said = ground.take(account(1, restricted_at=at(0), consent=GONE_BY, **bad))
        assert found == counts(changed=1, dropped=2)
        assert said == [
            "line 1: contact.email: not an e-mail address (dropped)",
            "line 1: billing.bank_account: not a valid IBAN (dropped)",
        ]
        assert ground.now == (True, False, False)

    def test_what_is_dropped_is_no_older_value(self, ground: Ground, setup_connection: Connection) -> None:
        assert opened(setup_connection)["contact.email"] == "zuzanna@canaria.example"
        ground.take(account(1, contact={"name": "Zuzanna", "email": "a@"}))
        assert "contact.email" not in opened(setup_connection)
        assert "contact.email" not in Account.objects.get().filled
        details = Entry.objects.filter(event="import").latest("id").details
        assert details == {"what": "accounts", **counts(changed=1, dropped=1)}

    @pytest.mark.parametrize(
        ("changes", "left"),
        [
            ({"restricted_at": "yesterday"}, (True, True, True)),
            ({"restricted_at": ""}, (True, True, True)),
            ({"restricted_at": True}, (True, True, True)),
            ({"restricted_at": "2199-01-01T00:00:00Z"}, (True, True, True)),
            ({"restricted_at": "0001-01-01T00:00:00Z"}, (True, True, True)),
            ({"restrictedAt": "2026-01-01T00:00:00Z"}, (True, True, True)),
            ({"consent": []}, (False, False, False)),
            ({"consent": BOTH | {"support_until": "soon"}}, (False, True, False)),
            ({"consent": BOTH | {"support_until": "0001-01-01T00:00:00Z"}}, (False, True, False)),
            ({"consent": BOTH | {"support_since": 17}}, (False, True, False)),
            ({"consent": BOTH | {"participants_until": "2024-01-01T00:00:00Z"}}, (False, False, True)),
            ({"consent": BOTH | {"ended": True}}, (False, True, True)),
            ({"consents": None}, (False, False, False)),
            ({"exported_at": None, "restricted_at": "2026-01-01T00:00:00Z"}, (True, True, True)),
            ({"exported_at": "soon", "consent": GONE_BY}, (False, False, False)),
            ({"exported_at": "2199-01-01T00:00:00Z", "consent": None}, (False, False, False)),
            ({"exported_at": "soon"}, OPEN),
            ({"reference": "MOC-1", "restricted_at": "2026-01-01T00:00:00Z"}, OPEN),
        ],
    )
    def test_what_a_refused_line_means_is_closed(
        self, ground: Ground, changes: dict[str, Any], left: tuple[bool, bool, bool]
    ) -> None:
        entries = Entry.objects.filter(event="change").count()
        found, said = ground.take(account(1, **({"consent": BOTH} | changes)))
        closed = sum(was != becomes for was, becomes in zip(OPEN, left, strict=True))
        assert found == counts(refused=1, **({"closed": closed} if closed else {}))
        assert len(said) == 1
        assert ground.now == left
        assert Entry.objects.filter(event="change").count() == entries + bool(closed), "and it is recorded"
        # Nothing but a whole line opens it again, and that must be newer.
        assert ground.take(account(0, consent=BOTH))[0] in (counts(same=1), counts(older=1))
        assert ground.now == left
        assert ground.take(account(2, consent=BOTH))[0] in (counts(changed=1), counts(same=1))
        assert ground.now == OPEN

    def test_the_same_line_mended_is_taken(self, ground: Ground) -> None:
        ground.take(account(5, consent=BOTH | {"support_until": "soon"}))
        assert ground.now == (False, True, False)
        assert ground.take(account(4, consent=BOTH, plan="free"))[0] == counts(older=1)
        assert ground.take(account(5, consent=BOTH))[0] == counts(changed=1)
        assert ground.now == OPEN

    @pytest.mark.parametrize(
        ("raw", "left"),
        [
            (b'{"reference": "MOC-48213", "restricted_at": "2026-0', (True, False, False)),
            (b'{"reference": "MOC-48213", "restricted_at": ', (True, False, False)),
            (b'{"reference": "MOC-48213", "restricted_at": null, "plan"', (False, False, False)),
            (b'{"reference": "MOC\\u002d48213", "contact": ', (False, False, False)),
            ('{"reference": "MOC-48213", "restricted_at": "x"'.encode("utf-16-le"), (True, False, False)),
            (b'{"contact": {"name": "MOC-48213"', OPEN),
            (b'["MOC-48213"]', OPEN),
        ],
    )
    def test_what_cannot_be_read_relies_on_nothing(
        self, ground: Ground, raw: bytes, left: tuple[bool, bool, bool]
    ) -> None:
        assert ground.take(raw)[0]["refused"] == 1
        assert ground.now == left

    def test_a_field_that_stands_twice(self, ground: Ground) -> None:
        row = json.dumps(account(1, consent=BOTH)).removesuffix("}")
        raw = f'{row}, "restricted_at": null, "restricted_at": "2026-01-01T00:00:00Z"}}'.encode()
        assert ground.take(raw)[1] == ["line 1: restricted_at: stands twice"]
        assert ground.now == (True, True, True)

    def test_of_two_at_one_moment_what_either_closes_is_closed(self, ground: Ground) -> None:
        first = account(1, consent=BOTH, plan="free")
        assert ground.take(first)[0] == counts(changed=1)
        found, said = ground.take(account(1, restricted_at=at(0), consent=GONE_BY))
        assert (found, said) == (counts(refused=1), ["line 1: reference: repeated with other data"])
        assert ground.now == (True, False, False)
        assert ground.take(first)[0] == counts(same=1)
        assert ground.now == (True, False, False), "the first, once more, opens nothing"

    def test_an_older_one_closes_nothing(self, ground: Ground) -> None:
        ground.take(account(5, consent=BOTH))
        ground.take(account(4, restricted_at="soon", consent=[]))
        assert ground.now == OPEN

    def test_an_account_that_is_not_known_stands_restricted(
        self, ground: Ground, setup_connection: Connection
    ) -> None:
        other = {"reference": "MOC-50001", "consent": BOTH}
        assert ground.take(account(5, restricted_at="soon", **other))[0] == counts(refused=1, closed=1)
        assert ground.take(account(4, **other))[0] == counts(older=1)
        assert Account.objects.get(reference="MOC-50001").restricted_at
        ground.take(account(6, **other))
        assert not Account.objects.get(reference="MOC-50001").restricted_at
        assert opened(setup_connection, "MOC-50001")["contact.name"] == "Zuzanna Canaria"

    def test_an_erased_account_stays_erased(self, ground: Ground) -> None:
        store.erase_account(REFERENCE, "test")
        ground.take(account(5, restricted_at="soon"))
        found = Account.objects.get()
        assert (found.restricted_at, found.exported_at, bool(found.erased_at)) == (None, None, True)

    def test_our_own_restriction_is_not_lifted_by_theirs(self, ground: Ground) -> None:
        store.restrict_account(REFERENCE, "test", restrict=True)
        ground.take(account(1, restricted_at="soon", consent=BOTH))
        ground.take(account(2, consent=BOTH))
        assert ground.now[0]
        assert store.restrict_account(REFERENCE, "test", restrict=False) == "lifted"
        told = [one.details for one in Entry.objects.filter(event="change", details__has_key="closed")]
        assert {"closed": [], "restricted": [True, True], "held": True} in told, (
            "though nothing is shut by it"
        )


class TestParticipants:
    @pytest.fixture(autouse=True)
    def _person(self, ground: Ground) -> None:
        ground.take(PERSON, "participants")
        assert Account.objects.get().participants == 1

    def test_an_objection_is_taken_whatever_else_is_wrong(self, ground: Ground) -> None:
        bad = PERSON | {"objected": True, "email": "a@", "role": 17, "country": "Poland", "shoe": 46}
        found, _ = ground.take(bad, "participants")
        assert found["changed"] == 1
        assert Account.objects.get().participants == 0

    @pytest.mark.parametrize("told", ["yes", "true", 1, 0, [], "2026-01-01"])
    @pytest.mark.parametrize("name", ["objected", "objectedAt", "objection"])
    def test_an_objection_that_cannot_be_read_is_one(self, ground: Ground, name: str, told: object) -> None:
        found, _ = ground.take(PERSON | {name: told}, "participants")
        assert found == counts(refused=1, closed=1)
        assert Account.objects.get().participants == 0
        ground.take(PERSON, "participants")
        assert Account.objects.get().participants == 1, "until a line says otherwise"

    @pytest.mark.parametrize(
        ("raw", "left"),
        [
            (b'{"account": "MOC-48213", "reference": "MOC-48213-P1", "objected": tru', 0),
            (b'{"reference": "MOC-48213-P1", "objected": true, ', 0),
            (b'{"reference": "MOC-48213-P1", "objected": false, ', 1),
            (b'{"reference": "MOC-48213-P1", "name": ', 1),
            (b'{"reference": "MOC-48213-P1", "account": 17, "objected": true}', 0),
            (
                b'{"account": "MOC-48213", "reference": "MOC-48213-P1", "objected": false, "objected": true}',
                0,
            ),
        ],
    )
    def test_a_line_that_cannot_be_read(self, ground: Ground, raw: bytes, left: int) -> None:
        assert ground.take(raw, "participants")[0]["refused"] == 1
        assert Account.objects.get().participants == left

    def test_null_is_no_objection(self, ground: Ground) -> None:
        assert ground.take(PERSON | {"objected": None}, "participants")[0] == counts(same=1)


RESTRICTS = '{"reference": "MOC-48213", "restricted_at": "2026-01-01T00:00:00Z", "plan": "pro"'
LONG = RESTRICTS.replace(', "res', ', "support": {"notes": "' + "x" * 400_000 + '"}, "res') + "}"
UNREADABLE = [
    RESTRICTS.encode(),
    (RESTRICTS + "}").encode("utf-16"),
    (RESTRICTS + "}").replace("-4", "\\u002d4").encode("utf-16-le"),
    gzip.compress((RESTRICTS + "}").encode(), mtime=0),
    LONG.encode(),
]


class TestWebhook:
    @pytest.fixture(autouse=True)
    def _stands(self, ground: Ground) -> None:
        self.ground = ground

    def put(self, body: dict[str, Any] | bytes, **how: Any) -> tuple[int, dict[str, Any]]:
        answer = send("PUT", ADDRESS, body, **how)
        return answer.status_code, json.loads(answer.content)

    def test_the_answer_names_what_it_got_in_without(self) -> None:
        body = account(1, contact={"name": "J\u0092", "email": "a@"}, restricted_at=at(0), consent=GONE_BY)
        assert self.put(body) == (
            HTTPStatus.OK,
            {
                "outcome": "changed",
                "mended": ["contact.name: a line break or control character"],
                "dropped": ["contact.email: not an e-mail address"],
            },
        )
        assert self.ground.now == (True, False, False)
        details = Entry.objects.filter(event="import").latest("id").details
        assert details == {"what": "account", "changed": 1, "dropped": 1, "mended": 1}

    def test_what_is_refused_closes_and_says_so(self) -> None:
        status, said = self.put(account(1, restricted_at="soon", consent=BOTH | {"support_until": "soon"}))
        assert status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert said["closed"] == ["restricted", "support"]
        assert self.ground.now == (True, True, False)
        assert Entry.objects.latest("id").source == "platform"

    @pytest.mark.parametrize("body", UNREADABLE, ids=["cut", "utf-16", "escaped", "packed", "long"])
    def test_what_cannot_be_read_closes(self, body: bytes) -> None:
        assert self.put(body)[0] == HTTPStatus.UNPROCESSABLE_ENTITY
        assert self.ground.now == (True, False, False)
        # The time of sending keeps what was sent before from opening it again.
        assert self.put(account(1, consent=BOTH), age=60)[1] == {"outcome": "older"}
        assert self.ground.now == (True, False, False)

    def test_without_a_time_of_its_own_the_time_of_sending_orders_what_closes(self) -> None:
        untimed = account(1, consent=BOTH, restricted_at="soon")
        del untimed["exported_at"]
        self.put(untimed, age=60)
        assert self.ground.now[0]
        lately = (datetime.now(UTC) - timedelta(seconds=90)).isoformat()
        assert self.put(account(0, consent=BOTH) | {"exported_at": lately})[1] == {"outcome": "older"}
        assert self.put(account(0, consent=BOTH) | {"exported_at": datetime.now(UTC).isoformat()})[0] == 200
        assert not self.ground.now[0]

    def test_a_wrong_signature_closes_nothing(self) -> None:
        assert (
            send("PUT", ADDRESS, account(1, restricted_at="soon"), key="whsec_" + "A" * 44).status_code == 401
        )
        assert self.ground.now == OPEN

    def test_of_two_at_one_moment_both_close(self) -> None:
        assert self.put(account(0, consent=GONE_BY, restricted_at=at(0)))[0] == HTTPStatus.CONFLICT
        assert self.ground.now == (True, False, False)


def test_what_is_read_of_a_line_that_is_none() -> None:
    assert closing.of_refused(b"") == []
    assert closing.of_refused(b"\xff\xfe\x00") == []
    assert closing.objections(b'{"reference": "MOC-48213-P0", "objected": true, ') == []
    [told] = closing.of_refused(json.dumps(ACCOUNT | {"reference": "MOC-48213"}).encode())
    assert (told.at, told.restrict, told.participants) == (None, False, None)
