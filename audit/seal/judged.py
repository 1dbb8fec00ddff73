"""Judgements of leaves, in the order of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.seal import judging

if TYPE_CHECKING:
    from collections.abc import Iterator


class Leaves:
    """Judgements of leaves, up to a place and then on."""

    def __init__(self, judgements: Iterator[judging.Judgement]) -> None:
        self._judgements = judgements
        self._held: judging.Judgement | None = None

    def before(self, end: int) -> Iterator[judging.Judgement]:
        """Those of places before `end`; the first that is not is kept for the next call."""
        if self._held is not None:
            if self._held[0] >= end:
                return
            yield self._held
            self._held = None
        for judgement in self._judgements:
            if judgement[0] >= end:
                self._held = judgement
                return
            yield judgement

    def rest(self) -> Iterator[judging.Judgement]:
        """All that remain."""
        if self._held is not None:
            yield self._held
        yield from self._judgements
