"""Installing the `.sql` files, and telling whether the database still has what they say."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from django.db.backends.base.base import BaseDatabaseWrapper

#: Where functions lie: a schema for each room's, and `vault` for personal data and what releases it.
SCHEMAS: Final = ("audit", "staff", "gatekeeper", "vault")

#: Every function of these schemas, every trigger and every right, as the catalogue has them now.
_INSTALLED = """
    SELECT 'function', p.oid::regprocedure::text,
        p.proowner::regrole::text || pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY (%(schemas)s)
    UNION ALL
    SELECT 'trigger', t.tgname || ' on ' || t.tgrelid::regclass::text,
        pg_get_triggerdef(t.oid) || t.tgenabled::text
    FROM pg_trigger t WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'right', o.name, x.grantee::regrole::text || ' ' || x.privilege_type || ' ' || x.is_grantable::text
    FROM (
        SELECT n.nspname, n.nspname, n.nspacl FROM pg_namespace n
        UNION ALL
        SELECT n.nspname, c.oid::regclass::text, c.relacl
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        UNION ALL
        SELECT n.nspname, c.oid::regclass::text || '.' || a.attname, a.attacl
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
    ) AS o (schema, name, acl) CROSS JOIN LATERAL aclexplode(o.acl) x
    WHERE o.schema = 'public' OR o.schema = ANY (%(schemas)s)
    ORDER BY 1, 2, 3
"""

_NOTE = """
    CREATE TABLE IF NOT EXISTS audit.installation (fingerprint text NOT NULL, sources text NOT NULL)
"""

#: A function that no file has any more, or has with other parameters, would stay and be called.
_CLEAR = f"""
    DO $$
    DECLARE
        old regprocedure;
    BEGIN
        FOR old IN SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = ANY ('{{{",".join(SCHEMAS)}}}') LOOP
            EXECUTE 'DROP ROUTINE IF EXISTS ' || old || ' CASCADE';  -- with its triggers
        END LOOP;
    END $$
"""  # noqa: S608 - our own names


def install(connection: BaseDatabaseWrapper, files: Iterable[Path]) -> None:
    """Run each file in order, all in one transaction, and note what the catalogue then has.

    Functions and triggers are made again: what no file has any more is gone.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(_NOTE)
        cursor.execute(_CLEAR)
        for path in files:
            cursor.execute(path.read_text(encoding="utf-8"))
        cursor.execute("DELETE FROM audit.installation")
        cursor.execute(
            "INSERT INTO audit.installation VALUES (%s, %s)", [_fingerprint(connection), sources(files)]
        )


def sources(files: Iterable[Path]) -> str:
    """SHA-256 over the files' bytes, in hexadecimal."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _fingerprint(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_INSTALLED, {"schemas": list(SCHEMAS)})
        return hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()


def differences(connection: BaseDatabaseWrapper, files: Iterable[Path]) -> list[str]:
    """What no longer agrees, in words; empty when the database has what the files say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('audit.installation')")
        if cursor.fetchone()[0] is None:
            return [_("the SQL functions were never installed: run manage.py migrate")]
        cursor.execute("SELECT fingerprint, sources FROM audit.installation")
        # Without its row nothing agrees.
        fingerprint, installed_sources = cursor.fetchone() or ("", "")
    found = []
    if installed_sources != sources(files):
        found.append(_("the .sql files are newer than what is installed: run manage.py migrate"))
    if fingerprint != _fingerprint(connection):
        found.append(_("functions, triggers or rights were changed in the database: run manage.py migrate"))
    return found
