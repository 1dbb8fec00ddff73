"""The verdict about an agreement that was signed elsewhere: a PDF with an electronic signature, or a scan.

What counts of a signature is settings.TRUST_ROOTS alone, and the file's last byte: nobody outside is
asked, and nothing may follow the last signature but what proves that it was good. A scan must open and
be nothing but paper; whether it is the right one a second person says who has seen the original.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LARGEST: Final = 10 * 1024 * 1024
SECONDS: Final = 30
_EXAMINATION: Final = Path(__file__).with_name("examination.py")

Kind = Literal["electronic", "qualified", ""]

#: What an officer reads for each code. What is not here is malformed.
SENTENCES: Final[dict[str, Promise]] = {
    "good": _(
        "The signature is valid: it covers the whole document, nothing was changed since,"
        " and its certificate rests on a root that this company trusts. Revocation of the"
        " certificate was not checked online."
    ),
    "no_roots": _("No electronic signature can be judged: no roots are configured (GATEKEEPER_TRUST_ROOTS)."),
    "empty": _("The file is empty."),
    "too_large": _("The file is larger than 10 MB."),
    "not_pdf": _("The file is not a PDF."),
    "encrypted": _("The file is encrypted. Send it without a password."),
    "no_signature": _("The file holds no electronic signature. A scan of paper is entered as paper."),
    "broken": _("The signature is not valid: the file was changed after it was signed."),
    "added": _("Something was added to the file after it was signed, so the signature does not cover it."),
    "untrusted": _(
        "The signature’s certificate rests on no root that this company trusts, or the file"
        " lacks a certificate between the two."
    ),
    "usage": _("The signature’s certificate is not for signing documents: it is a server’s or a program’s."),
    "expired": _("The signature’s certificate has expired, or is not yet valid."),
    "revoked": _("The signature’s certificate was revoked."),
    "timestamp": _("A time stamp in the file is not valid, or rests on no root that this company trusts."),
    "malformed": _("The file cannot be read as a signed PDF."),
    "unreadable": _(
        "The file cannot be opened as a PDF: it is damaged, or a part of it is missing. Scan it again."
    ),
    "no_pages": _("The file has no page."),
    "too_many_pages": _("The file has more than 200 pages."),
    "active": _(
        "The file holds something that starts, opens or sends by itself, such as JavaScript. Scan the paper"
        " again, or let it be signed without that."
    ),
    "attached": _("The file holds other files, which a scan does not. Scan the paper again."),
    "too_long": _("The file could not be examined in the time for it."),
}


@dataclass(frozen=True)
class Verdict:
    """What the examination found. `signer` is the certificate's common name: for the officer's page
    alone. `signed_at` is the time stamp's, or else what the signature says itself; None when nothing."""

    code: str
    kind: Kind = ""
    signer: str = ""
    signed_at: datetime | None = None

    @property
    def ok(self) -> bool:
        """Whether the file can stand for a signature."""
        return self.code == "good"

    @property
    def sentence(self) -> str:
        """The verdict in words, in the reader's language."""
        return str(SENTENCES[self.code])

    def to_dict(self) -> dict[str, Any]:
        """What may be kept of it; not who signed, whose name appears in the file itself."""
        signed_at = self.signed_at.isoformat() if self.signed_at else ""
        return {"ok": self.ok, "code": self.code, "kind": self.kind, "signed_at": signed_at}


def verdict(pdf: bytes, *, at: datetime | None = None) -> Verdict:
    """Judge a file as of a moment (now). Never raises for what a file holds, never longer than SECONDS."""
    if not settings.TRUST_ROOTS:
        return Verdict("no_roots")
    if not pdf:
        return Verdict("empty")
    if len(pdf) > LARGEST:
        return Verdict("too_large")
    moment = (at or timezone.now()).astimezone(UTC)
    return _read(_examine(pdf, {"roots": settings.TRUST_ROOTS, "moment": moment.isoformat()}))


def scan_problem(pdf: bytes) -> str:
    """Why a scan cannot be filed, in words; '' when it can. Bounded as `verdict` is."""
    if len(pdf) > LARGEST:
        return str(SENTENCES["too_large"])
    code = str(_examine(pdf, {}).get("code"))
    if code == "good":
        return ""
    return str(SENTENCES["unreadable" if code == "malformed" or code not in SENTENCES else code])


def _examine(pdf: bytes, options: dict[str, str]) -> dict[str, Any]:
    try:
        done = subprocess.run(  # noqa: S603  # our own file, by our own interpreter
            [sys.executable, "-I", str(_EXAMINATION)],
            input=json.dumps(options).encode("ascii") + b"\n" + pdf,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            env={},  # our secrets may appear in ours
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"code": "too_long"}
    if done.returncode < 0:  # ended by a bound, or by a crash
        return {"code": "too_long"}
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return {"code": "malformed"}
    return answer if isinstance(answer, dict) else {"code": "malformed"}


def _read(answer: dict[str, Any]) -> Verdict:
    code = str(answer.get("code", ""))
    if code != "good":
        return Verdict(code if code in SENTENCES else "malformed")
    signed_at = answer["signed_at"]
    return Verdict(
        code="good",
        kind="qualified" if answer["qualified"] else "electronic",
        signer="".join(letter for letter in answer["signer"] if letter.isprintable()),
        signed_at=datetime.fromisoformat(signed_at).astimezone(UTC) if signed_at else None,
    )
