"""No write slips by: under every test a transaction that writes what must be recorded, and no entry, fails.

PostgreSQL itself says what a transaction wrote: a deferred trigger on every table asks, when the
transaction commits, whether it wrote an entry too. It fails if not, and a sequence, which no rollback
takes back, remembers the table: code that swallows the error does not hide it from the test. So it sees
whatever comes over whichever connection, a function's writes as well, and reads no SQL. What a superuser
does, as the tests' own world, is nobody's act.

A table is asked about unless it stands here with the reason why not.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg
from django.db import connections

from audit import installation
from gatekeeper.installation import roles
from gatekeeper.installation.sql_files import FILES
from tests.world.schemas import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

OF_THE_LOG: Final = "it is the log, or is made of it and signed"
OF_THE_DEPLOYMENT: Final = "migrations write it, before anybody is there"

#: Nothing that is written there asks for an entry, for this reason.
FREE: Final[dict[str, str]] = {
    "public.audit_entry": OF_THE_LOG,
    "public.audit_leaf": OF_THE_LOG,
    "public.audit_node": OF_THE_LOG,
    "public.audit_checkpoint": OF_THE_LOG,
    "public.audit_copy": "how far the copies of checkpoints are; each copy says so itself",
    "public.audit_tag": OF_THE_LOG,
    "public.audit_flag": "what the rules say of entries: made of the log, and made again from it",
    "public.audit_round": "how far the rules have read the log",
    "public.audit_stream": "how far the stream has read the log; that it begins is an entry",
    "public.django_content_type": OF_THE_DEPLOYMENT,
    "public.django_migrations": OF_THE_DEPLOYMENT,
    "public.auth_permission": OF_THE_DEPLOYMENT,
    "audit.installation": OF_THE_DEPLOYMENT,
    "staff.limits": "audit_limit with its types, made by trigger",
    "public.staff_attemptcount": "counts of attempts; each failure is an entry, and so is a lock",
    "public.gatekeeper_delivery": "that a message came is no act; what it changes is recorded",
    "public.staff_sessionnotes": "what a page says next; nobody judges by it",
    "public.staff_reminder": "a mail that reminds opens and closes nothing",
    "public.staff_mail": "a notice of what is recorded opens and closes nothing",
    "public.staff_ndadraft": "nobody's agreement until it is published, which is an entry",
    "public.django_otp_webauthn_webauthnuserhandle": "a random number for the browser, no factor",
    "public.django_otp_webauthn_webauthnattestation": "none is kept",
}


class Rows(NamedTuple):
    """Which of a table's rows ask for an entry: conditions in SQL on OLD and NEW; '' is none of them."""

    why: str
    insert: str = "true"
    update: str = "OLD.* IS DISTINCT FROM NEW.*"
    delete: str = "true"


def _columns(*names: str) -> str:
    """These columns have changed."""
    return " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in names)


_KEPT: Final = "one that waits for its first use verifies nothing; misses and steps are no change"
_COUNTED: Final = "a view counts together with its entry; a day that is over is forgotten"

