"""Agreements and signatures, as the database does them: thin calls of `staff/nda/sql/agreements.sql`.

A reason is the one for which nothing was done, or the empty string. The database decides, changes
and records in one transaction; what is made here is the paper (staff/nda/documents) and its evidence.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from audit.database import Jsonb, call
from staff.directory.people import officer
from staff.frame.callers import Caller
from staff.models import Member, NdaVersion, Signature, SignatureFile
from staff.nda import documents
from staff.nda.seal import SealError

logger = logging.getLogger(__name__)

#: The alias of the demo's own agreements; no running process has it.
MIGRATOR: Final = "migrator"
SAMPLES: Final = Path(__file__).resolve().parent / "samples"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a version says beside its texts."""

    number: int
    effective_at: datetime
    term_days: int
    grace_days: int
    countersigned: bool
    text_en: str
    text_pl: str


class Filed(NamedTuple):
    signature: int | None
    reason: str


class _File(NamedTuple):
    data: bytes | None
    reason: str


# Versions


def sample(language: str) -> str:
    """The agreement that we wrote, to begin with."""
    return (SAMPLES / f"nda.{language}.md").read_text(encoding="utf-8")


def publish(caller: Caller, terms: Terms | None) -> str:
    """Publish a version, required from its effective moment on; its text never changes. No terms are what
    could not be used: refused, and recorded."""
    values = asdict(terms) if terms else dict.fromkeys(field.name for field in fields(Terms))
    return str(call("staff.publish_nda_version", caller, **values) or "")


def recall(caller: Caller, number: int) -> str:
    """Take a version back before its effective moment."""
    return str(call("staff.recall_nda_version", caller, number=number) or "")


def required(*, at: datetime) -> NdaVersion | None:
    """The version that has to be signed at a moment."""
    return NdaVersion.objects.filter(effective_at__lte=at, recalled_at=None).first()


def to_sign(member: Member) -> NdaVersion | None:
    """What this member may sign now: the version required, else the next to come. None: neither."""
    number = call("staff.to_sign", member=member.pk)
    return None if number is None else NdaVersion.objects.get(number=number)


def waits_for_second(member: Member, version: NdaVersion) -> bool:
    """Whether this member's signature would wait for a second person: the version is countersigned, or
    the company had revoked the one before."""
    return bool(call("staff.waits_for_second", member=member.pk, version=version.number))


# Signing in the application


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
    reason = officer(caller, "sign")
    if reason:
        return None, reason
    waits = waits_for_second(member, version)
    evidence = _evidence(
        member, version, language=language, typed_name=typed_name, method=method, signed_at=timezone.now(),
        address=caller.context.get("remote_addr") or "", user_agent=caller.context.get("user_agent") or "",
        session=session, form=form,
    )  # fmt: skip
    pdf = paper_of(evidence, version, waits=waits)
    if pdf is None:
        return None, "seal_failed"
    return _filed(caller, version, evidence, pdf, waits=waits)


def _evidence(member: Member, version: NdaVersion, *, language: str, **more: Any) -> documents.Evidence:
    """What the paper says of the moment: who signs which text, in what words."""
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


def text_of(version: NdaVersion, language: str) -> str:
    """The version's text in one of the two languages."""
    return version.text_pl if language == "pl" else version.text_en


def hash_of(version: NdaVersion, language: str) -> bytes:
    """The SHA-256 of that text, as the database computed it."""
    return bytes(version.sha256_pl if language == "pl" else version.sha256_en)


def paper_of(evidence: documents.Evidence, version: NdaVersion, *, waits: bool) -> bytes | None:
    """The sealed paper; None when it could not be sealed, which the log of the server explains."""
    try:
        return documents.agreement(evidence, text_of(version, evidence.language), countersigned=waits)
    except SealError as error:
        logger.warning("a paper could not be sealed: %s", error)
        return None


# What officers do with signatures


# A form that could not be used names none (None): refused, and recorded.


def countersign(caller: Caller, by: Member, signature: int | None) -> str:
    """Countersign another's signature: the paper gets a second seal, the bytes before it stay."""
    files = SignatureFile.objects.filter(signature__isnull=False, signature=signature)
    signed = files.filter(kind=SignatureFile.Kind.SIGNED).first()
    pdf = b""  # of what is not there, or waits for nobody: the database says so
    if signed is not None and signed.signature.counts_from is None and signed.signature.withdrawn_at is None:
        try:
            pdf = documents.countersign(bytes(signed.data), officer=by.number, at=timezone.now())
        except SealError as error:
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
    """Say that one has seen the paper that another filed as a scan."""
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


# The demo's, as the migrator, for they are in force at once. `source` says so.


def publish_by_command(source: str, terms: Terms) -> str:
    """Publish a version from the server's terminal; it may be one that has been required for long."""
    judged = call("staff.judge_command", source=source, number=None, using=MIGRATOR)
    return str(call("staff.add_version", judged=judged, context={}, **asdict(terms), using=MIGRATOR) or "")


def sign_by_command(
    source: str, member: Member, version: NdaVersion, *, language: str, signed_at: datetime
) -> str:
    """File a sealed paper for a member from the server's terminal: the demo's, which says so."""
    evidence = _evidence(
        member, version, language=language, typed_name=member.name, method=source, signed_at=signed_at,
        address="", user_agent=source, session=0, form=Signature.Form.DOCUMENTARY,
    )  # fmt: skip
    pdf = paper_of(evidence, version, waits=False)
    if pdf is None:
        return "seal_failed"
    judged = call("staff.judge_command", source=source, number=member.number, using=MIGRATOR)
    return call(
        "staff.add_signature", judged=judged, context={}, version=version.number, form=evidence.form,
        language=language, signed_at=signed_at, counts_from=signed_at, evidence=evidence.to_dict(), pdf=pdf,
        into=Filed, using=MIGRATOR,
    ).reason  # fmt: skip
