"""What the next fit of a learner will do: its options completed by the recipe, within its time, and estimated.

Trains nothing. Knows nothing of how a plan is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from fastbert.config import TrainConfig
from fastbert.data.batches import num_steps
from fastbert.models.loading import describe_encoder
from fastbert.training import recipe, valid_folds
from fastbert.training.contrastive import epochs_read
from fastbert.training.loss_trials import num_trials, trials_ahead
from fastbert.training.plan import Cost, Plan, estimate_cost, estimate_memory, total_steps
from fastbert.training.probe import head_first_s
from fastbert.training.start import recipe_facts
from fastbert.training.time_budget import Course, fit_into

if TYPE_CHECKING:
    from fastbert.training.learner import Learner


def plan_fit(learner: Learner, options: Mapping[str, object], *, estimate: bool) -> Plan:
    """Return the plan of a fit with these options. estimate: measure a step for it; a time budget needs that anyway.

    Raises ConfigError for an unknown option or a wrong value.
    """
    given = learner.config.changed(**options)
    _, announced = trials_ahead(learner, given)
    config, reasons = _completed(learner, given)
    valid_folds.check_fit(learner, config)
    learner.schedule(config)  # a wrong name or value is refused before anything is measured
    if config.time_budget is not None:
        config, reasons = _within_budget(learner, given, config)
    elif estimate:
        learner.measured[config] = _courses(learner, given)[0].cost.seconds(config.epochs or 0)
    return Plan(
        data=learner.data,
        config=config,
        encoder=describe_encoder(learner.encoder, learner.model),
        runtime=learner.runtime.describe(),
        steps=total_steps(config, learner.data.round_rows),
        seconds=learner.measured.get(config, 0.0),
        memory_bytes=estimate_memory(learner.stepper(config, keep=False), learner.data, config),
        reasons=(*reasons, *learner.reasons, *announced),
    )


def _completed(learner: Learner, given: TrainConfig) -> tuple[TrainConfig, tuple[str, ...]]:
    """Return a configuration with every open choice made, and why."""
    facts = recipe_facts(learner.data, learner.model, learner.encoder, learner.head)
    config, reasons = recipe.choose(given, facts)
    if not learner.data.valid_chooses:  # nor is the mean of kept weights chosen
        config = config.changed(average=1)
    return config, reasons


def _within_budget(learner: Learner, given: TrainConfig, config: TrainConfig) -> tuple[TrainConfig, tuple[str, ...]]:
    """Return what fits, measured once: what was shown is what is trained. config: given, by the recipe."""
    if config not in learner.budgeted:
        steps = num_steps(learner.data.round_rows, config.batch_size)
        learner.budgeted[config] = fitted = fit_into(_courses(learner, given), steps)
        learner.measured[fitted.config] = fitted.seconds
    return learner.budgeted[config].config, learner.budgeted[config].reasons


def _courses(learner: Learner, given: TrainConfig) -> list[Course]:
    """Return the ways to train, each with less than the one before: all that is given, and without pairs of rows."""
    config, _ = _completed(learner, given)
    cost = estimate_cost(learner.stepper(config, keep=False), learner.data, config)
    if config.start != "contrastive" or learner._epochs_done:
        return [_course(learner, given, cost)]
    # a part of the pairs teaches little: all of them, and what the user set after them, or none
    pairs = _course(learner, given, cost, "pairs of rows", config.epochs or 0.0)
    return [pairs, _course(learner, given.changed(start="plain"), cost)]


def _course(learner: Learner, given: TrainConfig, cost: Cost, extra: str = "", least_epochs: float = 0.0) -> Course:
    """Return a way to train. given: before the recipe.    cost: of a training without anything before it."""
    config, reasons = _completed(learner, given)
    times, _ = trials_ahead(learner, given)
    folds = valid_folds.times_as_long(learner.data)
    whole = replace(cost, before_s=_before_s(learner, config, cost))
    whole = whole.times(folds * (1 + num_trials(learner, given)), folds * times)
    return Course(config, whole, extra, least_epochs, reasons)


def _before_s(learner: Learner, config: TrainConfig, cost: Cost) -> float:
    """Return the seconds of what a first fit does before it trains."""
    if learner._epochs_done:
        return 0.0
    if config.start == "probe":
        return head_first_s(learner)
    return cost.epoch_s * epochs_read(sum(learner.data.round_rows)) if config.start == "contrastive" else 0.0
