"""What is typed in a command line, and cannot be meant."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from audit import arguments
from audit.explorer.moments import moment

if TYPE_CHECKING:
    from tests.world.log import Log


def test_bytes_that_are_no_text_become_a_letter_that_can_be_stored() -> None:
    assert arguments.text("K-\udcff ż") == "K-\ufffd ż"


@pytest.mark.parametrize("argument", ["0", "-1", "9" * 20, "", "x", "9" * 5000])
def test_what_numbers_no_entry_is_refused(argument: str) -> None:
    with pytest.raises(ArgumentTypeError):
        arguments.entry_number(argument)


def test_the_numbers_of_entries() -> None:
    assert [arguments.entry_number(each) for each in ("1", str(2**63 - 1))] == [1, 2**63 - 1]


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_moment_beyond_all_years_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=text[:10]):
        moment(text)


@pytest.mark.parametrize("path", ["/dev/zero", "/", "/nowhere/at/all"])
def test_a_checkpoint_that_cannot_be_read_is_said(path: str) -> None:
    with pytest.raises(CommandError, match="A checkpoint cannot be read"):
        arguments.checkpoints([Path(path)])


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize(
    ("output", "why"), [("/", "Is a directory"), ("/dev/full", "No space left on device")]
)
def test_a_bundle_that_cannot_be_written_is_said(log: Log, output: str, why: str) -> None:
    [entry, *_more] = log.sealed(1)
    with pytest.raises(CommandError, match=why):
        call_command("prove", entry, output=Path(output))


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_period_of_one_entry_is_refused(log: Log) -> None:
    [entry, *_more] = log.sealed(1)
    with pytest.raises(CommandError, match="go with --account"):
        call_command("prove", entry, since=moment("2026-01-01"))