#: Only these rows ask for one, for this reason.
ONLY: Final[dict[str, Rows]] = {
    "public.staff_session": Rows(
        "a visitor's is nobody's; activity is no act; what time has ended is only written down",
        insert="NEW.member_id IS NOT NULL",
        update=f"{_columns('member_id')} OR NEW.verified_at > coalesce(OLD.verified_at, '-infinity')"
        " OR (OLD.member_id IS NOT NULL AND OLD.ended_at IS NULL AND OLD.verified_at IS NOT NULL"
        " AND NEW.ended_at < OLD.last_seen_at + interval '15 minutes'"
        " AND NEW.ended_at < OLD.started_at + interval '12 hours')",
    ),
    "public.staff_member": Rows(
        "that somebody signed in is an entry of its own",
        update="to_jsonb(OLD) - 'last_login' IS DISTINCT FROM to_jsonb(NEW) - 'last_login'",
    ),
    "public.staff_totpdevice": Rows(
        _KEPT,
        insert="NEW.confirmed",
        update=f"{_columns('confirmed', 'user_id')} OR (NEW.confirmed AND {_columns('encrypted_key')})",
        delete="OLD.confirmed",
    ),
    "public.staff_recoverydevice": Rows(
        _KEPT, insert="NEW.confirmed", update=_columns("confirmed", "user_id"), delete="OLD.confirmed"
    ),
    "public.staff_recoverycode": Rows("its sheet is recorded, when it is kept", insert="", delete=""),
    "public.django_otp_webauthn_webauthncredential": Rows(
        "counting its uses is no change", update=_columns("user_id", "public_key", "name")
    ),
    "public.gatekeeper_ticket": Rows(
        "access rests on these alone", update=_columns("number", "kind", "state", "accounts", "assignee_id")
    ),
    "public.gatekeeper_dailybudget": Rows(_COUNTED, delete=""),
    "public.gatekeeper_dailyaccount": Rows(_COUNTED, delete=""),
    "public.gatekeeper_feed": Rows(
        "that the helpdesk is alive is heard every few minutes; that it turned is an entry",
        insert="",
        update=f"{_columns('contact')} OR (OLD.doubted_at IS NULL) <> (NEW.doubted_at IS NULL)",
    ),
    "public.gatekeeper_account": Rows(
        "a line that says what is known already moves its time alone",
        update="to_jsonb(OLD) - 'exported_at' IS DISTINCT FROM to_jsonb(NEW) - 'exported_at'",
    ),
}

_CHECK: Final = """
    CREATE SCHEMA recording;
    CREATE SEQUENCE recording.slip;
    CREATE FUNCTION recording.check() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF current_setting('recording.off', true) = 'on' OR EXISTS (SELECT FROM public.audit_entry e
                WHERE e."timestamp" >= transaction_timestamp() AND e.xid = pg_current_xact_id()) THEN
            RETURN NULL;
        END IF;
        PERFORM setval('recording.slip', TG_RELID::bigint);
        RAISE 'a write slips by: % of % without an entry', TG_OP, TG_RELID::regclass;
    END $$;
"""
_TRIGGER: Final = """
    CREATE CONSTRAINT TRIGGER {name} AFTER {act} ON {table} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (session_user IN ({roles}) AND ({condition})) EXECUTE FUNCTION recording.check()
"""
TABLES: Final = f"SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN {OURS}"


def install(url: str) -> None:
    """In: a superuser's address of a database. Ask at every table of it from now on.

    The functions are installed once more, for the check of what is installed knows every trigger.
    """
    with psycopg.connect(url) as setup:
        setup.execute(_CHECK)
        for (table,) in setup.execute(TABLES).fetchall():
            if table not in FREE:
                _ask_at(setup, table, ONLY.get(table, Rows("")))
    installation.install(connections["migrator"], FILES)


def _ask_at(setup: Connection, table: str, rows: Rows) -> None:
    named = ", ".join(f"'{role}'" for role in roles.LOGIN)
    for act, condition in (("INSERT", rows.insert), ("UPDATE", rows.update), ("DELETE", rows.delete)):
        if condition:
            setup.execute(
                _TRIGGER.format(
                    name=f"recorded_{act.lower()}", act=act, table=table, roles=named, condition=condition
                ).encode()
            )


def slip(setup: Connection) -> str:
    """The table that was last written without an entry, and is forgotten by this; '' when there is none."""
    [(table, slipped)] = setup.execute(
        "SELECT last_value::oid::regclass::text, is_called FROM recording.slip"
    ).fetchall()
    if slipped:
        setup.execute("ALTER SEQUENCE recording.slip RESTART")
    return str(table) if slipped else ""


@contextmanager
def off(*aliases: str) -> Iterator[None]:
    """A test writes past the application, over Django's connections, and asks for no entry of it."""
    for alias in aliases or ("default", "signin"):
        connections[alias].cursor().execute("SET recording.off = 'on'")
    try:
        yield
    finally:
        for alias in aliases or ("default", "signin"):
            connections[alias].cursor().execute("RESET recording.off")
