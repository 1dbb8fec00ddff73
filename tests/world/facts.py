"""A small world for the tests: people, signatures, accounts and tickets, each fact settable by itself.

Facts are put there as the owner of the database would, past functions and rights, so that a test
can take away exactly one condition and nothing else. What is under test goes through the real roles.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from gatekeeper.gate.cipher import AccountCipher
from staff.frame.callers import Caller

if TYPE_CHECKING:
    from psycopg import Connection

    from gatekeeper.gate.cipher import Json

VALUES: dict[str, Json] = {
    "contact.name": "Aldona Przykładowa",
    "contact.email": "aldona@klient.example",
    "contact.marketing_consent": True,
    "company.name": "Przykładowa sp. z o.o.",
    "company.address": "ul. Próbna 1, Gdynia",
    "billing.bank_account": "PL61109010140000071219812874",
    "activity.ip_address": "192.0.2.77",
    "activity.last_visit_at": "2026-08-06T08:15:42Z",
    "activity.settings": {"theme": "dark"},
    "support.notes": "Dzwonić po dziesiątej",
}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
#: Seconds in which what must happen has happened on any machine, however busy: a failure takes as long.
SOON: Final = 60


def now() -> datetime:
    """The present moment, aware."""
    return datetime.now(tz=UTC)


@dataclass(frozen=True)
class Person:
    """A member as the tests need them."""

    id: int
    number: str


class World:
    """Puts facts into the database, one by one."""

    def __init__(self, setup: Connection[Any]) -> None:
        self.setup = setup
        self._numbers = itertools.count(1000)

    # Rows

    def insert(self, table: str, **values: Any) -> int:
        """Insert one row as the superuser and return its id."""
        names = list(values)
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(sql.Placeholder() * len(names)),
        )
        row = self.setup.execute(statement, [values[name] for name in names]).fetchone()
        assert row is not None
        number: int = row[0]
        return number

    def change(self, table: str, id_: int, **values: Any) -> None:
        """Change one row as the superuser, triggers and all."""
        names = list(values)
        self.setup.execute(
            sql.SQL("UPDATE {} SET {} WHERE id = %s").format(
                sql.Identifier(*table.split(".")),
                sql.SQL(", ").join(
                    sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in names
                ),
            ),
            [*(values[name] for name in names), id_],
        )

    def quietly(self, table: str, id_: int, **values: Any) -> None:
        """Change one row with the triggers off: a fact goes, and nothing follows from it."""
        with self.setup.transaction():
            self.setup.execute("SET LOCAL session_replication_role = replica")
            self.change(table, id_, **values)

    def quietly_version(self, number: int, **values: Any) -> None:
        """Change a version of the agreement, which nothing in the application can."""
        with self.setup.transaction():
            self.setup.execute("SET LOCAL session_replication_role = replica")
            sets = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in values]
            statement = sql.SQL("UPDATE staff_ndaversion SET {} WHERE number = %s")
            self.setup.execute(statement.format(sql.SQL(", ").join(sets)), [*values.values(), number])

    # People

    def member(self, *roles: str, manager: Person | None = None, **facts: Any) -> Person:
        """A member who started long ago."""
        number = f"K-{next(self._numbers)}"
        values: dict[str, Any] = {
            "number": number,
            "name": f"Member {number}",
            "email": f"{number.lower()}@firma.example",
            "roles": list(roles),
            "manager_id": manager.id if manager else None,
            "language": "en",
            "theme": "auto",
            "starts_on": date(2020, 1, 1),
            "password": "!",
            "created_at": now(),
        } | facts
        return Person(self.insert("staff_member", **values), number)

    def version(
        self,
        number: int = 1,
        *,
        effective_at: datetime = LONG_AGO,
        grace_days: int = 14,
        countersigned: bool = False,
    ) -> int:
        """A version of the agreement."""
        self.insert(
            "staff_ndaversion",
            number=number,
            effective_at=effective_at,
            term_days=365,
            grace_days=grace_days,
            published_at=min(effective_at, now()),
            countersigned=countersigned,
            text_en="The agreement.",
            text_pl="Umowa.",
            sha256_en=hashlib.sha256(b"The agreement.").digest(),
            sha256_pl=hashlib.sha256(b"Umowa.").digest(),
        )
        return number

    def signature(self, member: Person, *, version: int | None = 1, **facts: Any) -> int:
        """A signature that is in force."""
        values = {
            "member_id": member.id,
            "version_id": version,
            "form": "paper",
            "signed_at": now() - timedelta(days=10),
            "valid_until": now() + timedelta(days=300),
            "entered_at": now(),
            "language": "en",
            "withdrawn_why": "",
        } | facts
        return self.insert("staff_signature", **{"counts_from": values["signed_at"]} | values)

    def session(self, member: Person, **facts: Any) -> Caller:
        """A verified session, and who calls with it."""
        digest = hashlib.sha256(secrets.token_bytes(16)).digest()
        values = {
            "digest": digest,
            "member_id": member.id,
            "started_at": now(),
            "last_seen_at": now(),
            "verified_at": now(),
            "factor": "totp",
            "user_agent": "tests",
            "data": "{}",
        } | facts
        self.insert("staff_session", **values)
        return Caller(digest, {"remote_addr": "192.0.2.1", "user_agent": "tests", "cid": "c-1"})

    # Customers and tickets

    def account(
        self, reference: str = "MOC-40001", values: dict[str, Json] | None = None, **facts: Any
    ) -> int:
        """An account with values, and both consents running."""
        columns: dict[str, Any] = {
            "reference": reference,
            "plan": "pro",
            "language": "pl",
            "created_at": LONG_AGO,
            "exported_at": now(),
            "participants_since": LONG_AGO,
            "support_since": LONG_AGO,
            "filled": list(VALUES if values is None else values),
            "participants": 0,
        } | facts
        account_id = self.insert("gatekeeper_account", **columns)
        cipher = AccountCipher.new(reference)
        filled = VALUES if values is None else values
        self.insert(
            "vault.account",
            account_id=account_id,
            wrapped_key=cipher.wrapped,
            digest=cipher.digest(filled),
            fields=list(filled),
            ciphertexts=[cipher.encrypt(name, value) for name, value in filled.items()],
        )
        return account_id

    def participants(self, account: str, count: int) -> None:
        """Participants P1 … Pn of an account."""
        row = self.setup.execute(
            "SELECT v.account_id, v.wrapped_key FROM vault.account v JOIN gatekeeper_account a"
            " ON a.id = v.account_id WHERE a.reference = %s",
            [account],
        ).fetchone()
        assert row is not None
        self.change("gatekeeper_account", row[0], participants=count)
        cipher = AccountCipher.unwrap(account, row[1])
        for number in range(1, count + 1):
            email = f"p{number}@gosc.example"
            record: dict[str, Json] = {"role": "attendee", "name": f"Gość {number}", "email": email}
            self.insert(
                "vault.participant",
                account_id=row[0],
                number=number,
                digest=cipher.digest(record),
                email_index=cipher.index(email),
                ciphertext=cipher.encrypt(f"participants.{number}", record),
            )

    def ticket(
        self,
        number: str = "ZD-10001",
        *,
        accounts: list[str] | None = None,
        assignee: Person | None = None,
        **facts: Any,
    ) -> int:
        """An open ticket; with an assignee, the assignment that goes with it."""
        values: dict[str, Any] = {
            "number": number,
            "kind": "support",
            "state": "open",
            "accounts": accounts or ["MOC-40001"],
            "assignee_id": assignee.id if assignee else None,
            "opened_by": "customer",
            "opened_at": now() - timedelta(days=1),
            "updated_at": now() - timedelta(hours=1),
        } | facts
        ticket_id = self.insert("gatekeeper_ticket", **values)
        if assignee:
            self.assign(ticket_id, assignee, values["accounts"])
        return ticket_id

    def assign(self, ticket_id: int, member: Person, accounts: list[str]) -> int:
        """A running assignment."""
        return self.insert(
            "gatekeeper_assignment",
            ticket_id=ticket_id,
            member_id=member.id,
            accounts=accounts,
            began_at=now(),
        )

    def contact(self, at: datetime | None = None) -> None:
        """A message of the helpdesk came."""
        self.setup.execute(
            "INSERT INTO gatekeeper_feed (name, contact_at, contact) VALUES ('tickets', %s, 'fresh')"
            " ON CONFLICT (name) DO UPDATE SET contact_at = excluded.contact_at",
            [at or now()],
        )
