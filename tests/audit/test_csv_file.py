"""CSV as a spreadsheet takes it, whatever separator its reader chooses: nothing in it is a formula."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import unicodedata
from io import StringIO
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from staff.frame.csv_file import csv_of, harmless

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\u2212"
SEPARATORS = {"comma": 44, "semicolon": 59, "tab": 9, "space": 32, "bar": 124, "colon": 58}
#: What stands before a sign: nothing, or what a spreadsheet may take for a cell's end and drop.
LEADS = (
    "", " ", '"', '" "', "\t", "\r", "\n", "\r\n", "\0", "\u200b", "\ufeff", "\u00a0", "a,", "a;", "a\t",
    "a|", "a:", "a ", 'a";', 'a,"', '";"', "; ", ";\t", ";;", "\u2028", "a\n", "a;\u202e",
)  # fmt: skip
PAYLOADS = tuple(f"{lead}{sign}1+1" for lead, sign in product(LEADS, SIGNS))
AGENT = 'Mozilla/5.0 (compatible;=HYPERLINK("https://x.example";A1) ;\t=1+1, +2'


def test_all_forms_of_a_sign_are_known() -> None:
    forms = [chr(code) for code in range(0x11_0000) if unicodedata.normalize("NFKC", chr(code))[0] in "=+-@"]
    assert len(forms) > 10
    assert [one for one in forms if harmless(f"{one}1") != f"'{one}1"] == []


@pytest.mark.parametrize(
    "cell",
    [
        "a", "", 7, None, "1-2", "x=1", "–", "Łucja", "Anna - Ewa", "a@b.example", "C++ ", "w\nv", 'x "y", z',
        "'=1", "2026-11-30T10:00:00+00:00",
    ],
)  # fmt: skip
def test_a_cell_that_holds_no_formula_is_as_it_was(cell: object) -> None:
    assert harmless(cell) == ("" if cell is None else str(cell))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (-5, "'-5"),
        ("+48 600 700 800", "'+48 600 700 800"),
        ("a\tb\r\nc\rd\0", "a b\nc\nd\ufffd"),
        ("(compatible; +https://x.example)", "(compatible; '+https://x.example)"),
        ("x -5", "x '-5"),
    ],
)
def test_a_value_stays_readable(cell: object, shown: str) -> None:
    assert harmless(cell) == shown


@effort(deadline=None, max_examples=400)
@given(st.text(alphabet="=+-@\uff1d\"',;|: \t\r\n\0\u200ba1", max_size=12))
def test_no_cut_leaves_a_sign_in_front(text: str) -> None:
    cell = harmless(text)
    assert not re.search("[\t\r\0]", cell)
    for part in re.split("[,;|:\n]", cell):
        assert part.strip('" \u200b')[:1] not in {*SIGNS}
    for part in re.split(r"\s", cell):
        bare = part.strip('"\u200b')
        assert len(bare) < 2 or bare[0] not in SIGNS


def test_each_cell_is_quoted_and_comes_back() -> None:
    file = csv_of(["a", "b"], [['x "y", z', "w\nv"], [1, None]])
    assert file == b'\xef\xbb\xbf"a","b"\r\n"x ""y"", z","w\nv"\r\n"1",""\r\n'
    rows = list(csv.reader(StringIO(file.decode("utf-8-sig"))))
    assert rows == [["a", "b"], ['x "y", z', "w\nv"], ["1", ""]]


def test_half_a_letter_is_no_error() -> None:
    assert csv_of(["x\ud83d"], []).endswith(b'"x?"\r\n')


def test_nobody_else_writes_csv() -> None:
    """Another writer would be another rule: `import csv` stands in one module."""
    top = Path(__file__).parents[2]
    files = [file for room in ("gatekeeper", "staff", "audit") for file in (top / room).rglob("*.py")]
    assert [
        file.relative_to(top).as_posix()
        for file in files
        if re.search(r"^\s*(import|from) csv\b", file.read_text(), re.M)
    ] == ["staff/frame/csv_file.py"]


def opened(files: list[Path], separator: str, folder: Path) -> list[list[ElementTree.Element]]:
    """The cells of each file as LibreOffice opens it with these separators, formulas evaluated."""
    done = subprocess.run(
        [
            "/usr/bin/soffice", "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            f"--infilter=CSV:{separator},34,76,1,,0,false,false,false,false,false,-1,true",
            "--convert-to", "fods", "--outdir", str(folder), *map(str, files),
        ],
        capture_output=True, text=True, timeout=240, check=False,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )  # fmt: skip
    made = [folder / f"{file.stem}.fods" for file in files]
    assert all(one.exists() for one in made), done.stderr
    cell = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}table-cell"
    return [list(ElementTree.parse(one).iter(cell)) for one in made]  # noqa: S314  # LibreOffice's own


def is_formula(cell: ElementTree.Element) -> bool:
    return "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}formula" in cell.attrib


@pytest.mark.pdf
@pytest.mark.skipif(
    "CI" not in os.environ and not shutil.which("soffice"),
    reason="LibreOffice is missing: apt-get install libreoffice-calc-nogui",
)
@pytest.mark.parametrize("separator", [*map(str, SEPARATORS.values()), "9/44/59", "9/44/59/32/124/58"])
def test_libreoffice_finds_no_formula_whatever_separates(separator: str, tmp_path: Path) -> None:
    # One cell a line at its beginning, its middle and its end: as separators cut, each begins a cell.
    rows = [[one, "x", one, AGENT, one] for one in (*PAYLOADS, AGENT)]
    safe = tmp_path / "safe.csv"
    safe.write_bytes(csv_of(["=1+1", ";=1+1"], rows))
    bare = tmp_path / "bare.csv"
    bare.write_bytes(b"=1+1\r\n")
    ours, control = opened([safe, bare], separator, tmp_path)
    assert any(map(is_formula, control))  # else this LibreOffice would find none in anything
    assert len(ours) > len(rows)
    assert [ElementTree.tostring(one) for one in ours if is_formula(one)] == []
    texts = ["".join(one.itertext()).strip('" \u200b\ufeff\u00a0\u202e\ufffd\n') for one in ours]
    assert [one for one in texts if one[:1] in {*SIGNS}] == []
