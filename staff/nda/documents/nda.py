"""The agreement that a member signed in the application: its whole text, and what proves it."""

from __future__ import annotations

from typing import Final

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from reportlab.platypus import Flowable, KeepTogether

import staff.nda.documents.drawing as drawing
import staff.nda.documents.pdf_signing as pdf_signing
from staff.nda.documents.evidence import Evidence, EvidenceError
from staff.nda.documents.markdown import to_flowables

#: Words for the factor of the step-up; another method is shown by its code.
METHODS: Final[dict[str, Promise]] = {
    "passkey": gettext_lazy("passkey"),
    "totp": gettext_lazy("one-time code of an application"),
    "recovery": gettext_lazy("recovery code"),
}
LANGUAGES: Final[dict[str, Promise]] = {
    "en": pgettext_lazy("language", "English"),
    "pl": pgettext_lazy("language", "Polish"),
}


def secrecy_goes_on() -> str:
    """What every text, paper and notice says."""
    return _(
        "What ends with this agreement’s term, with its withdrawal or with leaving is the right to access."
        " The duty of secrecy goes on."
    )


def agreement(evidence: Evidence, text: str, *, countersigned: bool) -> bytes:
    """The document: drawn in the language signed, its signature fields created, then sealed.

    With `countersigned` a second field waits for a people officer's. Raises EvidenceError when the
    text is not the one whose hash was signed, SigningKeyError when the key cannot be used.
    """
    if not evidence.speaks_of(text):
        raise EvidenceError("the text is not the one that was signed")
    with translation.override(evidence.language):
        pdf = drawing.draw(_sheet(evidence), _story(evidence, text, countersigned=countersigned))
    return pdf_signing.sign(
        pdf,
        at=evidence.signed_at,
        reason=f"NDA {evidence.version}: {evidence.number}",
        facts=evidence.to_dict(),
        field=pdf_signing.MEMBER,
        then=pdf_signing.COUNTERSIGNATURE if countersigned else "",
    )


def _sheet(evidence: Evidence) -> drawing.Sheet:
    title = _("Non-disclosure agreement, version %(version)d") % {"version": evidence.version}
    return drawing.Sheet(
        title=title, foot=f"{title} · {evidence.number}", language=evidence.language, at=evidence.signed_at
    )


def _story(evidence: Evidence, text: str, *, countersigned: bool) -> list[Flowable]:
    sheet = _sheet(evidence)
    subtitle = _("version %(version)d") % {"version": evidence.version}
    block = [
        drawing.words(_("Signature"), drawing.HEADINGS[1]),
        drawing.facts(_facts(evidence), width=sheet.width),
        drawing.words(secrecy_goes_on(), drawing.NOTE),
        drawing.words(_signature_note(countersigned=countersigned), drawing.NOTE),
    ]
    return [
        *drawing.heading(_("Non-disclosure agreement"), subtitle),
        *to_flowables(text),
        drawing.gap(),
        KeepTogether(block),
    ]


def _facts(evidence: Evidence) -> list[tuple[str, object]]:
    return [
        (_("Member"), f"{evidence.name} · {evidence.number}"),
        (_("Name as typed"), evidence.typed_name),
        (_("Declared"), evidence.consent),
        (_("Agreement"), _("version %(version)d") % {"version": evidence.version}),
        (_("SHA-256 of the text"), drawing.words(evidence.sha256, drawing.DIGITS)),
        (_("Language signed"), LANGUAGES.get(evidence.language, evidence.language)),
        (_("Identity confirmed by"), METHODS.get(evidence.method, evidence.method)),
        (_("Time"), f"{evidence.signed_at:%Y-%m-%d %H:%M:%S} UTC"),
        (_("Address"), evidence.address),
        (_("Browser"), evidence.user_agent),
        (_("Session"), evidence.session),
    ]


def _signature_note(*, countersigned: bool) -> str:
    sentence = _("This file is signed with the company’s certificate; any change to it is detected.")
    if not countersigned:
        return sentence
    return (
        sentence
        + " "
        + _("It counts from a people officer’s countersignature, which is the second signature in this file.")
    )
