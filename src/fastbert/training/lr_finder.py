"""The learning-rate test: some steps of training at rising rates, and what the loss says of them.

After Smith 2017 (arXiv 1506.01186) in fastai's exponential form, by the steps of a fit: the same rows, optimizer,
layer decay, frozen layers and precision. The learner is put back as it was, bit for bit. How a curve is read is in
`lr_rules`; knows no terminal.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from fastbert.config import TrainConfig
from fastbert.data.batches import num_steps, training_steps
from fastbert.data.databunch import DataBunch
from fastbert.display import Block, View, number
from fastbert.errors import ConfigError, TrainingError
from fastbert.models import freezing
from fastbert.models.frozen_prefix import trained
from fastbert.models.optimizers import apply_schedule, find_optimizer, forget_misfits
from fastbert.models.schedules import make_schedule
from fastbert.option_values import check_range
from fastbert.runtime import SpareMemory, seed_everything, untouched_rng
from fastbert.training.lr_rules import STOP_FACTOR, Verdict, diverges, judge, smooth
from fastbert.training.plan import measure_epoch
from fastbert.training.shortcuts import shortcuts
from fastbert.training.step import LEAST_COUNT, Part, Stepper, training_parts

if TYPE_CHECKING:
    from fastbert.insight.review import Figure
    from fastbert.training.learner import Learner

STEPS = 100  # fastai's
LEAST_STEPS, MOST_STEPS = 20, 2000
BELOW, ABOVE = 100.0, 1000.0  # the range around the recipe's rate: five decades, 20 steps each
LEAST_RANGE = 10.0
_TABLE_ROWS = 20
_FORWARD = 1 / 3  # of a step: the pass that asks the starting weights


@dataclass(frozen=True)
class Progress:
    """How far a test is. share: of its work, from 0 to 1.    seconds: estimate for what is left.

    rate, loss: of the latest step at a rate, None before the first.
    """

    share: float
    seconds: float
    rate: float | None = None
    loss: float | None = None


@dataclass(frozen=True)
class RateTest:
    """What a test found, step by step from the lowest rate.

    losses: of each step.    start_losses: of the starting weights on the same rows.
    smoothed: losses made smooth, see `lr_rules.smooth`; the last one may not be finite.
    planned: the rate that training takes without an answer from here.
    ended: why there are no more steps.    seconds: that it took.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    start_losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    verdict: Verdict
    planned: float
    ended: str
    seconds: float

    @property
    def suggestions(self) -> dict[str, float]:
        """Return the rates by the rule that names them; {} where the curve names none."""
        return self.verdict.suggestions

    @property
    def lr(self) -> float | None:
        """Return the suggested rate: that of the preferred rule, None where there is none."""
        return None if self.verdict.preferred is None else self.suggestions[self.verdict.preferred]

    @property
    def unsure(self) -> bool:
        """Return whether the suggestion should not be trusted; `verdict.doubts` says why."""
        return bool(self.verdict.doubts)

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "lr": self.lr,
            "suggestions": dict(self.suggestions),
            "preferred": self.verdict.preferred,
            "reason": self.verdict.reason,
            "unsure": self.unsure,
            "doubts": list(self.verdict.doubts),
            "planned_lr": self.planned,
            "ended": self.ended,
            "seconds": round(self.seconds, 1),
            "rates": list(self.rates),
            "losses": list(self.losses),
            "start_losses": list(self.start_losses),
            "smoothed": list(self.smoothed),
        }

    def view(self) -> View:
        """Return the curve, the suggestions and the doubts for people."""
        chosen = np.linspace(0, len(self.rates) - 1, min(_TABLE_ROWS, len(self.rates))).round().astype(int)
        curve = tuple(
            (f"{self.rates[index]:.2g}", number(self.smoothed[index]), number(self.losses[index]))
            for index in chosen.tolist()
        )
        return View(
            (
                Block("Loss by learning rate", (self.ended,), ("rate", "smoothed", "loss of the step"), curve),
                Block("Suggestions", tuple(self._advice()), (), self._rows()),
            )
        )

    def plot(self, path: str | Path | None = None) -> Figure:
        """Return a figure of the loss over the rates, with the suggestions; write it to path if one is given.

        Raises ConfigError if the figure cannot be written, MissingExtraError without matplotlib.
        """
        from fastbert.insight.review import plot_rates  # it knows the learner, which knows this module

        return plot_rates(self, path)

    def _rows(self) -> tuple[tuple[str, ...], ...]:
        found = tuple(
            (name, f"{rate:.2g}", f"{rate / self.planned:.2g} times the plan's", "preferred" * (rate == self.lr))
            for name, rate in self.suggestions.items()
        )
        return (*found, ("plan", f"{self.planned:.2g}", "what training takes without --lr", ""))

    def _advice(self) -> Iterator[str]:
        yield self.verdict.reason
        if self.unsure:
            yield "Unsure; " + ("read the curve before you use them:" if self.suggestions else "keep the plan's rate:")
        yield from (f"- {doubt}" for doubt in self.verdict.doubts)

    def __repr__(self) -> str:
        return repr(self.view())

    def _repr_html_(self) -> str:
        return self.view()._repr_html_()


