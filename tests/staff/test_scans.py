"""A scan of paper opens, whatever made it; what signs elsewhere may bring files, and no programs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from staff.nda.documents import examination
from staff.nda.documents.uploaded import LARGEST, SENTENCES, scan_problem, verdict
from tests.world import scans
from tests.world.authority import Authority, plain_pdf
from tests.world.harmful import bomb, in_a_circle, nested

pytestmark = pytest.mark.pdf

TAKEN: dict[str, Callable[[], bytes]] = {
    "a page": plain_pdf,
    "many pages": lambda: scans.of_pages(examination.PAGES),
    "a mark before it": lambda: b"\xef\xbb\xbf" + plain_pdf(),
    "much before it": lambda: b"x" * examination.BEFORE + plain_pdf(),
    "a link": lambda: scans.with_entry("/OpenAction", scans.action("/URI", URI=scans.PDF.pdf_string("x"))),
    "a later state": lambda: scans.with_entry("/Lang", scans.PDF.pdf_string("pl")),
}


#: What pyHanko signs: a form with a program and names in disguise it does not.
SIGNABLE = ("a script", "a program that is started", "a form that is sent", "a film")


@pytest.mark.parametrize("name", TAKEN)
def test_a_scan_that_opens_is_taken(name: str) -> None:
    assert scan_problem(TAKEN[name]()) == ""


@pytest.mark.parametrize("make", [bomb, in_a_circle, nested])
def test_a_file_without_end_is_refused_in_bounded_time(make: Callable[[], bytes]) -> None:
    assert scan_problem(make()) in {str(SENTENCES[code]) for code in ("unreadable", "too_long")}


def test_a_file_beyond_the_bound_is_not_examined() -> None:
    assert scan_problem(b"%PDF-" + bytes(LARGEST)) == str(SENTENCES["too_large"])


@pytest.mark.parametrize("name", SIGNABLE)
def test_what_acts_by_itself_is_no_signed_agreement_either(settings: Settings, name: str) -> None:
    authority = Authority()
    settings.TRUST_ROOTS = authority.root.pem
    make, _code = scans.REFUSED[name]
    assert verdict(authority.certify("Jan").sign(make())).code == "active"


def test_a_signed_agreement_may_bring_files(settings: Settings) -> None:
    authority = Authority()
    settings.TRUST_ROOTS = authority.root.pem
    make, _code = scans.REFUSED["another file"]
    assert verdict(authority.certify("Jan").sign(make())).ok
