"""What an error may say: where it happened and of what kind, never with which values.

Messages of exceptions carry values (PostgreSQL's DETAIL, a form's text), tracebacks carry local
variables, requests carry POST bodies and query strings. None of it leaves the process here.
"""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import ItemsView
from types import TracebackType
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

# Control characters, line separators and marks of writing direction forge or hide lines of a log.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def printable(text: str) -> str:
    """Return a text on one line, each character that could forge another as its escape."""
    return UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


class RedactingFormatter(logging.Formatter):
    """One line a record; of an exception its classes and places, without any message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime  # whatever zone the pages show

    def format(self, record: logging.LogRecord) -> str:
        line = printable(self._line(record))
        error = record.exc_info[1] if record.exc_info else None
        # Whatever a stranger sends is one line: its way through the code says nothing of it.
        if error is None or isinstance(error, SuspiciousOperation):
            return line
        return line + "\n" + trace(error)

    def _line(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        return self.formatMessage(record)


def trace(error: BaseException) -> str:
    """Return an exception and its causes as classes, files, lines and functions."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"  {type(current).__module__}.{type(current).__qualname__}")
        lines += [
            f"    {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        current = current.__cause__ or current.__context__
    return "\n".join(lines)


class RedactingReporterFilter(SafeExceptionReporterFilter):
    """Drops POST, settings, headers and local variables from Django's error reports."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_safe_settings(self) -> dict[str, Any]:
        return {}

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: Any
    ) -> ItemsView[str, Any]:
        nothing: dict[str, Any] = {}
        return nothing.items()


class RedactingReporter(ExceptionReporter):
    """Reports without request (its query string is printed past any filter) and without message."""

    def __init__(
        self,
        request: HttpRequest | None,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
        is_email: bool = False,
    ) -> None:
        super().__init__(None, exc_type, None, tb, is_email)
