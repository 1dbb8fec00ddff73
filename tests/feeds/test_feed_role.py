"""The feeds' role says what the platform and the helpdesk say, nobody else does, and it does nothing else."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from gatekeeper.installation import roles
from tests.world.messages import ACCOUNT, ERASURE, HEARTBEAT, TICKETS, account, said, send, ticket
from tests.world.schemas import FUNCTIONS

if TYPE_CHECKING:
    from tests.conftest import AsRole, Connection

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

OTHERS = [role for role in roles.RUN_TIME if role != roles.FEED]
#: What the platform and the helpdesk say, said by somebody else.
SAYINGS = (
    "vault.stored('{}')",
    "vault.store_accounts('[]', 'x')",
    "vault.store_participants('[]', 'x')",
    "vault.erase_account('MOC-48213', 'x')",
    "vault.restrict_account('MOC-48213', true, 'x')",
    "vault.close_account('MOC-48213', NULL, true, NULL, NULL, NULL, NULL, NULL, 'x')",
    "vault.participants_beyond('[]')",
    "vault.remove_participants('MOC-48213', '{1}', 'x')",
    "gatekeeper.record_import('accounts', true, '{}', '', 'x')",
    "gatekeeper.apply_tickets('[]', 'x')",
    "gatekeeper.block_ticket('ZD-1', NULL, 'x')",
    "gatekeeper.close_missing('{}', now(), 'x')",
    "gatekeeper.record_contact('x')",
    "gatekeeper.doubt('tickets', 'digest', 'x')",
    "gatekeeper.settle('tickets', now(), 'x')",
    "gatekeeper.compare_tickets(0, NULL, now(), 'x')",
    "gatekeeper.open_tickets()",
    "gatekeeper.take_delivery('x', 'x', 'x')",
)


#: What would make up the facts of another purpose, or read what is no feed's to read.
BEYOND = (
    "INSERT INTO public.gatekeeper_ticket (number) VALUES ('ZD-1')",
    "UPDATE public.gatekeeper_ticket SET state = 'open'",
    "INSERT INTO public.gatekeeper_delivery (source, webhook_id) VALUES ('x', 'x')",
    "DELETE FROM public.gatekeeper_delivery",
    "UPDATE public.gatekeeper_account SET restricted_at = NULL",
    "UPDATE public.gatekeeper_feed SET contact_at = now()",
    "SELECT wrapped_key FROM vault.account",
    "SELECT accounts FROM public.gatekeeper_ticket",
    "SELECT plan FROM public.gatekeeper_account",
    "SELECT webhook_id FROM public.gatekeeper_delivery",
    "SELECT FROM public.staff_member",
    "SELECT FROM public.staff_session",
    "SELECT FROM public.audit_entry",
    "SELECT vault.record_view(NULL, '{}', '', 1, '{}', false)",
    "SELECT vault.release_view(NULL, '{}', 1)",
    "SELECT vault.wrapped_key('MOC-48213')",
    "SELECT staff.apply_members('[]', 'x')",
    "SELECT gatekeeper.ask(NULL, '{}', '', '', '', '{}', 60, false, '', NULL)",
    "SELECT staff.change_member(NULL, '{}', '', 'roles', '[]')",
    "SELECT audit.write_entry('view', 'allowed', '{}')",
)


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize("call", SAYINGS)
def test_nobody_else_says_what_they_say(as_role: AsRole, role: str, call: str) -> None:
    with pytest.raises(
        psycopg.errors.InsufficientPrivilege, match=r"permission denied for (function|schema)"
    ):
        as_role(role).execute(f"SELECT {call}".encode())


@pytest.mark.parametrize("role", OTHERS)
def test_nobody_else_takes_a_delivery(as_role: AsRole, role: str) -> None:
    taken = (
        "INSERT INTO public.gatekeeper_delivery (source, webhook_id, received_at) VALUES ('x', 'x', now())"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(role).execute(taken.encode())


@pytest.mark.parametrize("statement", BEYOND)
def test_the_feeds_role_does_nothing_else(as_role: AsRole, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(roles.FEED).execute(statement.encode())


def test_the_vaults_role_records_and_releases_and_nothing_else(setup_connection: Connection) -> None:
    may = setup_connection.execute(
        f"""SELECT array_agg(p.oid::regproc::text ORDER BY p.proname) FROM pg_proc p
            JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN {FUNCTIONS}
                AND has_function_privilege('gatekeeper_vault', p.oid, 'EXECUTE')"""
    ).fetchone()
    assert may == (["vault.record_view", "vault.release_view", "vault.reveal", "vault.wrapped_key"],)


# What comes by webhook


MESSAGES = {
    "a ticket": ("POST", TICKETS, ticket()),
    "a ticket that cannot be used": ("POST", TICKETS, {"number": "ZD-1"}),
    "a heartbeat": ("POST", HEARTBEAT, {"open": 3}),
    "an account": ("PUT", ACCOUNT, account()),
    "an account that cannot be taken": ("PUT", ACCOUNT, {"reference": "MOC-48213", "restricted_at": "now"}),
    "an erasure": ("DELETE", ACCOUNT, ERASURE),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_taken_on_the_feeds_connection_alone(message: str) -> None:
    """Two connections in one request could wait for each other, and PostgreSQL would not see it."""
    others = [CaptureQueriesContext(connections[alias]) for alias in connections if alias != "feed"]
    for asked in others:
        asked.__enter__()
    try:
        assert send(*MESSAGES[message]).status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    finally:
        for asked in others:
            asked.__exit__(None, None, None)
    assert [one["sql"] for asked in others for one in asked.captured_queries] == []


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_sent_again_while_the_feeds_connection_is_away(
    message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections["feed"].close()
    with monkeypatch.context() as patched:
        patched.setitem(connections["feed"].settings_dict, "HOST", "/nowhere")
        answer = send(*MESSAGES[message])
        assert (answer.status_code, answer["Retry-After"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "10")
        assert json.loads(answer.content) == {"reason": "service unavailable"}
    connections["feed"].close()
    assert send(*MESSAGES[message]).status_code < HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("message", ["a ticket", "an account"])
def test_a_message_waits_for_nobody_for_ever(setup_connection: Connection, message: str) -> None:
    """Whoever holds the row: the sender is told to send it again."""
    with connections["feed"].cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("5s",)
        cursor.execute("SET lock_timeout = '100ms'")  # the same bound, shorter, so that a test is
    try:
        with setup_connection.transaction():
            setup_connection.execute("LOCK TABLE gatekeeper_ticket, gatekeeper_account IN EXCLUSIVE MODE")
            answer = send(*MESSAGES[message], webhook_id="held")
            assert (answer.status_code, answer["Retry-After"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "10")
        assert said(send(*MESSAGES[message], webhook_id="held")) == (200, "new")
    finally:
        connections["feed"].close()


def test_what_a_contradicting_account_closed_stays_closed_and_its_identifier_is_free() -> None:
    """All that was tried is undone with the identifier; what is closed comes after."""
    moment = "2026-01-01T00:00:00Z"
    assert said(send("PUT", ACCOUNT, account(exported_at=moment))) == (200, "new")
    restricted = account(exported_at=moment, restricted_at="2025-12-31T00:00:00Z", plan="free")
    for closed in (["restricted"], []):
        answer = send("PUT", ACCOUNT, restricted, webhook_id="again")
        assert answer.status_code == HTTPStatus.CONFLICT
        assert json.loads(answer.content).get("closed", []) == closed
