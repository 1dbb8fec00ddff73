"""What is done with signatures that are there: countersigned, filed from elsewhere, withdrawn, exported.

A reason is the one for which nothing was done, or the empty string. The database decides, changes and records
in one transaction (`staff/nda/sql/agreements.sql`). A form that could not be used names no signature (None):
refused, and recorded.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from audit.database import Jsonb, call
from staff.frame.callers import Caller
from staff.models import Member, SignatureFile
from staff.nda import documents
from staff.nda.signing import Filed
from staff.nda.signing_key import SigningKeyError

logger = logging.getLogger(__name__)


class _File(NamedTuple):
    data: bytes | None
    reason: str


def countersign(caller: Caller, by: Member, signature: int | None) -> str:
    """Countersign another's signature: the document gets a second seal, the bytes before it stay."""
    files = SignatureFile.objects.filter(signature__isnull=False, signature=signature)
    signed = files.filter(kind=SignatureFile.Kind.SIGNED).first()
    pdf = b""  # of what is not there, or waits for nobody: the database says so
    if signed is not None and signed.signature.counts_from is None and signed.signature.withdrawn_at is None:
        try:
            pdf = documents.countersign(bytes(signed.data), officer=by.number, at=timezone.now())
        except SigningKeyError as error:
            logger.warning("a paper could not be countersigned: %s", error)
            return "seal_failed"
    return str(call("staff.countersign", caller, signature=signature, pdf=pdf) or "")


def upload(
    caller: Caller, number: str, *, version: int | None = None, form: str | None = None,
    signed_at: datetime | None = None, evidence: dict[str, Any] | None = None, pdf: bytes | None = None,
) -> tuple[int | None, str]:  # fmt: skip
    """File a PDF that another member signed elsewhere; the signature's number and the reason."""
    return call(
        "staff.upload_signature", caller, number=number, version=version, form=form, signed_at=signed_at,
        evidence=Jsonb(evidence), pdf=pdf, into=Filed,
    )  # fmt: skip


def confirm_original(caller: Caller, signature: int | None) -> str:
    """Say that one has seen the document that another filed as a scan."""
    return str(call("staff.confirm_original", caller, signature=signature) or "")


def withdraw(caller: Caller, signature: int | None, why: str | None) -> str:
    """Withdraw another member's signature; what rests on it ends."""
    return str(call("staff.withdraw_signature", caller, signature=signature, why=why) or "")


def take_file(caller: Caller, signature: int) -> tuple[bytes, str]:
    """The signature's newest file, recorded as an export; or why not."""
    data, reason = call("staff.take_file", caller, signature=signature, into=_File)
    return bytes(data or b""), reason


def record_register(caller: Caller, register: str, on: Any, rows: int) -> str:
    """Record that a register is exported as a file, before it is."""
    return str(call("staff.record_register", caller, register=register, on=on, rows=rows) or "")
