"""Entries as rows of a list: a page has fifty, so that each is put together from what is ready made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString
from django.utils.translation import get_language

from gatekeeper.frame import badges
from gatekeeper.log import words
from gatekeeper.log.links import LogView
from staff.frame.shown_times import stamp

if TYPE_CHECKING:
    from audit.models import Entry


def rows(
    entries: Iterable[Entry], log_view: LogView, why: Mapping[int, Sequence[str]], *, open_one: int = 0
) -> list[dict[str, object]]:
    """The places of each row's fragment (gatekeeper/log/_row.html). `why`: why which entry was flagged."""
    return [
        {
            "variant": (one.pk in why, one.pk == open_one, bool(one.member_name)),
            "url": log_view.url("entry", one.pk),
            "time": stamp(one.timestamp),
            "name": one.member_name,
            "who": one.member or one.source,
            "event": _event(one.event, get_language()),
            "account": one.account,
            "ticket": one.ticket,
            "outcome": _outcome(one.outcome, get_language()),
            "why": "; ".join(why.get(one.pk, ())),
        }
        for one in entries
    ]


@lru_cache(maxsize=256)
def _event(event: str, _language: str) -> str:
    return words.label("event", event)


@lru_cache(maxsize=64)
def _outcome(outcome: str, _language: str) -> SafeString:
    return badges.drawn(outcome)
