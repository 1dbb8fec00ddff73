"""Signing in the application: the sealed paper of the moment, with its evidence, filed by the database.

A reason is the one for which nothing was done, or the empty string. The database decides, changes and records
in one transaction (`staff/nda/sql/agreements.sql`).
"""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from audit.database import call
from staff.directory.people import authorize
from staff.frame.callers import Caller
from staff.models import Member, NdaVersion, Signature
from staff.nda import documents
from staff.nda.signing_key import SigningKeyError
from staff.nda.versions import hash_of, text_of, waits_for_second

logger = logging.getLogger(__name__)


class Filed(NamedTuple):
    """What came of filing a signature: its number, or the reason why there is none."""

    signature: int | None
    reason: str


def consent_sentence(language: str) -> str:
    """The sentence that a member confirms, in the language of the text."""
    with translation.override(language):
        return _(
            "I have read this agreement in full and I am bound by it. I know that the duty of secrecy goes"
            " on when my access ends."
        )


def sign(
    caller: Caller, member: Member, version: NdaVersion, *,
    language: str, typed_name: str, session: int, method: str, form: str = Signature.Form.DOCUMENTARY,
) -> tuple[int | None, str]:  # fmt: skip
    """Make the sealed paper of this moment and file it; the signature's number and the reason.

    Whether it is allowed the database says first: drawing and sealing cost, and are for those who may.
    """
    reason = authorize(caller, "sign")
    if reason:
        return None, reason
    waits = waits_for_second(member, version)
    evidence = evidence_of(
        member, version, language=language, typed_name=typed_name, method=method, signed_at=timezone.now(),
        address=caller.context.get("remote_addr") or "", user_agent=caller.context.get("user_agent") or "",
        session=session, form=form,
    )  # fmt: skip
    pdf = paper_of(evidence, version, waits=waits)
    if pdf is None:
        return None, "seal_failed"
    return _filed(caller, version, evidence, pdf, waits=waits)


def evidence_of(member: Member, version: NdaVersion, *, language: str, **more: Any) -> documents.Evidence:
    """Return what the document says of the moment: who signs which text, in what words."""
    return documents.Evidence(
        number=member.number,
        name=member.name,
        version=version.number,
        sha256=bytes(hash_of(version, language)).hex(),
        language=language,
        consent=consent_sentence(language),
        **more,
    )


def _filed(
    caller: Caller, version: NdaVersion, evidence: documents.Evidence, pdf: bytes, *, waits: bool
) -> tuple[int | None, str]:
    return call(
        "staff.sign_nda", caller, version=version.number, language=evidence.language,
        signed_at=evidence.signed_at, evidence=evidence.to_dict(), pdf=pdf, waits=waits, into=Filed,
    )  # fmt: skip


def refuse_to_sign(caller: Caller) -> str:
    """Record that a member sent a form for signing that could not be used; the reason."""
    return call(
        "staff.sign_nda", caller, version=None, language=None, signed_at=None, evidence=None, pdf=None,
        waits=None, into=Filed,
    ).reason  # fmt: skip


def paper_of(evidence: documents.Evidence, version: NdaVersion, *, waits: bool) -> bytes | None:
    """The sealed paper; None when it could not be sealed, which the log of the server explains."""
    try:
        return documents.agreement(evidence, text_of(version, evidence.language), countersigned=waits)
    except SigningKeyError as error:
        logger.warning("a paper could not be sealed: %s", error)
        return None
