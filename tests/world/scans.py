"""Files that somebody sends as the scan of a paper, and are none: each with the code of its refusal."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter, copy_into_new_writer
from reportlab.pdfgen.canvas import Canvas

from tests.world.authority import plain_pdf

#: pyHanko's objects, which have no types.
PDF: Any = generic


def of_pages(count: int) -> bytes:
    """A PDF of so many empty pages, one at least."""
    out = BytesIO()
    canvas = Canvas(out, invariant=1)
    for _page in range(count):
        canvas.drawString(72, 720, "A page.")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def without_pages() -> bytes:
    """A PDF whose tree of pages is bare."""
    writer: Any = PdfFileWriter()  # type: ignore[no-untyped-call]  # pyHanko's own
    return _written(writer)


def encrypted(user: str = "y") -> bytes:
    """A PDF that a password opens; everybody's, where the user's is empty."""
    writer: Any = copy_into_new_writer(PdfFileReader(BytesIO(plain_pdf())))
    writer.encrypt(owner_pass="x", user_pass=user)
    return _written(writer)


def with_entry(name: str, value: Any, *, pdf: bytes | None = None) -> bytes:
    """The PDF with one more entry in its catalogue."""
    writer: Any = IncrementalPdfFileWriter(BytesIO(pdf or plain_pdf()))
    writer.root[PDF.pdf_name(name)] = value
    writer.update_root()
    return _written(writer)


def action(kind: str, **more: Any) -> Any:
    """What is done when the document is opened."""
    entries = {PDF.pdf_name("/S"): PDF.pdf_name(kind)}
    return PDF.DictionaryObject(entries | {PDF.pdf_name(f"/{key}"): value for key, value in more.items()})


def on_a_page(kind: str) -> bytes:
    """The PDF with an annotation of that kind on its page."""
    writer: Any = IncrementalPdfFileWriter(BytesIO(plain_pdf()))
    page, _resources = writer.find_page_for_modification(0)
    note = PDF.DictionaryObject({PDF.pdf_name("/Subtype"): PDF.pdf_name(kind)})
    page.get_object()["/Annots"] = PDF.ArrayObject([writer.add_object(note)])
    writer.mark_update(page)
    return _written(writer)


def in_disguise(pdf: bytes) -> bytes:
    """The same with letters of names written as numbers, as ISO 32000-2 §7.3.5 allows."""
    return pdf.replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/#4aS")


def _script() -> bytes:
    return with_entry("/OpenAction", action("/JavaScript", JS=PDF.pdf_string("app.alert(1)")))


def _attached() -> bytes:
    return with_entry(
        "/Names", PDF.DictionaryObject({PDF.pdf_name("/EmbeddedFiles"): PDF.DictionaryObject()})
    )


def _written(writer: Any) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a mark and HTML": (lambda: b"%PDF-1.7 <p>Hello.</p>\n", "unreadable"),
    "cut off": (lambda: plain_pdf()[:-200], "unreadable"),
    "its end alone": (lambda: b"%PDF-1.7\n" + plain_pdf()[-300:], "unreadable"),
    "encrypted": (encrypted, "encrypted"),
    "encrypted for everybody": (lambda: encrypted(""), "encrypted"),
    "no page": (without_pages, "no_pages"),
    "too many pages": (lambda: of_pages(201), "too_many_pages"),
    "a script": (_script, "active"),
    "a script in disguise": (lambda: in_disguise(_script()), "active"),
    "a program that is started": (lambda: with_entry("/OpenAction", action("/Launch")), "active"),
    "a form that is sent": (lambda: with_entry("/AA", action("/SubmitForm")), "active"),
    "a form with a program": (
        lambda: with_entry("/AcroForm", PDF.DictionaryObject({PDF.pdf_name("/XFA"): PDF.pdf_string("x")})),
        "active",
    ),
    "a film": (lambda: on_a_page("/RichMedia"), "active"),
    "another file": (_attached, "attached"),
}
