"""The handler between the WSGI server and Django, and how it reads what was sent."""

from __future__ import annotations

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class Request(WSGIRequest):
    """One whose text is UTF-8, as all our pages are, whatever encoding its type names.

    It may name any of Python's, some of which are no text at all or make half characters; Django would
    fail with them before any middleware is asked.
    """

    @property
    def encoding(self) -> str:
        """Always the same."""
        return "utf-8"

    @encoding.setter
    def encoding(self, named: str) -> None:
        """Nobody's word counts."""


class Handler(WSGIHandler):
    """Django's, with requests of ours."""

    request_class = Request
