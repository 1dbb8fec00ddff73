"""A member's day: limits that a test sets, accesses that are open, and what was used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.utils import timezone

from gatekeeper.access import grants
from gatekeeper.gate import answers, decision
from gatekeeper.models import Account
from tests.world.scene import Scene

if TYPE_CHECKING:
    from staff.frame.callers import Caller
    from tests.conftest import Connection


Limit = Callable[..., None]


NAME, EMAIL, IBAN = "contact.name", "contact.email", "billing.bank_account"


@pytest.fixture
def limit(setup_connection: Connection) -> Iterator[Limit]:
    """Set limits as SQL has them, for one test."""

    def write(**limits: object) -> None:
        for name, value in limits.items():
            setup_connection.execute("UPDATE audit_limit SET value = %s WHERE name = %s", [str(value), name])

    yield write
    usual = settings.LIMITS
    write(
        accounts_per_day=usual["accounts_per_day"],
        fields_per_day=usual["fields_per_day"],
        time_zone=settings.TIME_ZONE,
    )


@pytest.fixture
def scene(setup_connection: Connection, transactional_db: None) -> Scene:
    return Scene(setup_connection)


def opened(scene: Scene, number: int, **changes: Any) -> tuple[str, int]:
    """One more account with a ticket and an open grant of its own."""
    reference, ticket = f"MOC-{50000 + number}", f"ZD-{20000 + number}"
    if not Account.objects.filter(reference=reference).exists():
        scene.world.account(reference)
    return reference, opened_again(scene, reference, ticket, **changes)


def opened_again(scene: Scene, reference: str, ticket: str, **changes: Any) -> int:
    """One more ticket about an account, and an open grant under it."""
    scene.world.ticket(ticket, accounts=[reference], assignee=scene.anna)
    grant = scene.approved(account=reference, ticket=ticket, **changes)
    assert grants.open_window(scene.caller, grant=grant, account=reference) is None
    return grant


def reveal(scene: Scene, place: tuple[str, int], *fields: str, caller: Caller | None = None) -> str:
    """Why nothing is shown; '' when the fields are."""
    account, grant = place
    shown = decision.reveal(caller or scene.caller, account=account, grant=grant, fields=fields or [NAME])
    return shown.reason if isinstance(shown, answers.Refusal) else ""


def use(scene: Scene, *, accounts: int, fields: int, day: date | None = None) -> None:
    """As if so much were used on that day."""
    day = day or company_day()
    values = [scene.anna.id, day, accounts, fields]
    scene.world.setup.execute(
        "INSERT INTO gatekeeper_dailybudget (member_id, day, accounts, fields) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (member_id, day) DO UPDATE SET accounts = excluded.accounts, fields = excluded.fields",
        values,
    )


def company_day() -> date:
    """Today, where the company is."""
    return timezone.localdate()


def people(scene: Scene, place: tuple[str, int], number: int) -> str:
    account, grant = place
    shown = decision.participants(scene.caller, account=account, grant=grant, page=number)
    return shown.reason if isinstance(shown, answers.Refusal) else ""
