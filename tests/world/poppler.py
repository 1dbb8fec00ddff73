"""PDFs as tools see them that are not ours: poppler's pdftotext, pdfsig, pdfinfo and pdffonts."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.world import programs

#: No language, zone or database of certificates of whoever runs the tests.
PLAIN = {"TZ": "UTC", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}


def _run(tool: str, pdf: bytes, *options: str, after: tuple[str, ...] = ()) -> str:
    programs.need("pdfsig")  # one package has them all
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


def problems_of(pdf: bytes) -> str:
    """What qpdf and poppler find wrong with the file; '' when nothing. All pages are drawn, all streams
    read, and the trees of names searched as a reader searches them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "paper.pdf")
        file.write_bytes(pdf)
        said = []
        for tool in (
            ["qpdf", "--check", "--no-warn", str(file)],
            ["qpdf", "--check", str(file)],
            ["qpdf", "--list-attachments", str(file)],
            ["pdftocairo", "-png", "-r", "20", str(file), f"{folder}/page"],
            ["pdfdetach", "-list", str(file)],
        ):
            done = subprocess.run(
                tool, capture_output=True, text=True, check=False, timeout=120, env=PLAIN | {"HOME": folder}
            )
            warned = [line for line in done.stdout.splitlines() if "WARNING" in line.upper()]
            if done.returncode or done.stderr or warned:
                said.append(f"{tool[0]} {done.returncode}: {done.stderr} {warned}")
    return "\n".join(said)


def attachments_of(pdf: bytes) -> list[str]:
    """The names of the files in it, in the order in which its tree has them, as qpdf finds each one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "paper.pdf")
        file.write_bytes(pdf)
        listed = subprocess.run(
            ["/usr/bin/qpdf", "--list-attachments", str(file)],
            capture_output=True,
            text=True,
            check=True,
            env=PLAIN,
        )
        names = [line.rpartition(" -> ")[0] for line in listed.stdout.splitlines()]
        for name in names:  # by the tree's own search, which needs it sorted
            subprocess.run(
                ["/usr/bin/qpdf", f"--show-attachment={name}", str(file)],
                capture_output=True,
                check=True,
                env=PLAIN,
            )
    return names


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
