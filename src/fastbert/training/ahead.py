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
from fastbert.training.loss_choice import DEFAULT, TRIAL_SHARE
from fastbert.training.loss_trials import num_trials, trials_ahead
from fastbert.training.plan import Cost, Plan, estimate_cost, estimate_memory, total_steps
from fastbert.training.probe import head_first_s
from fastbert.training.start import recipe_facts
from fastbert.training.time_budget import LEAST_STEPS, Course, Fitted, fit_into

if TYPE_CHECKING:
    from fastbert.training.learner import Learner


def plan_fit(learner: Learner, options: Mapping[str, object], *, estimate: bool) -> Plan:
    """Return the plan of a fit with these options. estimate: measure a step for it; a time budget needs that anyway.

    Raises ConfigError for an unknown option or a wrong value.
    """
    given = learner.config.changed(**options)
    config, reasons = _completed(learner, given)
    valid_folds.check_fit(learner, config)
    learner.schedule(config)  # a wrong name or value is refused before anything is measured
    trials_s = 0.0
    if config.time_budget is not None:
        fitted = _within_budget(learner, given, config)
        config, reasons, trials_s = fitted.config, fitted.reasons, fitted.trials_s
    elif estimate:
        cost = estimate_cost(learner.stepper(config, keep=False), learner.data, config)
        learner.measured[config] = _course(learner, given, cost).cost.seconds(config.epochs or 0)
    return Plan(
        data=learner.data,
        config=config,
        encoder=describe_encoder(learner.encoder, learner.model),
        runtime=learner.runtime.describe(),
        steps=total_steps(config, learner.data.round_rows),
        seconds=learner.measured.get(config, 0.0),
        memory_bytes=estimate_memory(learner.stepper(config, keep=False), learner.data, config),
        reasons=(*reasons, *learner.reasons, *trials_ahead(learner, config)[1]),
        trials_s=trials_s,
    )


def _completed(learner: Learner, given: TrainConfig) -> tuple[TrainConfig, tuple[str, ...]]:
    """Return a configuration with every open choice made, and why."""
    facts = recipe_facts(learner.data, learner.model, learner.encoder, learner.head)
    config, reasons = recipe.choose(given, facts)
    if not learner.data.valid_chooses:  # nor is the mean of kept weights chosen
        config = config.changed(average=1)
    return config, reasons


def _within_budget(learner: Learner, given: TrainConfig, config: TrainConfig) -> Fitted:
    """Return what fits, measured once: what was shown is what is trained. config: given, by the recipe."""
    key = config, learner.used_s
    if key not in learner.budgeted:
        steps = num_steps(learner.data.round_rows, config.batch_size)
        learner.budgeted[key] = fitted = fit_into(_courses(learner, given, steps), steps, learner.used_s)
        # where trials do not fit "auto" becomes the default, for which this stays
        learner.budgeted[config.changed(loss=fitted.config.loss), learner.used_s] = fitted
        learner.measured[fitted.config] = fitted.seconds
    return learner.budgeted[key]


def _courses(learner: Learner, given: TrainConfig, steps_per_epoch: int) -> list[Course]:
    """Return the ways to train, each with less than the one before: all of it, without trials, without pairs."""
    config, _ = _completed(learner, given)
    cost = estimate_cost(learner.stepper(config, keep=False), learner.data, config)
    pairs = config.start == "contrastive" and not learner._epochs_done
    whole = config.epochs or 0.0  # a part of the pairs teaches little: all of them and what comes after, or none
    courses = []
    if config.loss == "auto":  # a trial of a few steps says nothing of a loss
        least = whole if pairs else LEAST_STEPS / TRIAL_SHARE / steps_per_epoch
        courses = [replace(_course(learner, given, cost), extra="trials of losses", least_epochs=least)]
        given = given.changed(loss=DEFAULT)
    if pairs:
        courses += [replace(_course(learner, given, cost), extra="pairs of rows", least_epochs=whole)]
        given = given.changed(start="plain")
    return [*courses, _course(learner, given, cost)]


def _course(learner: Learner, given: TrainConfig, cost: Cost) -> Course:
    """Return a way to train. given: before the recipe.    cost: of a training without anything before it."""
    config, reasons = _completed(learner, given)
    fits, (times, _) = num_trials(learner, given), trials_ahead(learner, given)
    folds = valid_folds.times_as_long(learner.data)
    each = replace(cost, before_s=_before_s(learner, config, cost))
    whole = each.times(folds * (1 + fits), folds * times)
    return Course(config, whole, trials=each.times(fits, times - 1), reasons=reasons)


def _before_s(learner: Learner, config: TrainConfig, cost: Cost) -> float:
    """Return the seconds of what a first fit does before it trains."""
    if learner._epochs_done:
        return 0.0
    if config.start == "probe":
        return head_first_s(learner)
    if config.start == "contrastive":
        return cost.epoch_s * epochs_read(learner.data.encoded("train").costs, config.batch_tokens)
    return 0.0
