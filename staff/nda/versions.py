"""The versions of the agreement: what each says, which one a member has to sign, publishing and recalling.

A reason is the one for which nothing was done, or the empty string. The database decides, changes and records
in one transaction (`staff/nda/sql/agreements.sql`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Final

from audit.database import call
from staff.frame.callers import Caller
from staff.models import Member, NdaVersion

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


def following_number() -> int:
    """The number that the next version will have."""
    newest = NdaVersion.objects.order_by("-number").first()
    return newest.number + 1 if newest else 1


def to_sign(member: Member) -> NdaVersion | None:
    """What this member may sign now: the version required, else the next to come. None: neither."""
    number = call("staff.to_sign", member=member.pk)
    return None if number is None else NdaVersion.objects.get(number=number)


def waits_for_second(member: Member, version: NdaVersion) -> bool:
    """Whether this member's signature would wait for a second person: the version is countersigned, or
    the company had revoked the one before."""
    return bool(call("staff.waits_for_second", member=member.pk, version=version.number))


def text_of(version: NdaVersion, language: str) -> str:
    """The version's text in one of the two languages."""
    return version.text_pl if language == "pl" else version.text_en


def hash_of(version: NdaVersion, language: str) -> bytes:
    """The SHA-256 of that text, as the database computed it."""
    return bytes(version.sha256_pl if language == "pl" else version.sha256_en)
