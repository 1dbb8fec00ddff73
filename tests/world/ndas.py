"""Agreements for the tests: what `staff.sign_nda` asks of evidence, and small files that pass for PDFs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from audit.database import call
from staff.models import NdaVersion
from staff.nda import signatures, versions
from staff.nda.signing import Filed
from staff.nda.versions import Terms, hash_of
from tests.world.keys import session_of
from tests.world.people import member

if TYPE_CHECKING:
    from staff.frame.callers import Caller
    from tests.world import Person

PDF = b"%PDF-1.7 signed"
COUNTERSIGNED = PDF + b" and countersigned"
SIGN = (
    "SELECT signature, reason FROM staff.sign_nda(%s::bytea, %s::jsonb, %s::int, %s::text,"
    " %s::timestamptz, %s::jsonb, %s::bytea, %s::boolean)"
)


def terms(number: int = 2, **changes: Any) -> Terms:
    """A version that is required from tomorrow on, unless changed."""
    facts: dict[str, Any] = {
        "number": number,
        "effective_at": timezone.now() + timedelta(days=1),
        "term_days": 365,
        "grace_days": 14,
        "countersigned": False,
        "text_en": f"Version {number}.",
        "text_pl": f"Wersja {number}, zażółć gęślą jaźń.",
    }
    return Terms(**(facts | changes))


def evidence(caller: Caller, person: Person, version: int, language: str, at: datetime) -> dict[str, Any]:
    """What stands beside a signature: all that the database compares with what it knows."""
    session = session_of(caller.digest)
    return {
        "number": person.number,
        "name": member(person).name,
        "session": session.pk,
        "method": session.factor,
        "version": version,
        "language": language,
        "sha256": hash_of(NdaVersion.objects.get(pk=version), language).hex(),
        "signed_at": at.isoformat(),
    }


def sign(
    caller: Caller, person: Person, version: int = 1, *, language: str = "en", pdf: bytes = PDF,
    at: datetime | None = None, waits: bool | None = None, forged: dict[str, Any] | None = None,
) -> tuple[int | None, str]:  # fmt: skip
    """Sign as the page would, without drawing: the signature's number and the reason."""
    moment = at or timezone.now()
    facts = evidence(caller, person, version, language, moment) | (forged or {})
    if waits is None:
        waits = versions.waits_for_second(member(person), NdaVersion.objects.get(pk=version))
    return call(
        "staff.sign_nda", caller, version=version, language=language, signed_at=moment, evidence=facts,
        pdf=pdf, waits=waits, into=Filed,
    )  # fmt: skip


def countersign(caller: Caller, signature: int | None, pdf: bytes = COUNTERSIGNED) -> str:
    """Countersign with a file of our own."""
    context = {"cid": 1}
    return str(call("staff.countersign", digest=caller.digest, context=context, signature=signature, pdf=pdf))


def upload(
    caller: Caller, person: Person, version: int = 1, *, form: str = "paper", pdf: bytes = PDF,
    at: datetime | None = None, **facts: Any,
) -> tuple[int | None, str]:  # fmt: skip
    """File a PDF that another signed elsewhere."""
    moment = at or timezone.now() - timedelta(days=2)
    return signatures.upload(
        caller, person.number, version=version, form=form, signed_at=moment,
        evidence={"ok": form != "paper", "kind": form} | facts, pdf=pdf,
    )  # fmt: skip
