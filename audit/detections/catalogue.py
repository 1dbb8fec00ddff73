"""Which rules there are, by name, and what they say of entries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from audit.models import Flag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit.detections.known import Rule


def rules() -> tuple[Rule, ...]:
    """Every rule, in the order in which they are shown, with the thresholds of the settings.

    Raises ImproperlyConfigured where the settings name a rule or a threshold that there is not.
    """
    changed: dict[str, dict[str, int]] = settings.DETECTION_THRESHOLDS
    found: list[Rule] = [one for path in settings.DETECTION_RULES for one in import_string(path)]
    known = {(one.name, name) for one in found for name in one.thresholds}
    for name, thresholds in changed.items():
        for threshold in thresholds:
            if (name, threshold) not in known:
                raise ImproperlyConfigured(f"DETECTION_THRESHOLDS: there is no {name}.{threshold}")
    return tuple(replace(one, thresholds={**one.thresholds, **changed.get(one.name, {})}) for one in found)


def rule(name: str) -> Rule | None:
    """The rule of this name; None where there is none (any more)."""
    return next((one for one in rules() if one.name == name), None)


def words(entries: Iterable[int]) -> dict[int, list[str]]:
    """Why entries were flagged: for each that is flagged, its rules' words, in the rules' order."""
    titles = {one.name: one.title() for one in rules()}
    place = {name: number for number, name in enumerate(titles)}
    found: dict[int, list[str]] = {}
    for entry, name in Flag.objects.filter(entry__in=list(entries)).values_list("entry", "rule"):
        found.setdefault(entry, []).append(name)
    return {
        entry: [titles.get(name, name) for name in sorted(names, key=lambda one: place.get(one, len(place)))]
        for entry, names in found.items()
    }
