"""Time: durations as people write them, the deadline of a search, and how long a trial will take by those before it.

Knows nothing of studies or models.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from statistics import median

from fastbert.errors import ConfigError

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
SLOWER = 1.25  # a trial against the estimate of its plan, before any was measured: loading, evaluation, the last steps
SPREAD = 1.1  # a trial against those alike before it
Clock = Callable[[], float]


def parse_duration(text: str | float, option: str) -> float:
    """Return seconds. Text without a unit is seconds. Raises ConfigError for anything that is no time above 0.

    >>> parse_duration("20m", "timeout"), parse_duration("1h30m", "timeout"), parse_duration("20ms", "max_latency")
    (1200.0, 5400.0, 0.02)
    """
    written = str(text).strip().lower()
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d)", written)
    if re.fullmatch(r"\d+(\.\d+)?", written):
        seconds = float(written)
    elif parts and re.fullmatch(r"(\d+(\.\d+)?\s*(ms|min|s|m|h|d)\s*)+", written):
        seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    else:
        raise ConfigError(
            f"{option} is '{text}', which is no time.", "Write a number with a unit: 20ms, 90s, 20m, 1h30m."
        )
    if not 0 < seconds < 1e9:
        raise ConfigError(f"{option} is '{text}'; it must be above 0.", "Write a number with a unit: 20ms, 90s, 20m.")
    return seconds


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