def lr_find(
    learner: Learner,
    *,
    lowest: float | None = None,
    highest: float | None = None,
    steps: int = STEPS,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    **options: object,
) -> RateTest:
    """Train for some steps at rates that rise from lowest to highest, put everything back, and suggest a rate.

    lowest, highest: of the base rate, which is what `fit(lr=)` takes: layer_decay and head_lr_factor act on it. By
        default from a hundredth to a thousand times the rate of the recipe.
    on_progress: is told first, before anything is trained, how many seconds it will take; then after each step.
    options: fields of TrainConfig for the fit to come, such as optimizer, batch_size or freeze; "gradual" is tested
        with every layer free, for so the fit goes on.
    Rows come in the order of the fit to come, epoch after epoch where there are fewer batches than steps. It ends
    early where the loss is not finite or, smoothed, is `lr_rules.STOP_FACTOR` times that of the starting weights.
    What a head of your own keeps outside parameters and buffers is not put back.
    Raises ConfigError for an option that is wrong, or that only the constructor takes.

    >>> test = learner.lr_find()        # doctest: +SKIP
    >>> learner.fit(lr=test.lr)         # doctest: +SKIP
    """
    if "lr" in options:
        raise ConfigError("lr is what is looked for.", "Give the range as lowest and highest, or drop it.")
    check_range("steps", steps, LEAST_STEPS, MOST_STEPS)
    config = learner.plan(estimate=False, **{**options, "lr": None}).config
    assert config.lr is not None  # the recipe chooses one
    low = config.lr / BELOW if lowest is None else lowest
    rates = _rates(low, config.lr * ABOVE if highest is None else highest, steps)
    planned = learner.config.lr or config.lr
    config = config.changed(epochs=1)  # frozen layers are run each time: to keep what they say pays for many epochs
    with untouched_rng(), _put_back(learner.model):
        _freeze_as_fit(learner.model, str(options.get("freeze", "")), config)
        stepper = learner.stepper(config, keep=False)
        stepper = replace(stepper, optimizer=_copied(stepper.optimizer))
        seed_everything((config.seed + learner._epochs_done) % 2**32)
        test = _Test(learner.data, stepper, config, learner._epochs_done, on_progress)
        return test.run(rates, planned)


