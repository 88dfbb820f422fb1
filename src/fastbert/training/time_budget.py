"""A training that has to end in time: what fits, by the seconds of a measured step, and a watch that keeps to it.

Knows what an epoch costs; nothing of how that is measured or of how a model is trained.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastbert.config import TrainConfig
from fastbert.display import duration
from fastbert.option_values import parse_duration
from fastbert.training import probe
from fastbert.training.callbacks import Callback
from fastbert.training.plan import Cost
from fastbert.training.state import RunState

RESERVE = 0.1  # of the budget, for an estimate that was too low, and for fitting the decision rule
LEAST_STEPS = 50  # with fewer, a frozen encoder under a trained head is the better model (LOG 2026-11-30)


@dataclass(frozen=True)
class Course:
    """A way to train. config: as the recipe completes it.    cost: with all that comes before it.

    trials: the part of the cost that trials of losses have.    reasons: for the choices of the recipe.
    extra: what it does beyond the next course, which is taken where fewer than least_epochs fit.
    """

    config: TrainConfig
    cost: Cost
    trials: Cost = Cost(0.0, 0.0)
    extra: str = ""
    least_epochs: float = 0.0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fitted:
    """What ends in time. seconds: estimated, of all of it, and of the trials in it.

    reasons: of the course, and why it was taken.
    """

    config: TrainConfig
    seconds: float
    trials_s: float
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, course: Course, config: TrainConfig, why: str = "") -> Fitted:
        """Return a course with its configuration changed to fit."""
        epochs, alone = config.epochs or 0.0, config.freeze != course.config.freeze
        seconds = course.cost.forward_s if alone else course.cost.seconds(epochs)
        trials_s = course.trials.seconds(epochs)
        return cls(config, seconds, trials_s, (*course.reasons, why) if why else course.reasons)


def fit_into(courses: Sequence[Course], steps_per_epoch: int, used_s: float = 0.0) -> Fitted:
    """Return what ends in the time budget; the first course as it is where there is none.

    courses: each does less than the one before. The first is taken of which enough epochs fit, in so many epochs; of
    the last one the head alone, on a frozen encoder, where hardly a step fits.
    used_s: of the budget, by trials that were run.
    """
    first = courses[0]
    if first.config.time_budget is None:
        return Fitted.of(first, first.config)
    usable_s = parse_duration(first.config.time_budget, "time_budget") * (1 - RESERVE) - used_s
    said = f"in {'what the trials left of ' if used_s else ''}the time budget of {first.config.time_budget}"
    left_out = ""
    for course in courses:
        planned = course.config.epochs or 0.0
        if course.cost.seconds(planned) <= usable_s:
            why = f"{left_out}{planned:g} epoch{'s fit' if planned != 1 else ' fits'} {said}"
            return Fitted.of(course, course.config, why)
        epochs = int(100 * max(0.0, usable_s - course.cost.seconds(0)) / course.cost.epoch_s) / 100
        if epochs >= course.least_epochs:
            break
        left_out += f"{course.extra} do not fit {said}; "
    shorter, why = _shortened(course.config, epochs, steps_per_epoch, said)
    if shorter.freeze != course.config.freeze and course.cost.forward_s > usable_s:
        why += f", and even that may take longer, about {duration(course.cost.forward_s)}"
    return Fitted.of(course, shorter, left_out + why)


def _shortened(config: TrainConfig, epochs: float, steps_per_epoch: int, said: str) -> tuple[TrainConfig, str]:
    """Return a configuration with as many epochs as fit, or of the head alone, and why. said: into what they fit."""
    if epochs * steps_per_epoch >= LEAST_STEPS or config.freeze != "none":
        epochs = max(epochs, 0.01)
        return config.changed(epochs=epochs), f"{epochs:g} epochs instead of {config.epochs:g} fit {said}"
    head = config.changed(
        freeze="encoder", start="plain", epochs=probe.EPOCHS, lr=probe.LR, head_lr_factor=1.0, r_drop=0.0, ema=0.0
    )
    words = f"{said} there are {epochs * steps_per_epoch:.0f} steps: the head alone is trained, on the frozen encoder"
    return head, words


class TimeLimit(Callback):
    """Asks to stop when a further step and an evaluation would pass the time budget of a fit.

    One watches all that a fit trains: what comes first leaves less for the rest.
    seconds: from now on.    clock: of seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._limit, self._clock = seconds, clock
        self._start = self._last = clock()
        self._step_s = self._evaluation_s = 0.0

    def on_start(self, state: RunState) -> None:
        """Forget how long the steps of what came before took."""
        self._last, self._step_s, self._evaluation_s = self._clock(), 0.0, 0.0

    def on_step(self, state: RunState) -> None:
        """Stop where the next step and the evaluation after it may not fit."""
        now = self._clock()
        self._step_s, self._last = max(self._step_s * 0.9, now - self._last), now
        self._stop_in_time(state)

    def on_evaluate(self, state: RunState) -> None:
        """Note how long an evaluation takes."""
        now = self._clock()
        self._evaluation_s, self._last = max(self._evaluation_s, now - self._last), now
        self._stop_in_time(state)

    def _stop_in_time(self, state: RunState) -> None:
        needed_s = self._last - self._start + self._step_s + self._evaluation_s
        if needed_s > self._limit and state.step < state.total_steps and state.stop.reason is None:
            state.stop.ask("the time budget is used up")


def time_limits(config: TrainConfig, used_s: float = 0.0) -> list[Callback]:
    """Return the watch over a fit that begins now, if the configuration has a time budget. used_s: of it before."""
    if config.time_budget is None:
        return []
    return [TimeLimit(parse_duration(config.time_budget, "time_budget") - used_s)]


class OutOfTime(Exception):
    """Pieces of work will not end in time. needed_s: estimated, of all."""

    def __init__(self, needed_s: float) -> None:
        super().__init__()
        self.needed_s = needed_s


class Pace:
    """Whether pieces of work that are about as long end in time, if each takes as long as the fastest so far.

    seconds: for all, from now on.    clock: of seconds.
    """

    def __init__(self, pieces: int, seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._left, self._limit, self._clock = pieces, seconds, clock
        self._start = self._last = clock()
        self._fastest_s = math.inf
        self._begun = False

    @property
    def used_s(self) -> float:
        """Return the seconds since the start."""
        return self._clock() - self._start

    def begin(self) -> None:
        """Note that the piece before has ended and the next begins. Raises OutOfTime where not all will fit."""
        now = self._clock()
        if self._begun:
            self._fastest_s = min(self._fastest_s, now - self._last)
            needed_s = now - self._start + self._left * self._fastest_s
            if needed_s > self._limit:
                raise OutOfTime(needed_s)
        self._last, self._left, self._begun = now, self._left - 1, True
