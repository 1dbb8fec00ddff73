"""Appearance and sentences: every code has a sentence in both languages, colours can be read, and
nothing in a page needs what the content security policy forbids."""

from __future__ import annotations

import ast
import gettext
import re
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation

from audit.explorer.forms import SearchForm
from audit.models import Event, Outcome
from gatekeeper import catalogue
from gatekeeper.gate import conditions, sentences, steps, widget
from gatekeeper.gate import words as presentation
from gatekeeper.models import Ticket
from staff.frame import times
from staff.frame.fragments import fill
from staff.models import Role
from tests.world import World
from tests.world.people import give_factors, give_password, sign_in

if TYPE_CHECKING:
    from tests.conftest import Connection

ROOT = Path(settings.BASE_DIR)
APPS = ("gatekeeper", "staff", "audit")
TEMPLATES = sorted(path for app in APPS for path in (ROOT / app).glob("templates/**/*.html"))
STATIC = sorted((ROOT / "staff" / "static" / "staff").iterdir())
CSS = (ROOT / "staff/static/staff/app.css").read_text("utf-8")
CATALOGUE = Path("locale/pl/LC_MESSAGES/django.po")

CODES = [(name, code) for name, codes in catalogue.CONDITIONS.items() for code in codes]
OTHERS = [(code, code) for code in catalogue.OTHER_REASONS]
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
FACTS: dict[str, object] = {
    "starts_on": AT.date(),
    "nda_version": 4,
    "nda_ends": AT,
    "ticket": "ZD-10442",
    "contact_at": AT,
    "approver": "Maria Kowal",
    "approvers": "Maria Kowal",
    "requested_at": AT,
    "expires_at": AT,
    "denial": "unclear",
    "minutes": 60,
    "open_before": AT,
    "ended_at": AT,
    "ended_by": "Maria Kowal",
    "consent_ends": AT,
    "consent": "P1",
    "verified_at": AT,
    "window_ends_at": AT,
    "categories": ["contact", "billing"],
}


def _passed(**codes: str) -> dict[str, str]:
    return dict.fromkeys(catalogue.CONDITIONS, catalogue.PASSED) | codes


# Words


@pytest.mark.parametrize(("condition", "code"), CODES + OTHERS)
@pytest.mark.parametrize("facts", [{}, FACTS], ids=["bare", "with facts"])
def test_every_code_has_a_title_and_a_sentence_in_both_languages(
    condition: str, code: str, facts: dict[str, object]
) -> None:
    said = {}
    for language in ("en", "pl"):
        with translation.override(language):
            assert conditions.title(condition)
            said[language] = sentences.sentence(code, facts)
    assert all(text.endswith(".") and "%(" not in text and "None" not in text for text in said.values())
    assert said["en"] != said["pl"], "not translated"


def test_no_words_for_codes_that_do_not_exist() -> None:
    known = {code for _condition, code in CODES + OTHERS}
    assert set(presentation.REASONS) == known
    assert set(steps.STEPS) <= known
    assert set(conditions.TITLES) == {*catalogue.CONDITIONS, *catalogue.OTHER_REASONS}


def test_a_sentence_never_shows_a_fact_that_is_not_known() -> None:
    partly = {"requested_at": AT, "approvers": "", "expires_at": None}
    assert "None" not in sentences.sentence("approval_pending", partly)


@pytest.mark.parametrize("app", APPS)
def test_the_polish_catalogue_is_complete_and_compiled(app: str) -> None:
    """The compiled file stands beside its source: a fresh machine has no msgfmt."""
    source = _source(app)
    assert "#, fuzzy" not in source
    assert "nplurals=4" in source
    with (ROOT / app / CATALOGUE).with_suffix(".mo").open("rb") as compiled:
        polish = gettext.GNUTranslations(compiled)
    wanted = dict(_messages(source))
    found = polish._catalog  # type: ignore[attr-defined]  # no public way
    assert {key: text for key, text in found.items() if key != ""} == wanted
    assert all(wanted.values())


@pytest.mark.parametrize("app", APPS)
def test_every_string_of_the_code_and_the_pages_is_in_the_catalogue(app: str) -> None:
    """What is marked in the code, however its quotes and lines run, and in the templates."""
    known = {_english(key) for key, _text in _messages(_source(app))}
    marked = _marked_in_code(ROOT / app) | _marked_in_templates(ROOT / app)
    assert marked - known == set()


def test_one_english_term_has_one_polish_term_in_all_applications() -> None:
    """Django merges the catalogues: of two words for one term, the order of applications would pick."""
    words: dict[object, set[str]] = {}
    for app in APPS:
        for key, text in _messages(_source(app)):
            words.setdefault(key, set()).add(text)
    assert {key: texts for key, texts in words.items() if len(texts) > 1} == {}


