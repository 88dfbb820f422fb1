"""Time: the deadline of a search, and how long a trial will take by those before it.

Knows nothing of studies or models.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from statistics import median

SLOWER = 1.25  # a trial against the estimate of its plan, before any was measured: loading, evaluation, the last steps
SPREAD = 1.1  # a trial against those alike before it
Clock = Callable[[], float]


@dataclass
class Budget:
    """The time of a run. timeout_s: None for no limit.    reserve_s: kept for what comes after the last trial."""

    timeout_s: float | None = None
    clock: Clock = time.monotonic
    reserve_s: float = 0.0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def spent_s(self) -> float:
        """Return the seconds since the start."""
        return self.clock() - self.started

    @property
    def left_s(self) -> float:
        """Return the seconds until the trials have to end; infinity without a limit."""
        return float("inf") if self.timeout_s is None else self.timeout_s - self.reserve_s - self.spent_s

    def fits(self, seconds: float) -> bool:
        """Return whether something that takes so long would end in time."""
        return seconds <= self.left_s


@dataclass
class Pace:
    """How long trials take, by what makes them slow or quick: seconds for each epoch, of all that was measured."""

    measured: dict[Hashable, list[float]] = field(default_factory=dict)
    ratios: list[float] = field(default_factory=list)

    def note(self, kind: Hashable, epochs: float, seconds: float, planned_s: float | None = None) -> None:
        """Learn from a trial. planned_s: what its plan had said, for the same epochs."""
        if epochs > 0:
            self.measured.setdefault(kind, []).append(seconds / epochs)
        if planned_s:
            self.ratios.append(seconds / planned_s)

    def estimate(self, kind: Hashable, epochs: float, planned_s: Callable[[], float]) -> float:
        """Return the seconds that a trial will take. planned_s: is asked only where no trial was alike."""
        if kind in self.measured:
            return median(self.measured[kind]) * epochs * SPREAD
        return planned_s() * (median(self.ratios) if self.ratios else SLOWER)
