"""Papers draw the letters of Europe and its neighbours, and what they draw is found again."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from django.utils import translation
from reportlab.pdfbase.pdfmetrics import getFont

from staff.nda.documents import drawing, fonts
from staff.nda.documents.markdown import to_flowables
from tests.world.poppler import fonts_of, problems_of, text_of

pytestmark = pytest.mark.pdf
AT = datetime(2026, 11, 22, 17, 5, 9, tzinfo=UTC)

NAMES = [
    "Nguyễn Thị Ánh Dương Đặng Ế Ỗ Ữ", "Łucja Żółć-Wiśniewska", "Sinéad O’Connor Ħ Ŧ Ŋ ə ƣ",
    "Išdėstyti ė́ ũ̇ m̃",
    "Ольга Їжак, Ґалаґан", "Њего Џон Ћирић Ѓорѓи Қанат Әлия Өмірұлы Ѫже", "Γεώργιος Παππάς ἀρχή ᾧ",
    "ნინო ბერიძე", "ᲜᲘᲜᲝ",
    "Արամ Խաչատրյան", "דוד בן־גוריון", "محمد علي الحسيني", "فاطمة الزهراء لا إله", "پروین گلچین ژاله",
    "שָׁלוֹם", "مُحَمَّد",
]  # fmt: skip
#: Blocks of which a paper draws every letter, in both styles.
BLOCKS = {
    "Latin": (0x41, 0x24F), "Latin with more marks": (0x1E00, 0x1EFF), "Greek": (0x386, 0x3E1),
    "Greek of old": (0x1F00, 0x1FFF), "Cyrillic": (0x400, 0x52F), "Georgian": (0x10D0, 0x10FF),
    "Georgian capitals": (0x1C90, 0x1CBF), "Armenian": (0x531, 0x586), "Hebrew": (0x5D0, 0x5F2),
    "Arabic": (0x620, 0x6D3),
}  # fmt: skip


def paper(*texts: str, language: str = "en") -> bytes:
    """Each as a fact, the first as the title and in the foot too."""
    sheet = drawing.Sheet("t", f"foot {texts[0]}", language, AT)
    rows: list[tuple[str, object]] = [("Name", one) for one in texts]
    return drawing.draw(sheet, [*drawing.heading(texts[0], "s"), drawing.facts(rows, width=sheet.width)])


def found_in(pdf: bytes) -> str:
    """All words as they are spelt: without the marks by which a terminal is told to turn them."""
    return re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text_of(pdf))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_drawn_and_found_as_it_is_spelt(name: str) -> None:
    pdf = paper(name)
    assert found_in(pdf).count(unicodedata.normalize("NFC", name)) == 3
    assert "[U+" not in found_in(pdf)
    assert problems_of(pdf) == ""


@pytest.mark.parametrize("block", BLOCKS)
def test_every_letter_of_a_block_is_there(block: str) -> None:
    first, last = BLOCKS[block]
    letters = [chr(one) for one in range(first, last + 1) if unicodedata.category(chr(one))[0] == "L"]
    assert len(letters) > 20
    for italic in (False, True):
        assert [one for one in letters if "[U+" in fonts.legible(one, italic=italic)] == []


def test_in_bold_in_italics_and_in_a_list_they_are_there() -> None:
    text = "# Тест ნინო\n\n*Ж курсив ǅ* **Жирный ნ** zwykły\n\n- محمد\n- דוד"
    found = found_in(drawing.draw(drawing.Sheet("t", "t", "en", AT), to_flowables(text)))
    for words in ("Тест ნინო", "Ж курсив ǅ Жирный ნ zwykły", "محمد", "דוד"):
        assert words in found


def drawn(text: str) -> str:
    """As it stands from left to right, each code by the letters that it shows."""
    shown = []
    for font, part in fonts.runs(text):
        kept = getFont(font)._shown if font else {}
        shown += [kept.get(ord(letter), letter) for letter in part]
    return "".join(shown).replace("\u00a0", " ")


def back(word: str) -> str:
    """Its letters from the last to the first."""
    return word[::-1]


DAVID, COHEN, TEL, AVIV, STREET = "דוד", "כהן", "תל", "אביב", "شارع"


@pytest.mark.parametrize(
    ("spelt", "shown"),
    [
        (f"{DAVID} {COHEN}", f"{back(COHEN)} {back(DAVID)}"),
        (f"Name: {DAVID} {COHEN} · K-0193", f"Name: {back(COHEN)} {back(DAVID)} · K-0193"),
        (f"{DAVID} ({TEL} {AVIV}) 12", f"12 ({back(AVIV)} {back(TEL)}) {back(DAVID)}"),
        (f"a {TEL} b {DAVID} c", f"a {back(TEL)} b {back(DAVID)} c"),
        (f"{STREET} 123", f"123 {back(STREET)}"),
        (unicodedata.normalize("NFC", "שָׁלוֹם"), back(unicodedata.normalize("NFC", "שָׁלוֹם"))),
        ("no turn (1)", "no turn (1)"),
    ],
)
def test_words_stand_in_the_order_in_which_they_are_read(spelt: str, shown: str) -> None:
    assert drawn(spelt) == shown


def test_arabic_letters_join_and_marks_stand_over_their_letter() -> None:
    [(font, three)] = fonts.runs("ببب")
    assert font == "NotoSansArabic"
    assert len(set(three)) == 3  # its last, its middle and its first form
    [(font, pointed)] = fonts.runs("שָׁ")
    *points, letter = (getFont(font).face.charWidths[ord(code)] for code in pointed)
    assert points == [0, 0]  # all is drawn with the letter; the others are there to be found
    assert letter > 0


OUTSIDE = "名 🙂 \u202e"


def test_a_letter_that_no_typeface_has_is_marked_and_it_is_said() -> None:
    found = found_in(paper(OUTSIDE))
    assert "[U+540D] [U+1F642] [U+202E]" in found
    assert "is a letter that the fonts of this document do not have" in found
    with translation.override("pl"):
        assert "oznacza literę, której nie mają kroje pisma" in found_in(paper(OUTSIDE))
    assert "is a letter that the fonts" not in found_in(paper(*NAMES))


def test_fonts_are_embedded_in_part_and_a_paper_stays_small() -> None:
    pdf = paper(*NAMES)
    assert all(embedded for _name, embedded in fonts_of(pdf))
    assert len({name for name, _embedded in fonts_of(pdf)}) > 5
    assert len(pdf) < 120_000
    assert len(paper("Ńina")) < len(paper("Ńina ნინო")) < len(paper("Ńina")) + 15_000


def test_what_was_drawn_before_leaves_no_trace() -> None:
    here = paper(*NAMES)
    assert paper(*reversed(NAMES)) != here
    assert paper(*NAMES) == here
    told = (
        "import django; django.setup(); from hashlib import sha256; from tests.staff.test_letters import *;"
        " paper('دبع کگ ჰ'); print(sha256(paper(*NAMES)).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", told],
        capture_output=True,
        text=True,
        check=True,
        env={"DJANGO_SETTINGS_MODULE": "tests.typed_settings", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )
    assert other.stdout.strip() == sha256(here).hexdigest()
