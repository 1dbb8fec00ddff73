"""PDFs as tools see them that are not ours: poppler's pdftotext, pdfsig, pdfinfo and pdffonts."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: No language, zone or database of certificates of whoever runs the tests.
PLAIN = {"TZ": "UTC", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}


def _run(tool: str, pdf: bytes, *options: str, after: tuple[str, ...] = ()) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "paper.pdf")
        file.write_bytes(pdf)
        done = subprocess.run(
            [tool, *options, str(file), *after],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=PLAIN,
        )
    assert not done.stderr or tool == "pdfsig", done.stderr
    return done.stdout


def text_of(pdf: bytes) -> str:
    """All words, one space between each two."""
    return re.sub(r"\s+", " ", _run("pdftotext", pdf, after=("-",)))


def facts_of(pdf: bytes) -> dict[str, str]:
    """What pdfinfo says of the document."""
    lines = (line.partition(":") for line in _run("pdfinfo", pdf).splitlines())
    return {name.strip(): value.strip() for name, _colon, value in lines}


def fonts_of(pdf: bytes) -> list[tuple[str, bool]]:
    """Each font's name, and whether it is embedded."""
    lines = _run("pdffonts", pdf).splitlines()[2:]
    return [(line.split()[0], line.split()[-5] == "yes") for line in lines]


@dataclass(frozen=True)
class Seen:
    """One signature as pdfsig sees it."""

    field: str
    signer: str
    is_valid: bool
    is_total: bool


def signatures_of(pdf: bytes) -> list[Seen]:
    """All signatures in their order; without a look at the certificate's trust (no NSS database)."""
    found = []
    for part in _run("pdfsig", pdf, "-nocert").split("Signature #")[1:]:
        if "not signed" in part and "Not total document signed" not in part:
            continue  # an empty field
        named = dict(re.findall(r"- ([\w ]+): (.*)", part))
        found.append(
            Seen(
                field=named["Signature Field Name"],
                signer=named["Signer Certificate Common Name"],
                is_valid=named["Signature Validation"] == "Signature is Valid.",
                is_total="- Total document signed" in part,
            )
        )
    return found
