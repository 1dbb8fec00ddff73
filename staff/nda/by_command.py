"""The demo's own agreements, published and signed on the server: they are in force at once.

`source` says who ran the command; a reason is the one for which nothing was done, or the empty string.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Final

from audit.database import call
from staff.models import Member, NdaVersion, Signature
from staff.nda.signing import Filed, evidence_of, paper_of
from staff.nda.versions import Terms

#: The alias of the demo's own agreements; no running process has it.
MIGRATOR: Final = "migrator"


def publish_by_command(source: str, terms: Terms) -> str:
    """Publish a version from the server's terminal; it may be one that has been required for long."""
    judged = call("staff.judge_command", source=source, number=None, using=MIGRATOR)
    return str(call("staff.add_version", judged=judged, context={}, **asdict(terms), using=MIGRATOR) or "")


def sign_by_command(
    source: str, member: Member, version: NdaVersion, *, language: str, signed_at: datetime
) -> str:
    """File a sealed paper for a member from the server's terminal: the demo's, which says so."""
    evidence = evidence_of(
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