def test_roles_events_and_states_have_polish_words() -> None:
    """Words that are the same in both languages are named here."""
    same = {"import", "e-mail"}
    choices = [*Role.choices, *Event.choices, *Outcome.choices, *Ticket.State.choices]
    for code, label in choices:
        with translation.override("en"):
            english = str(label)
        with translation.override("pl"):
            assert str(label) != english or english in same, code
    with translation.override("pl"):
        assert SearchForm(words={}).fields["line"].label == "Przeszukaj dziennik"
        assert str(Role.ADMINISTRATOR.label) == "administrator systemu"


#: Written the same in both languages, or no language's.
SAME: Final = {"Gatekeeper", "PL", "EN", "English", "Polski", "E-mail", "NDA", "auto", "Plan"}


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_signing_in_and_members_pages_have_no_english_left(setup_connection: Connection) -> None:
    world = World(setup_connection)
    version = world.version()
    officer = world.member("people", language="pl")
    newcomer = world.member("consultant", language="pl")
    world.signature(officer, version=version)
    world.signature(newcomer, version=version)
    give_factors(world, officer, newcomer)
    half = Client()
    give_password(half, newcomer)
    whole = sign_in(world, officer)
    pages = [
        (Client(), reverse("sign_in") + "?lang=pl&why=session_expired"),
        (Client(), "/invitation/" + "x" * 43 + "/?lang=pl"),
        (half, reverse("sign_in_code")),
        (whole, reverse("step_up")),
        (whole, reverse("members")),
        (whole, reverse("member", args=[newcomer.number])),
        (whole, reverse("member", args=[officer.number])),
        (whole, reverse("ndas")),
        (whole, reverse("profile")),
        (whole, reverse("team")),
        (whole, reverse("entries")),  # refused
    ]
    english = _english_sentences() - SAME
    for client, address in pages:
        answer = client.get(address, follow=True)
        html = answer.content.decode()
        assert '<html lang="pl"' in html, address
        left = english & {unescape(text).strip() for text in re.findall(r">([^<>]+)<", html)}
        assert left == set(), address


def _english_sentences() -> set[str]:
    """All that the catalogues translate, as it reads in English."""
    keys = {_english(key)[1] for app in APPS for key, _text in _messages(_source(app))}
    polish = {text for app in APPS for _key, text in _messages(_source(app))}
    return keys - polish


def _source(app: str) -> str:
    return (ROOT / app / CATALOGUE).read_text("utf-8")


def _english(key: object) -> tuple[str, str]:
    """In: a compiled catalogue's key. Out: (context, message)."""
    text = key[0] if isinstance(key, tuple) else key
    context, sign, message = str(text).rpartition("\x04")
    return (context if sign else "", message)


#: The position of the message, and of its context, in each function's arguments.
MARKS: Final = {
    "_": (0, None),
    "gettext": (0, None),
    "gettext_lazy": (0, None),
    "ngettext": (0, None),
    "pgettext": (1, 0),
    "pgettext_lazy": (1, 0),
    "npgettext": (1, 0),
}


def _marked_in_code(folder: Path) -> set[tuple[str, str]]:
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
                message, context = MARKS[node.func.id]
                texts = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
                found.add((str(texts[context]) if context is not None else "", str(texts[message])))
    return found


def _marked_in_templates(folder: Path) -> set[tuple[str, str]]:
    """`translate` alone; a block's message is made by Django, and found by the pages' test."""
    tag = r"""{%\s*translate (?:"([^"]*)"|'([^']*)')(?: context (?:"([^"]*)"|'([^']*)'))?"""
    return {
        (found[3] or found[4] or "", found[1] or found[2])
        for path in folder.glob("templates/**/*.html")
        for found in re.finditer(tag, path.read_text("utf-8"))
    }


def _messages(source: str) -> list[tuple[object, str]]:
    """(key as a compiled catalogue has it, Polish) of each entry of a catalogue's source."""
    found: list[tuple[object, str]] = []
    for block in source.split("\n\n")[1:]:
        texts = {
            name: "".join(ast.literal_eval(line) for line in lines.split("\n") if line)
            for name, lines in re.findall(r'^(msg\S+) ((?:".*"\n?)+)', block, re.MULTILINE)
        }
        key = f"{texts['msgctxt']}\x04{texts['msgid']}" if "msgctxt" in texts else texts["msgid"]
        forms = [(name, text) for name, text in texts.items() if name.startswith("msgstr")]
        for place, (_name, text) in enumerate(forms):
            found.append(((key, place) if "msgid_plural" in texts else key, text))
    return found


# The widget


def test_rows_stand_in_the_order_of_the_design_and_quiet_ones_only_when_they_fail() -> None:
    held = widget.gate_view(_passed())
    assert [row.condition for row in held.rows] == [
        name for name in catalogue.CONDITIONS if name not in ("member", "account")
    ]
    blocked = widget.gate_view(_passed(member="member_suspended", account="account_erased"))
    assert [row.condition for row in blocked.rows] == list(catalogue.CONDITIONS)
    assert (held.open, blocked.open) == (True, False)


