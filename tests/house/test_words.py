"""Words that were replaced by plain ones stand nowhere: on pages, in mails, names, comments or READMEs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: What is read: everything that a person writes here, but migrations, which stay as they ran.
KINDS: Final = (".py", ".html", ".txt", ".md", ".po", ".sql", ".js", ".css")
#: A word that is gone, and the one in its place.
GONE: Final = {
    r"[Tt]ak(?:e|es|en|ing) out (?:as|about)\b": "export",
    r"\bwaits? for you\b": "to decide, to confirm, to review",
    r"\b[Oo]dd\b": "flagged, unusual",
    r"Queued is what": "The queue holds",
    r"\b[Ff]irst look of": "First time",
    r"\b[Ll]apse(?:s|d)? (?:at|after|by|undecided)\b": "expires",
    r"\bFurther\b": "Next",
    r"\bnot open to you\b": "You don't have permission",
    r"\bgood any ?more\b": "has expired",
    r"\b[Mm]onth[’']s report\b": "monthly report",
    r"\bwent wrong here\b": "Something went wrong",
    r"\d[ \u00a0]%(?: of\b|[.,;)<\"]|$)": "5%",
    r"\bWish\b|\bgrants\.Held\b": "RequestDraft, OpenGrant",
    r"\bSilentFormatter\b|\bdies_with_us\b": "RedactingFormatter, die_with_parent",
    r"\bdecision\.(?:look|Gate)\b": "decision.evaluate, answers.Decision",
    r"\bthin_bar\b": "open_access_bar",
    r"\bjudge_officer\b|\bopens_up\b": "authorize_officer, needs_second_person",
    r"\bbegin_anew\b|\bis_so\b": "reset_returning_member, is_current",
    r"\blacks a fact is none\b": "without all its facts is rejected",
    r"\bbelieve nobody\b": "check their caller",
    r"\bso that an unknown fails\b": "so NULL counts as failure",
    r"\bDESIGN §|\bux\.md\b|\b[Aa]ttack \d": "the README of a room, or the public source",
    r"\b(?:Shorten|Narrow|Stretch)(?:,|…)": "Change… (time, data, how often)",
    r"\bshut_(?:ticket|all|named|out)\b|\bshuts_out\b|\b(?:is|was)_shut\b": "block, locked",
    r"\b(?:proofs? of|prov(?:e|es|ed|ing)) presence\b|\b[Pp]resence proved\b": "step-up",
    r"\bpeople\.officer\b": "people.authorize",
    r"\b(?:audit|gatekeeper)\.odd_": "detect_",
    r"\.said\(\)|\bclass Said\b|^    matters:": "title, rationale, Remark",
    r"(?<!ndas/)\bpapers\b": "documents",
    r"\bnda\.seal\b|\bdocuments\.sealing\b|\bnew_seal\b|\bclass Seal\b": "signing_key, pdf_signing",
    r"\bsealed_key\b|\btyped_texts\.seal\b|ring\(\)\.seal\b": "encrypted_key, encrypt",
    r"\bclass _?Standing\b|\bstanding_at\b|\bdef standing\b|\.standing\(": "inclusion_status, backlog",
    r"\.told\(\)|\bclass Told\b|\bstaff\.told\b|\bToldToStop\b|\bTOLD_EACH\b": "payload, describe",
    r"\btell_(?:approvers|of_|deciders|all|as_one)|\bmails\.tell\b": "notify",
    r"\b[Mm]embers? (?:is|are) asked\b|\bauthority is told\b|\btold by mail\b": "notified",
    r"\bAHEAD\b|\b_?is_ahead\b": "PREFETCH_HEADERS, CLOCK_TOLERANCE, in the future",
    r"(?:THEN|:=|==) ['\"]again['\"]": "stale_key",
    r"\bwords\.later\b|\b_refused_later\b": "refusal_note",
    r"\b_cells\b|\binstallation[./]generate\b": "csv, secrets",
    r"\bas stranger\b": "verify_bundle",
    r"\bwish\b|\bWISH\b|\bwishes\b": "draft, options",
    r"\basked_at\b|\bclass _?Asked\b|\basked_beside\b": "requested_at, RequestResult",
    r"\bHeldUp\b|\bheld_up\b|\b(?:grants|desk|live)\.held\b": "Delay, sealing_delays, open_grants",
    r"\bclass Look\b|\blinks\.Look\b|\blook_(?:in|of)\b": "LogView, load_locked_session",
    r"\blapses_at\b|\blapse_(?:requests|proposals|suspensions)\b|_\(\"[Ll]apsed\"\)": "expires_at, expired",
    r"\bsave (?:for|that|where|by)\b": "except",
    r"[,;] for (?:it|they|he|she|we|there) (?!who\b|that\b|alone\b)": "because",
    r"\bwhich it had not\b": "say what was missing",
    r"\banew\b": "again",
    r"\bheard_at\b|\bworld\.heard\b|\b(?:last|was|[Nn]ever) heard\b": "contact_at, the last contact",
    r"[.\"]shut\b(?! )|\bshut_categories\b|\bOUT shut\b": "blocked",
    r"pgettext_lazy\(\"event\", \"opening\"\)|\bn\.ahead\b": "access opened, next_horizon",
}
#: Where such a word is no sentence's, and why.
ALLOWED: Final = {
    r"'heard_at', f\.contact_at": "a key of entries that were written before",
    r"odd:|[\"'(]odd[\"'.:]|odd\.[a-z*{]": "a token of the search and thresholds, which stay",
}


def written() -> list[Path]:
    """Every file that a person writes."""
    names = subprocess.run(
        ["git", "ls-files"],  # noqa: S607  # git as the tests' machine has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    paths = [ROOT / name for name in names if name.endswith(KINDS) and "/migrations/" not in name]
    return [path for path in paths if path != Path(__file__).resolve()]


def found(pattern: str, text: str) -> list[str]:
    """The lines in which a word stands that is gone; Polish has its own."""
    allowed = re.compile("|".join(ALLOWED))
    return [
        line
        for line in text.splitlines()
        if re.search(pattern, line) and not line.startswith("msgstr") and not allowed.search(line)
    ]


@pytest.mark.parametrize("pattern", GONE)
def test_a_word_that_was_replaced_is_gone(pattern: str) -> None:
    left = {
        (str(path.relative_to(ROOT)), line.strip())
        for path in written()
        for line in found(pattern, path.read_text("utf-8"))
    }
    assert not left, f"say it so: {GONE[pattern]}"


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (r"\bwaits? for you\b", "2 requests wait for you"),
        (r"\b[Oo]dd\b", "# What is odd in the log"),
        (r"\btell_(?:approvers|of_|deciders|all|as_one)|\bmails\.tell\b", "    mails.tell(member, template)"),
        (r"(?:THEN|:=|==) ['\"]again['\"]", "WHEN v.wrapped_key IS DISTINCT FROM l.wrapped_key THEN 'again'"),
        (r"\bpeople\.officer\b", "    reason = people.officer(caller, 'sign')"),
        (r"\d[ \u00a0]%(?: of\b|[.,;)<\"]|$)", "at most 5 % of a week"),
    ],
)
def test_a_word_that_comes_back_is_found(pattern: str, line: str) -> None:
    assert pattern in GONE
    assert found(pattern, line) == [line]
