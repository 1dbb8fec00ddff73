"""The standing authorisation (upoważnienie) and the register of authorised persons, in Polish.

Polish practice asks for both in writing (Art. 29 and 32(4) GDPR), so they are Polish whatever
language a page has.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.utils import timezone, translation
from reportlab.lib.units import mm
from reportlab.platypus import Flowable

from staff.models import Authorisation, Member
from staff.nda.documents import drawing, pdf_signing

TITLE: Final = "Upoważnienie do przetwarzania danych osobowych"
REGISTER_TITLE: Final = "Ewidencja osób upoważnionych do przetwarzania danych osobowych"
PURPOSE: Final = "Obsługa klientów i zarządzanie ich kontami."
OPEN_END: Final = "bezterminowo, do odwołania"
NOT_A_KEY: Final = (
    "Upoważnienie samo nie otwiera dostępu. Każdy wgląd w dane klienta wymaga ponadto obowiązującej umowy"
    " o zachowaniu poufności, otwartego zgłoszenia tego klienta, zatwierdzenia przez inną osobę i wpisu"
    " w dzienniku."
)
ON_INSTRUCTION: Final = (
    "Osoba upoważniona przetwarza dane osobowe wyłącznie na polecenie administratora danych i zachowuje je"
    " w tajemnicy."
)
SECRECY: Final = (
    "Z końcem upoważnienia, z jego wycofaniem i z odejściem z pracy kończy się prawo dostępu. Obowiązek"
    " zachowania tajemnicy trwa nadal."
)
SEALED: Final = "Plik opatrzono pieczęcią firmy (certyfikat); każda jego zmiana jest widoczna."
HEAD: Final = ("Lp.", "Nr", "Imię i nazwisko", "Identyfikator", "Zakres", "Od", "Do", "Nadano", "Przez")
_WIDTHS: Final = tuple(part * mm for part in (9, 12, 48, 21, 70, 19, 22, 19, 27))


def day(value: date | None) -> str:
    """A day as Polish documents write it."""
    return f"{value:%d.%m.%Y}" if value else ""


def authorisation(one: Authorisation, *, at: datetime) -> bytes:
    """The signed document as of a moment: a withdrawn one says so. Raises SigningKeyError."""
    sheet = drawing.Sheet(
        title=f"{TITLE} nr {one.pk}",
        foot=f"Upoważnienie nr {one.pk} · {one.member.number}",
        language="pl",
        at=at,
    )
    with translation.override("pl"):
        pdf = drawing.draw(sheet, _story(one, sheet))
    return pdf_signing.sign(
        pdf, at=at, reason=f"upoważnienie nr {one.pk}", facts={"authorisation": one.pk, "at": at.isoformat()}
    )


def _story(one: Authorisation, sheet: drawing.Sheet) -> list[Flowable]:
    intro = (
        "Na podstawie art. 29 i art. 32 ust. 4 rozporządzenia Parlamentu Europejskiego i Rady (UE) 2016/679"
        f" (RODO) {settings.COMPANY}, administrator danych, upoważnia:"
    )
    return [
        *drawing.heading(TITLE, f"nr {one.pk} · art. 29 RODO"),
        drawing.words(intro, drawing.BODY),
        drawing.gap(2),
        drawing.facts(_facts(one), width=sheet.width),
        drawing.gap(5),
        *(drawing.words(text, drawing.BODY) for text in (ON_INSTRUCTION, SECRECY, NOT_A_KEY)),
        drawing.words(SEALED, drawing.NOTE),
    ]


def _facts(one: Authorisation) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("Osoba upoważniona", one.member.name),
        ("Identyfikator", one.member.number),
        ("Zakres", one.scope),
        ("Cel", PURPOSE),
        ("Od", day(one.starts_on)),
        ("Do", day(one.ends_on) or OPEN_END),
        ("Nadano", f"{_moment(one.issued_at)}, {_named(one.issued_by)}"),
    ]
    if one.withdrawn_at and one.withdrawn_by:
        facts.append(("Wycofano", f"{_moment(one.withdrawn_at)}, {_named(one.withdrawn_by)}"))
    return facts


def _named(member: Member) -> str:
    return f"{member.name} ({member.number})"


def _moment(value: datetime) -> str:
    local = timezone.localtime(value)
    return f"{local:%d.%m.%Y %H:%M} ({local.tzname()})"


def rows(found: Sequence[Authorisation]) -> list[tuple[object, ...]]:
    """The lines of the register: of the PDF and of the CSV alike."""
    return [
        (
            place, one.pk, one.member.name, one.member.number, one.scope, day(one.starts_on),
            day(one.ends_on) or "bezterminowo", day(timezone.localtime(one.issued_at).date()),
            f"{one.issued_by.name} ({one.issued_by.number})",
        )
        for place, one in enumerate(found, start=1)
    ]  # fmt: skip


def register(found: Sequence[Authorisation], *, on: date, at: datetime) -> bytes:
    """The signed register as of a day of the company's. Raises SigningKeyError."""
    sheet = drawing.Sheet(
        title=f"{REGISTER_TITLE}, stan na {day(on)}",
        foot=f"Ewidencja osób upoważnionych · stan na {day(on)}",
        language="pl",
        at=at,
        wide=True,
    )
    lines = rows(found)
    made = f"stan na {day(on)} · upoważnień: {len(lines)} · sporządzono {_moment(at)}"
    heading = drawing.heading(REGISTER_TITLE, made)
    story = [*heading, _listed(lines), drawing.words(SEALED, drawing.NOTE)]
    with translation.override("pl"):
        pdf = drawing.draw(sheet, story)
    facts = {"on": on.isoformat(), "rows": len(lines), "at": at.isoformat()}
    return pdf_signing.sign(pdf, at=at, reason=f"ewidencja, stan na {on.isoformat()}", facts=facts)


def _listed(lines: list[tuple[object, ...]]) -> Flowable:
    if lines:
        return drawing.table(HEAD, lines, widths=_WIDTHS)
    return drawing.words("W tym dniu nikt nie był upoważniony.", drawing.BODY)
