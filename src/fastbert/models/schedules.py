"""Learning-rate schedules: the factor m(t) that multiplies the learning rate of update t.

Every schedule is a pure function of progress p, warm-up w (both fractions of the run) and
cycles c. The six names of fast-bert 0.1.x keep their exact formulas (pytorch-pretrained-bert
0.6.2, `optimization.py`). Knows neither torch nor optimizers, so that the command line can
draw a schedule without them; `optimizers.apply_schedule` puts the values to use.

Three decisions where the old formulas leave a choice:

- Update 0 has p = 0, so m = 0 with any warm-up: it moves no weight. Kept, as Hugging Face does.
- From p = 1 on the last value is held. The old cosine rose again after the end.
- At p = 1 a restart schedule is at the end of its last cycle, not at the start of one more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fastbert.errors import ConfigError, did_you_mean

Curve = Callable[[float, float, float], float]  # (p, w, c) -> value; p and w are fractions of the run

WSD_DECAY = 0.2  # share of the run that decays; Haegele et al. 2024, arXiv 2405.18392, use 20 %
ONE_CYCLE_RATES = (1 / 25, 1.0, 1 / 25 / 1e4)  # start, peak, end: defaults of torch OneCycleLR
ONE_CYCLE_MOMENTA = (0.95, 0.85, 0.95)  # at the same three points, same source


@dataclass(frozen=True)
class ScheduleKind:
    """One row of SCHEDULES.

    cycles: default, None if the schedule has no cycles; min_cycles: least value allowed.
    warmup: default fraction, None if the schedule has no warm-up.
    warmup_limit: from cycles to the fraction that the warm-up must stay below.
    momentum: curve of the momentum (or beta1), None if it is not cycled.
    ends_on_last_update: p = 1 at update T-1 (torch's OneCycleLR) instead of at T.
    """

    function: Curve
    cycles: float | None
    warmup: float | None
    description: str
    min_cycles: float = 0.0
    warmup_limit: Callable[[float], float] = lambda cycles: 1.0
    momentum: Curve | None = None
    ends_on_last_update: bool = False


@dataclass(frozen=True)
class Schedule:
    """A schedule over a known number of updates; `make_schedule` fills in the defaults.

    total_steps: number of updates T; updates are counted from 0.
    warmup: below 1 a fraction of T, from 1 a number of updates, 0 none.
    cycles: 0 for a schedule without cycles.
    Raises ConfigError for an unknown name or a value out of range.

    >>> Schedule("warmup_linear", total_steps=1000, warmup=0.1).factor(50)
    0.5
    """

    name: str
    total_steps: int
    warmup: float = 0.0
    cycles: float = 0.0

    def __post_init__(self) -> None:
        kind = find_schedule(self.name)
        if self.total_steps < 1:
            raise ConfigError(
                f"A schedule over {self.total_steps} updates is not possible: at least 1 is needed.",
                "Train for more epochs, or on more examples.",
            )
        _check_cycles(self.name, kind, self.cycles)
        _check_warmup(self, kind)

    @property
    def warmup_fraction(self) -> float:
        """Return the warm-up as a fraction of all updates."""
        return self.warmup / self.total_steps if self.warmup >= 1 else self.warmup

    def factor(self, step: int) -> float:
        """Return m(step), between 0 and 1; from the last update on the final value is held."""
        kind = SCHEDULES[self.name]
        progress, warmup = self._position(kind, step)
        return kind.function(progress, warmup, self.cycles)

    def momentum(self, step: int) -> float | None:
        """Return the momentum (or beta1) of an update, None if the schedule does not cycle it."""
        kind = SCHEDULES[self.name]
        if kind.momentum is None:
            return None
        progress, warmup = self._position(kind, step)
        return kind.momentum(progress, warmup, self.cycles)

    def curve(self, num_points: int = 200) -> list[tuple[int, float]]:
        """Return up to num_points pairs (step, factor), evenly spaced from update 0 to T-1.

        >>> Schedule("warmup_linear", total_steps=4, warmup=1).curve()
        [(0, 0.0), (1, 1.0), (2, 0.6666666666666666), (3, 0.3333333333333333)]
        """
        last = self.total_steps - 1
        num_gaps = max(1, min(num_points - 1, last))
        steps = sorted({round(index * last / num_gaps) for index in range(num_gaps + 1)})
        return [(step, self.factor(step)) for step in steps]

    def _position(self, kind: ScheduleKind, step: int) -> tuple[float, float]:
        if not kind.ends_on_last_update:
            return min(step / self.total_steps, 1.0), self.warmup_fraction
        # torch's OneCycleLR lets the first phase end at update w*T - 1 and the second at T - 1.
        last = max(1, self.total_steps - 1)
        return min(step / last, 1.0), (self.warmup_fraction * self.total_steps - 1) / last


def make_schedule(name: str, total_steps: int, warmup: float | None = None, cycles: float | None = None) -> Schedule:
    """Build a schedule; what is None takes the default of its row in SCHEDULES.

    Raises ConfigError for an unknown name or a value out of range.

    >>> make_schedule("warmup_cosine", 1000)
    Schedule(name='warmup_cosine', total_steps=1000, warmup=0.1, cycles=0.5)
    """
    kind = find_schedule(name)
    if warmup is None:
        warmup = kind.warmup or 0.0
    if cycles is None:
        cycles = kind.cycles or 0.0
    return Schedule(name, total_steps, warmup, cycles)


def find_schedule(name: str) -> ScheduleKind:
    """Return the row of a schedule. Raises ConfigError that names the closest one."""
    if name not in SCHEDULES:
        raise ConfigError(
            f"Schedule '{name}' is not known; expected one of {', '.join(SCHEDULES)}.",
            did_you_mean(name, SCHEDULES) or "`warmup_linear` is the usual choice.",
        )
    return SCHEDULES[name]


def none(p: float, w: float, c: float) -> float:
    """Return 1: the learning rate never changes."""
    return 1.0


def warmup_constant(p: float, w: float, c: float) -> float:
    """Return p/w during warm-up, then 1."""
    return p / w if p < w else 1.0


def warmup_linear(p: float, w: float, c: float) -> float:
    """Return p/w during warm-up, then a straight line to 0."""
    return p / w if p < w else max((1.0 - p) / (1.0 - w), 0.0)


def warmup_cosine(p: float, w: float, c: float) -> float:
    """Return p/w during warm-up, then c periods of a cosine; c = 0.5 falls from 1 to 0 once."""
    return p / w if p < w else 0.5 * (1.0 + math.cos(2.0 * math.pi * c * (p - w) / (1.0 - w)))


def warmup_cosine_hard_restarts(p: float, w: float, c: float) -> float:
    """Return p/w during warm-up, then c falls from 1 to 0, each starting at 1 again."""
    if p < w:
        return p / w
    return _half_cosine(_place_in_cycle((p - w) / (1.0 - w), c))


def warmup_cosine_warmup_restarts(p: float, w: float, c: float) -> float:
    """Return c equal cycles, each with its own warm-up of w (of the whole run) and fall to 0."""
    w_cycle, q = w * c, _place_in_cycle(p, c)
    return q / w_cycle if q < w_cycle else _half_cosine((q - w_cycle) / (1.0 - w_cycle))


def one_cycle(p: float, w: float, c: float) -> float:
    """Return a cosine from 1/25 up to 1 during warm-up, then a cosine down to 1/250,000.

    Smith 2018, arXiv 1803.09820, in the two-phase form of torch's OneCycleLR.
    """
    return _two_cosines(p, w, ONE_CYCLE_RATES)


def one_cycle_momentum(p: float, w: float, c: float) -> float:
    """Return the momentum of `one_cycle`: 0.95 down to 0.85 while the rate rises, then back."""
    return _two_cosines(p, w, ONE_CYCLE_MOMENTA)


def wsd(p: float, w: float, c: float) -> float:
    """Return p/w during warm-up, then 1, and a straight line to 0 over the last 20 %.

    Warm-up, stable, decay: Hu et al. 2024 (MiniCPM), arXiv 2404.06395.
    """
    return p / w if p < w else min(1.0, (1.0 - p) / WSD_DECAY)


def _place_in_cycle(progress: float, cycles: float) -> float:
    place = cycles * progress % 1.0
    return 1.0 if progress >= 1.0 and place == 0.0 else place


def _half_cosine(place: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * place))


def _two_cosines(p: float, w: float, values: tuple[float, float, float]) -> float:
    start, peak, end = values
    if p < w:
        return peak + (start - peak) * _half_cosine(p / w)
    return end + (peak - end) * _half_cosine((p - w) / (1.0 - w))


def _check_cycles(name: str, kind: ScheduleKind, cycles: float) -> None:
    if kind.cycles is None:
        if cycles != 0:
            raise ConfigError(f"Schedule '{name}' has no cycles; cycles={cycles:g} was given.", "Drop cycles.")
    elif not (math.isfinite(cycles) and cycles > 0 and cycles >= kind.min_cycles):
        least = f"at least {kind.min_cycles:g}" if kind.min_cycles else "above 0"
        raise ConfigError(
            f"cycles={cycles:g} is not possible for schedule '{name}': it must be {least}.",
            f"The default is {kind.cycles:g}.",
        )


def _check_warmup(schedule: Schedule, kind: ScheduleKind) -> None:
    name, warmup = schedule.name, schedule.warmup
    if kind.warmup is None:
        if warmup != 0:
            raise ConfigError(
                f"Schedule '{name}' has no warm-up; warmup={warmup:g} was given.",
                "Use `warmup_constant` for a warm-up and a constant rate after it, or drop warmup.",
            )
        return
    if not (math.isfinite(warmup) and warmup >= 0) or (warmup > 1 and warmup != int(warmup)):
        raise ConfigError(
            f"warmup={warmup:g} is neither a fraction of the run (below 1) nor a whole number of updates.",
            f"The default of '{name}' is {kind.warmup:g}, a fraction.",
        )
    limit = kind.warmup_limit(schedule.cycles)
    if schedule.warmup_fraction >= limit:
        cycles = f" with {schedule.cycles:g} cycles" if kind.cycles is not None else ""
        raise ConfigError(
            f"warmup={warmup:g} is too long for schedule '{name}'{cycles}: it must stay below "
            f"{limit * schedule.total_steps:g} of the {schedule.total_steps} updates.",
            "Shorten it, or train for more epochs.",
        )


SCHEDULES: dict[str, ScheduleKind] = {
    "none": ScheduleKind(none, None, None, "constant"),
    "warmup_constant": ScheduleKind(warmup_constant, None, 0.1, "linear warm-up, then constant"),
    "warmup_linear": ScheduleKind(warmup_linear, None, 0.1, "linear warm-up, then linear to 0"),
    "warmup_cosine": ScheduleKind(warmup_cosine, 0.5, 0.1, "linear warm-up, then a cosine to 0"),
    "warmup_cosine_hard_restarts": ScheduleKind(
        warmup_cosine_hard_restarts, 1.0, 0.1, "linear warm-up, then cosines to 0 that start again at 1", 1.0
    ),
    "warmup_cosine_warmup_restarts": ScheduleKind(
        warmup_cosine_warmup_restarts,
        1.0,
        0.1,
        "equal cycles, each a linear warm-up and a cosine to 0",
        min_cycles=1.0,
        warmup_limit=lambda cycles: 1.0 / cycles,
    ),
    "one_cycle": ScheduleKind(
        one_cycle,
        None,
        0.3,
        "cosine up from 1/25, then cosine to almost 0; momentum the other way",
        momentum=one_cycle_momentum,
        ends_on_last_update=True,
    ),
    "wsd": ScheduleKind(
        wsd,
        None,
        0.1,
        "linear warm-up, stable, linear to 0 over the last 20 %",
        warmup_limit=lambda cycles: 1.0 - WSD_DECAY,
    ),
}