def test_a_condition_that_was_not_checked_has_failed() -> None:
    view = widget.gate_view({})
    assert not view.open
    assert {row.code for row in view.rows} == {"check_failed"}
    assert {row.state for row in view.rows} == {"unreachable"}


def test_there_is_one_step_and_it_is_the_first_that_the_viewer_can_take() -> None:
    codes = _passed(nda="nda_missing", approval="approval_missing", time=catalogue.CANNOT_START)
    view = widget.gate_view(codes, steps={"request": "/ask/"})
    assert view.next_step is not None
    assert (view.next_step.url, view.next_step.condition) == ("/ask/", "approval")
    assert (view.reason, view.missing) == ("nda_missing", 2)


def test_without_an_address_it_is_somebody_elses_turn() -> None:
    view = widget.gate_view(_passed(approval="approval_missing"))
    assert view.next_step is None
    assert next(row.state for row in view.rows if row.condition == "approval") == "others_turn"


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (catalogue.PASSED, "passed"),
        (catalogue.NOT_REQUIRED, "not_required"),
        (catalogue.CANNOT_START, "cannot_start"),
        ("approval_missing", "your_turn"),
        ("approval_pending", "others_turn"),
        ("account_erased", "final"),
        ("ticket_feed_stale", "unreachable"),
        ("check_failed", "unreachable"),
    ],
)
def test_each_of_the_seven_states_arises(code: str, state: str) -> None:
    assert widget.row_state(code, can_fix=True) == state


def test_time_left_is_never_negative() -> None:
    assert times.left_until(AT - timedelta(days=9000)) == timedelta()
    assert times.minutes_and_seconds(timedelta(minutes=101, seconds=12)) == "1:41:12"


# Colours


def _colours() -> dict[str, tuple[str, str]]:
    """Each token's colour, light and dark, from the style sheet itself."""
    pattern = r"--([\w-]+): light-dark\((#[0-9A-F]{6}), (#[0-9A-F]{6})\)"
    return {name: (light, dark) for name, light, dark in re.findall(pattern, CSS)}


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("text", "bg", 4.5),
        ("text", "surface", 4.5),
        ("text", "neutral-bg", 4.5),
        ("muted", "bg", 4.5),
        ("muted", "surface", 4.5),
        ("primary", "bg", 4.5),
        ("primary", "surface", 4.5),
        ("on-primary", "primary", 4.5),
        ("on-danger", "danger", 4.5),
        ("pass", "pass-bg", 4.5),
        ("waiting", "waiting-bg", 4.5),
        ("failed", "failed-bg", 4.5),
        ("failed", "bg", 4.5),
        ("info", "info-bg", 4.5),
        ("neutral", "neutral-bg", 4.5),
        ("revealed", "revealed-bg", 4.5),
        ("control", "bg", 3),
        ("control", "surface", 3),
        ("revealed-line", "bg", 3),
    ],
)
def test_colours_can_be_read(front: str, back: str, least: float, theme: int) -> None:
    colours = _colours()
    assert _contrast(colours[front][theme], colours[back][theme]) >= least


# What the content security policy forbids, and what a browser must not fetch or keep


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_what_the_policy_forbids(path: Path) -> None:
    text = re.sub(r"{%.*?%}", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=|<style\b|\son[a-z]+\s*=|javascript:", text, re.IGNORECASE)
    assert not re.search(r"<script\b(?![^>]*\bsrc=)", text, re.IGNORECASE)
    assert not re.search(r"https?://|\b(src|href)=\"//", text)
    assert "|safe" not in text
    assert "autoescape off" not in text


@pytest.mark.parametrize("path", STATIC, ids=lambda path: path.name)
def test_no_file_fetches_from_elsewhere_or_stores_in_the_browser(path: Path) -> None:
    text = path.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?://|url\(|@import|data:", text)
    text = text.replace("sessionStorage.removeItem(", "")  # clearing is not storing
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|innerHTML|\beval\b", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_compiles(path: Path) -> None:
    get_template(str(path).partition("/templates/")[2])


def test_every_address_that_a_template_names_exists() -> None:
    named = {name for path in TEMPLATES for name in re.findall(r"{% url '(\w+)'", path.read_text("utf-8"))}
    assert named - _names(get_resolver().url_patterns) == set()


def _names(patterns: list[URLPattern | URLResolver]) -> set[str]:
    names: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            names |= _names(pattern.url_patterns)
        elif pattern.name:
            names.add(pattern.name)
    return names


def test_what_is_filled_into_a_fragment_is_escaped_and_not_kept() -> None:
    for typed in ("<b>&", "{0.__class__}"):
        filled = fill("gatekeeper/frame/_ticket.html", number=typed)
        assert escape(typed) in filled
