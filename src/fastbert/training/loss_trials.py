"""The loss "auto" made a choice: what trials it takes, what they cost, and running them.

Changes a learner's loss and nothing else of it: the model that it trains afterwards is the one that it would have
trained had that loss been asked for. Knows nothing of how scores are judged (`loss_choice`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from fastbert.config import TrainConfig
from fastbert.display import Block, View, duration
from fastbert.option_values import parse_duration
from fastbert.training import recipe
from fastbert.training.loss_choice import (
    DEFAULT,
    TRIAL_SHARE,
    LossChoice,
    announce,
    judge,
    losses_tried,
    trial_config,
    with_loss,
)
from fastbert.training.plan import Plan
from fastbert.training.start import recipe_facts
from fastbert.training.time_budget import RESERVE, OutOfTime, Pace

if TYPE_CHECKING:
    from fastbert.training.learner import Learner


def choose_loss(
    learner: Learner,
    on_view: Callable[[View], None] = lambda view: None,
    options: Mapping[str, object] = MappingProxyType({}),
) -> Learner:
    """Run the trials of a learner with the loss "auto", and give it the loss that they speak for; return it.

    Nothing happens with another loss.    on_view: is shown what is trained next, and the scores.
    options: of the fit to come.
    """
    if learner.config.loss != "auto":
        return learner
    plan = learner.plan(estimate=False, **options)
    if plan.config.loss != "auto":  # the time budget has no room for trials, as the plan says
        learner.config = learner.config.changed(loss=DEFAULT)
        return learner
    configs = _trial_configs(learner, learner.config.changed(**options), plan.config.epochs)
    pace = Pace(num_trials(learner, plan.config), _seconds_for_trials(plan))
    try:
        choice = _try(learner, configs, pace, on_view)
        kept, why = choice.kept, choice.describe()
        learner.facts["loss_choice"] = choice.to_json()
        on_view(choice.view())
    except OutOfTime as late:
        kept, why = DEFAULT, _too_slow(late.needed_s, plan.config)
        on_view(View((Block("Losses tried", (why,)),)))
    learner.used_s = pace.used_s
    learner.data, learner.config, reasons = with_loss(learner.data, learner.config.changed(loss=kept))
    learner.reasons = (*learner.reasons, why, *reasons)
    learner.measured[learner.plan(estimate=False, **options).config] = plan.seconds  # as shown, trials included
    _tell(learner, f"training: loss {kept}")
    return learner


def _try(
    learner: Learner, configs: Mapping[str, TrainConfig], pace: Pace, on_view: Callable[[View], None]
) -> LossChoice:
    """Run the trials and compare them. Raises OutOfTime as soon as they are too slow for their time."""
    from fastbert.training.trials import run_trials  # here: it trains learners, which import this module

    def begin(what: str) -> None:
        pace.begin()
        on_view(View((Block(f"Trial: loss {what}"),)))
        _tell(learner, f"trial: loss {what}")

    data, task = learner.data, learner.data.task
    trials = run_trials(data, configs, head=learner.head, callbacks=learner.callbacks, on_fit=begin)
    learner.history.stages.append(trials.stage("trials of losses"))
    ratio = task.imbalance(data.examples("train"))
    return judge(task, ratio, trials.num_splits, trials.answers, trials.examples)


def _tell(learner: Learner, part: str) -> None:
    for callback in learner.callbacks:
        callback.on_part(part)


def _seconds_for_trials(plan: Plan) -> float:
    """Return what the plan says that they take and the reserve of the time budget, if there is one."""
    if plan.config.time_budget is None:
        return math.inf
    return plan.trials_s + RESERVE * parse_duration(plan.config.time_budget, "time_budget")


def _too_slow(needed_s: float, config: TrainConfig) -> str:
    return (
        f"loss default: at the pace of those that were run, the trials would have taken {duration(needed_s)}, more "
        f"than their part of the time budget of {config.time_budget}"
    )


def trials_ahead(learner: Learner, config: TrainConfig) -> tuple[float, tuple[str, ...]]:
    """Return how many times as long a fit takes with the trials before it, and a sentence about them.

    config: before the recipe. (1, ()) with another loss than "auto".
    """
    if config.loss != "auto":
        return 1.0, ()
    from fastbert.training.trials import num_splits

    data, splits = learner.data, num_splits(learner.data) or 1
    rows = {name: _rows_read(learner, one) for name, one in _trial_configs(learner, config).items()}
    sentence = announce(data.task, data.task.imbalance(data.examples("train")), splits)
    return 1 + splits * sum(rows.values()) * TRIAL_SHARE / rows[DEFAULT], (sentence,)


def num_trials(learner: Learner, config: TrainConfig) -> int:
    """Return how many trainings come before a fit; arguments as above."""
    if config.loss != "auto":
        return 0
    from fastbert.training.trials import num_splits

    return len(losses_tried(learner.data.task)) * (num_splits(learner.data) or 1)


def _rows_read(learner: Learner, config: TrainConfig) -> float:
    data, _, _ = with_loss(learner.data, config)
    return sum(data.round_rows) * (config.epochs or 0)


def _trial_configs(learner: Learner, config: TrainConfig, epochs: float | None = None) -> dict[str, TrainConfig]:
    """Return the configuration of each trial: the recipe chooses the epochs of the whole training with that loss.

    epochs: of the default loss, where a time budget holds fewer than the recipe chooses; all have that share of theirs.
    """
    whole = {}
    for name in losses_tried(learner.data.task):
        data, with_name, _ = with_loss(learner.data, config.changed(loss=name))
        facts = recipe_facts(data, learner.model, learner.encoder, learner.head)
        whole[name] = recipe.choose(with_name, facts)[0].epochs or 0.0
    share = 1.0 if epochs is None else epochs / whole[DEFAULT]
    return {name: trial_config(config, name, found * share) for name, found in whole.items()}
