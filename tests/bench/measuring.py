"""Times and rates, side by side: what is compared runs in turns, for the machine drifts."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from django.db import connections

Act = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One line of the table. `most` or `least` bounds the figure; both None: it is only told."""

    what: str
    target: str
    measured: str
    figure: float
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        return (self.most is None or self.figure <= self.most) and (
            self.least is None or self.figure >= self.least
        )


def p50s(acts: Mapping[str, Act], *, rounds: int, calls: int) -> dict[str, list[float]]:
    """The p50 of each act in each round, in milliseconds; the acts take turns within a round."""
    for act in acts.values():
        _times(act, calls)  # warm: plans, caches, prepared statements
    found: dict[str, list[float]] = {name: [] for name in acts}
    for number in range(rounds):
        for name in _turn(list(acts), number):
            found[name].append(median(_times(acts[name], calls)))
    return found


def _turn(names: list[str], number: int) -> list[str]:
    """Each round begins with another: who comes first must not matter."""
    return names if number % 2 == 0 else names[::-1]


def _times(act: Act, calls: int) -> list[float]:
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return times


def ratio(found: Mapping[str, list[float]], over: str, under: str) -> tuple[float, float, float]:
    """Median, first and third quartile of the rounds' ratios."""
    ratios = [a / b for a, b in zip(found[over], found[under], strict=True)]
    low, middle, high = quantiles(ratios, n=4, method="inclusive")
    return middle, low, high


def rates(gangs: Mapping[str, Sequence[Act]], *, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Acts a second of each gang of workers in each round; the gangs take turns."""
    for gang in gangs.values():
        at_once(gang, seconds / 2)
    found: dict[str, list[float]] = {name: [] for name in gangs}
    for number in range(rounds):
        for name in _turn(list(gangs), number):
            found[name].append(at_once(gangs[name], seconds))
    return found


def at_once(workers: Sequence[Act], seconds: float) -> float:
    """Acts a second that the workers do together, each in a process and on connections of its own."""
    connections.close_all()  # a child must not speak on its parent's
    fork = multiprocessing.get_context("fork")
    gate, counts = fork.Barrier(len(workers)), fork.SimpleQueue()

    def work(act: Act) -> None:
        try:
            for _ in range(10):
                act()
        except BaseException:
            gate.abort()  # the others need not wait for one that failed
            raise
        gate.wait(60)
        began, done = time.perf_counter(), 0
        while time.perf_counter() < began + seconds:
            act()
            done += 1
        counts.put(done / (time.perf_counter() - began))

    children = [fork.Process(target=work, args=(act,), daemon=True) for act in workers]
    for child in children:
        child.start()
    for child in children:
        child.join()
    if any(child.exitcode for child in children):
        raise RuntimeError("a client failed")
    return float(sum(counts.get() for _ in children))
