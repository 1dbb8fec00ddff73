"""Forms as a page holds them, and text that no page may lose."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from typing import Any

#: A value that breaks out of an attribute, of a line, of a tag.
NASTY = "\"'><script>alert(1)</script>\r\nnext & ąęó \u202e"


class Fields(HTMLParser):
    """The fields of the page's form with the proof, as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self._inside = "", False
        self.fields: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self._inside = "data-presence" in found
            self.action = found["action"] or "" if self._inside else self.action
        elif tag == "input" and self._inside:
            self.fields.append((found["name"] or "", found.get("value") or ""))

    def with_proof(self, **proof: str) -> dict[str, list[str]]:
        sent: dict[str, list[str]] = {}
        for name, value in self.fields:
            sent.setdefault(name, []).append(unescape(value))
        return sent | {name: [value] for name, value in proof.items()}


def form_of(response: Any) -> Fields:
    return Fields(response.content.decode())