@dataclass(frozen=True)
class _Test:
    """What a test needs. first_epoch: of the fit to come."""

    data: DataBunch
    stepper: Stepper
    config: TrainConfig
    first_epoch: int
    on_progress: Callable[[Progress], None]

    def run(self, rates_N: Sequence[float], planned: float) -> RateTest:
        """Train; leave the model to those who put it back."""
        begun, model = time.perf_counter(), self.stepper.model
        seconds = self._measure(len(rates_N))
        self.on_progress(Progress(0.0, seconds))
        with shortcuts(model, self.data, self.config, self.stepper.runtime) as kept, trained(model):
            stepper = replace(self.stepper, packed=kept.packed)
            start_N = self._start_losses(stepper, len(rates_N), seconds)
            losses_N, ended = self._train(stepper, rates_N, start_N, seconds)
        smoothed_N = smooth(losses_N, start_N, len(rates_N))
        count = len(losses_N)
        return RateTest(
            tuple(rates_N[:count]),
            tuple(losses_N),
            tuple(start_N[:count]),
            tuple(smoothed_N.tolist()),
            judge(rates_N[:count], smoothed_N, losses_N, start_N, whole=count == len(rates_N)),
            planned,
            ended,
            time.perf_counter() - begun,
        )

    def _measure(self, steps: int) -> float:
        _, per_epoch_s = measure_epoch(self.stepper, self.data, self.config)
        return per_epoch_s / num_steps(self.data.round_rows, self.config.batch_size) * steps * (1 + _FORWARD)

    def _start_losses(self, stepper: Stepper, steps: int, seconds: float) -> list[float]:
        """Return what the starting weights lose on each batch, under the dropout of its step."""
        losses = []
        with torch.no_grad():
            for number, parts in enumerate(self._batches(steps), 1):
                torch.manual_seed(parts[0].seed)  # for dropout that is not drawn by `masks_from`
                results = [stepper.loss(part) for part in parts]
                losses.append(_mean(results))
                share = number / steps * _FORWARD / (1 + _FORWARD)
                self.on_progress(Progress(share, (1 - share) * seconds))
        return losses

    def _train(
        self, stepper: Stepper, rates_N: Sequence[float], start_N: Sequence[float], seconds: float
    ) -> tuple[list[float], str]:
        """Return the loss of each step, and why there are no more."""
        losses: list[float] = []
        constant, spare = make_schedule("none", len(rates_N)), SpareMemory()
        if find_optimizer(self.config.optimizer).elementwise:
            forget_misfits(stepper.optimizer)
        if not all(map(math.isfinite, start_N)):
            return losses, "The loss is not finite before any step."
        for rate, parts in zip(rates_N, self._batches(len(rates_N)), strict=True):
            for group in stepper.optimizer.param_groups:
                group["base_lr"] = rate
            apply_schedule(stepper.optimizer, constant, len(losses))
            torch.manual_seed(parts[0].seed)
            try:
                losses.append(stepper.step(parts).loss)
            except TrainingError as error:
                return losses, f"Ended at rate {rate:.2g}. {error.message}"
            spare.after_step()
            share = (_FORWARD + len(losses) / len(rates_N)) / (1 + _FORWARD)
            self.on_progress(Progress(share, (1 - share) * seconds, rate, losses[-1]))
            smoothed = float(smooth(losses, start_N, len(rates_N))[-1])
            if diverges(smoothed, float(np.mean(start_N))):
                return (
                    losses,
                    f"Ended at rate {rate:.2g}: the smoothed loss is {STOP_FACTOR:g} times that of the start.",
                )
        return losses, "All rates of the range were tried."

    def _batches(self, count: int) -> Iterator[list[Part]]:
        """Yield the batches of the fit to come, epoch after epoch."""
        encoded, costs, config, number = self.data.encoded("train"), self.data.training_costs(), self.config, 0
        for epoch in itertools.count(self.first_epoch):
            for rows in training_steps(
                costs,
                batch_size=config.batch_size,
                batch_tokens=config.batch_tokens,
                seed=config.seed,
                epoch=epoch,
            ):
                if number == count:
                    return
                rng = np.random.default_rng([config.seed, self.first_epoch, number])  # as in `Loop`
                features = training_parts(encoded, rows, config.batch_tokens, by_token=self.data.task.by_token)
                yield self.stepper.prepare(features, rng)
                number += 1


def _rates(lowest: float, highest: float, steps: int) -> tuple[float, ...]:
    """Return rates that rise by one factor from lowest to highest. Raises ConfigError for a range that is none."""
    if not (0 < lowest and math.isfinite(highest) and highest >= LEAST_RANGE * lowest):
        raise ConfigError(
            f"The rates to try go from {lowest:g} to {highest:g}; the highest must be at least "
            f"{LEAST_RANGE:g} times the lowest, and that above 0.",
            "Drop both for a range around the rate that training would take.",
        )
    return tuple(np.geomspace(lowest, highest, steps).tolist())


def _mean(results: Sequence[tuple[torch.Tensor, float]]) -> float:
    return sum(float(loss_sum) for loss_sum, _ in results) / max(sum(count for _, count in results), LEAST_COUNT)


def _copied(optimizer: Optimizer) -> Optimizer:
    """Return a copy with a state of its own over the same parameters."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return copy.deepcopy(optimizer, {id(parameter): parameter for parameter in parameters})


def _freeze_as_fit(model: nn.Module, asked: str, config: TrainConfig) -> None:
    if asked == "encoder":
        freezing.freeze(model)
    elif asked == "none" or config.freeze == "gradual":
        freezing.unfreeze(model)


@contextlib.contextmanager
def _put_back(model: nn.Module) -> Iterator[None]:
    """Let a block train a model, and put back weights, buffers, gradients, what is trained, and modes.

    In place and not on a copy of the model: its parts may hold functions that are bound to it (hooks, a head of the
    user's own), and would go on computing with the weights of the original.
    """
    tensors = [(tensor, tensor.detach().clone()) for tensor in (*model.parameters(), *model.buffers())]
    parameters = [(one, one.requires_grad, one.grad) for one in model.parameters()]
    modes = [(module, module.training) for module in model.modules()]
    for parameter, _, _ in parameters:
        parameter.grad = None
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, before in tensors:
                tensor.copy_(before)
        for parameter, is_trained, gradient in parameters:
            parameter.requires_grad_(is_trained)
            parameter.grad = gradient
        for module, was_training in modes:
            module.training = was_training
