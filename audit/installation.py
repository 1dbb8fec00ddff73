"""Installing the `.sql` files, and telling whether the database still has what they say."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from django.db.backends.base.base import BaseDatabaseWrapper

#: Every object of the schema `vault` and every trigger, as the catalogue has it now.
_INSTALLED = """
    SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'vault'
    UNION ALL
    SELECT 'trigger', t.tgname || ' on ' || t.tgrelid::regclass::text,
        pg_get_triggerdef(t.oid) || t.tgenabled::text
    FROM pg_trigger t WHERE NOT t.tgisinternal
    ORDER BY 1, 2
"""

_NOTE = """
    CREATE TABLE IF NOT EXISTS vault.installation (fingerprint text NOT NULL, sources text NOT NULL)
"""


def install(connection: BaseDatabaseWrapper, files: Iterable[Path]) -> None:
    """Run each file in order, all in one transaction, and note what then stands in the catalogue.

    The files are written so that running them again changes nothing (`CREATE OR REPLACE`).
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(_NOTE)
        for path in files:
            cursor.execute(path.read_text(encoding="utf-8"))
        cursor.execute("DELETE FROM vault.installation")
        cursor.execute(
            "INSERT INTO vault.installation VALUES (%s, %s)", [_fingerprint(connection), sources(files)]
        )


def sources(files: Iterable[Path]) -> str:
    """SHA-256 over the files' bytes, in hexadecimal."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _fingerprint(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_INSTALLED)
        return hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()


def differences(connection: BaseDatabaseWrapper, files: Iterable[Path]) -> list[str]:
    """What no longer agrees, in words; empty when the database has what the files say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('vault.installation')")
        if cursor.fetchone()[0] is None:
            return ["the SQL functions were never installed: run manage.py migrate"]
        cursor.execute("SELECT fingerprint, sources FROM vault.installation")
        fingerprint, installed_sources = cursor.fetchone()
    found = []
    if installed_sources != sources(files):
        found.append("the .sql files are newer than what is installed: run manage.py migrate")
    if fingerprint != _fingerprint(connection):
        found.append("functions or triggers were changed in the database: run manage.py migrate")
    return found
