"""Which words a page says, and whether they are of its language.

Three nets, each for what slips through the others: a sentence of a catalogue that has a translation; the
words without which nobody writes English; and what a page says alike in both languages.
"""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import django

PROJECT: Final = Path(__file__).resolve().parent.parent.parent
FRAMEWORK: Final = Path(django.__file__).parent
SAID_BY_ATTRIBUTE: Final = (
    "alt",
    "aria-label",
    "data-announce",
    "data-label",
    "data-soon",
    "placeholder",
    "title",
)
VOID: Final = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
#: What nobody reads, and what is no language's: code, and what somebody typed.
SILENT: Final = {"script", "style", "template", "svg", "code", "kbd", "samp", "pre", "textarea", "blockquote"}
#: Data, in whatever language they are: numbers, a revealed value, a field that holds what somebody typed.
DATA_CLASSES: Final = {"id", "revealed"}
WORD: Final = re.compile(r"[^\W\d_]{2,}")
#: No Polish sentence has them.
ENGLISH: Final = re.compile(
    r"\b(the|of|and|is|are|were|been|you|your|this|that|these|with|not|has|have|had|cannot|from|which"
    r"|must|should|would|can|does|what|when|where|who|because|after|before|only|it|its|be|an)\b",
    re.IGNORECASE,
)
#: No English sentence has them.
POLISH: Final = re.compile(
    r"\b(nie|jest|są|się|oraz|lub|przez|dla|przed|który|która|które|został|została|twój|twoje|tylko"
    r"|ale|już|może|gdy|jako|tego|przy)\b|[ąęłńśźż]",
    re.IGNORECASE,
)
#: Details of the log's entries, what a browser calls itself, addresses, numbers, codes, the log's language of
#: questions, a command with who ran it: data, and words of no language.
DATA: Final = re.compile(r"^\{.*\}$|^Mozilla/.*|\S+@\S+|\S*\d\S*|-?\w+:\w*|\S*[/_.]\S+|(?:\w+ )?\(root\)")
#: Names that are no person's: each language by itself, browsers, and who wrote an entry.
SAME: Final = (
    "English",
    "Polski",
    "polski",
    "PL",
    "EN",
    "Chrome",
    "PostgreSQL",
    "Debian",
    "Linux",
    "UTC",
    "Gatekeeper",
    "CSV",
    "demo",
    "totp",
)
PLACE: Final = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@dataclass
class Page(HTMLParser):
    """A page's language, and what it says in it: texts, and attributes that are read out or shown."""

    language: str = ""
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag == "html":
            self.language = facts.get("lang") or ""
        foreign = facts.get("lang") not in (None, self.language)
        classes = set((facts.get("class") or "").split())
        silent = self._silent or foreign or tag in SILENT or bool(classes & DATA_CLASSES)
        if not silent:
            self.said += [plain(facts.get(name) or "") for name in SAID_BY_ATTRIBUTE]
        if tag not in VOID:
            self._open.append((tag, silent))

    def handle_endtag(self, tag: str) -> None:
        while any(one == tag for one, _silent in self._open):
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(plain(data))

    @property
    def _silent(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def read(html: str) -> Page:
    """In: a page. Out: what it says, without repetition and without the empty."""
    page = Page()
    page.feed(html)
    page.said = [text for text in dict.fromkeys(page.said) if WORD.search(text)]
    return page


def plain(text: str) -> str:
    """One line, every figure a nought: a time or a count makes no other sentence."""
    return re.sub(r"\d", "0", " ".join(text.split()))


def foreign(language: str, said: Iterable[str], *, typed: Iterable[str] = ()) -> Iterator[str]:
    """What is said on pages of a language in the other one, each with the reason; `typed`: by people."""
    wrong = ENGLISH if language == "pl" else POLISH
    for text in said:
        rest = _without((*names(), *typed), text)
        if found := wrong.search(rest):
            yield f"{text!r}: the word {found[0]!r}"
        elif original := _untranslated(language, text):
            yield f"{text!r}: the catalogue's {original!r}"


def alike(english: Iterable[str], polish: Iterable[str], *, typed: Iterable[str] = ()) -> Iterator[str]:
    """What pages say alike in both languages, though it is neither data nor said alike by a catalogue."""
    for text in sorted(set(english) & set(polish)):
        rest = DATA.sub("", _without((*names(), *SAME, *typed), text))
        parts = [part for part in re.split(r"[·,:()–\u203a]+", rest) if WORD.search(part)]
        if not all(part.strip() in _said_in_both() for part in parts):
            yield text


def _without(names: Iterable[str], text: str) -> str:
    for name in names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "", text)
    return text


@cache
def names() -> tuple[str, ...]:
    """What the samples hold, and is the same in every language: names, plans, codes of languages."""
    found: dict[str, None] = {}
    for line in (PROJECT / "tests/data/staff.jsonl").read_text("utf-8").splitlines():
        name = json.loads(line)["name"]
        found |= dict.fromkeys((name, name.partition(" ")[0]))
    for line in (PROJECT / "tests/data/accounts.jsonl").read_text("utf-8").splitlines():
        account = json.loads(line)
        found |= dict.fromkeys(filter(None, (account["plan"], account["language"])))
    return tuple(found)


@cache
def _catalogue() -> dict[str, str]:
    """English → Polish, of ours and of Django's own."""
    found: dict[str, str] = {}
    folders = [
        *PROJECT.glob("*/locale/pl"),
        *FRAMEWORK.glob("conf/locale/pl"),
        *FRAMEWORK.glob("contrib/auth/locale/pl"),
    ]
    for folder in folders:
        with (folder / "LC_MESSAGES/django.mo").open("rb") as compiled:
            messages = gettext.GNUTranslations(compiled)._catalog  # type: ignore[attr-defined]  # no public way
        for key, text in messages.items():
            english = (key if isinstance(key, str) else key[0]).rpartition("\4")[2]
            if english:
                found.setdefault(english, text)
    return found


@cache
def _said_in_both() -> frozenset[str]:
    """Words of the catalogues that stand in English and in Polish sentences alike."""
    catalogue = _catalogue()
    english, polish = (
        {PLACE.sub("", text).strip() for text in texts} for texts in (catalogue.keys(), catalogue.values())
    )
    return frozenset(english & polish)


@cache
def _originals(language: str) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """What is not to be said on pages of the language: whole sentences, and those with places in them."""
    catalogue = _catalogue()
    wrong, right = (
        (catalogue.keys(), catalogue.values()) if language == "pl" else (catalogue.values(), catalogue.keys())
    )
    allowed = {plain(text) for text in right}
    whole = {plain(text): text for text in wrong if plain(text) not in allowed and not PLACE.search(text)}
    with_places = []
    for text in wrong:
        words = WORD.findall(PLACE.sub("", text))
        if PLACE.search(text) and len(words) > 1:
            parts = (re.escape(plain(part)) for part in PLACE.split(text))
            with_places.append((re.compile(r"\s*.*?\s*".join(parts)), text))
    return whole, with_places


@cache
def _untranslated(language: str, text: str) -> str:
    whole, with_places = _originals(language)
    if text in whole and len(WORD.findall(text)) > 1:
        return whole[text]
    return next((original for pattern, original in with_places if pattern.fullmatch(text)), "")
