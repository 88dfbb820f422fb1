"""A training that has to end in time: what fits, by the seconds of a measured step, and a watch that keeps to it.

Knows what an epoch costs; nothing of how that is measured or of how a model is trained.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from fastbert.config import TrainConfig
from fastbert.display import duration
from fastbert.option_values import parse_duration
from fastbert.training import probe
from fastbert.training.callbacks import Callback
from fastbert.training.plan import Cost
from fastbert.training.recipe import EPOCHS, HEAD_LR_FACTORS
from fastbert.training.state import RunState

RESERVE = 0.1  # of the budget, for an estimate that was too low, and for fitting the decision rule
LEAST_STEPS = 50  # with fewer, a frozen encoder under a trained head is the better model (LOG 2026-11-30)


def fit_into(config: TrainConfig, cost: Cost, steps_per_epoch: int, times: float = 1.0) -> tuple[TrainConfig, str]:
    """Return the configuration that ends in the time budget, and why, a sentence; as it is where there is none.

    config: as the recipe completes it.    times: how many times as long it takes with what is tried before.
    Pairs of rows are left out where they do not fit. Fewer epochs are taken where all do not fit, and the head alone on
    a frozen encoder where hardly a step does.
    """
    if config.time_budget is None:
        return config, ""
    budget_s = parse_duration(config.time_budget, "time_budget")
    usable_s, planned = budget_s * (1 - RESERVE) / times, config.epochs or 0.0
    said = f"in the time budget of {config.time_budget}"
    if cost.seconds(planned) <= usable_s:
        return config, f"{planned:g} epoch{'s fit' if planned != 1 else ' fits'} {said}"
    if config.start == "contrastive":  # a part of the pairs teaches little
        factor = HEAD_LR_FACTORS.get(config.optimizer, 1.0)
        plain = config.changed(start="plain", epochs=EPOCHS[1], head_lr_factor=factor)
        chosen, why = fit_into(plain, cost, steps_per_epoch)
        return chosen, f"pairs of rows do not fit {said}; {why}"
    epochs = int(100 * max(0.0, usable_s - cost.once_s) / cost.epoch_s) / 100
    if epochs * steps_per_epoch >= LEAST_STEPS or config.freeze != "none":
        epochs = max(epochs, 0.01)
        return config.changed(epochs=epochs), f"{epochs:g} epochs instead of {planned:g} fit {said}"
    head = config.changed(
        freeze="encoder", start="plain", epochs=probe.EPOCHS, lr=probe.LR, head_lr_factor=1.0, r_drop=0.0, ema=0.0
    )
    words = f"{said} there are {epochs * steps_per_epoch:.0f} steps: the head alone is trained, on the frozen encoder"
    if cost.forward_s > usable_s:
        words += f", and even that may take longer, about {duration(cost.forward_s)}"
    return head, words


class TimeLimit(Callback):
    """Asks to stop when a further step and an evaluation would pass the time budget of the run.

    seconds: from the first step on.    clock: of seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._limit, self._clock = seconds, clock
        self._start = self._last = self._step_s = self._evaluation_s = 0.0

    def on_start(self, state: RunState) -> None:
        """Start the watch."""
        self._start = self._last = self._clock()

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


def time_limits(config: TrainConfig) -> list[Callback]:
    """Return the watch over a fit, if the configuration has a time budget."""
    return [] if config.time_budget is None else [TimeLimit(parse_duration(config.time_budget, "time_budget"))]
