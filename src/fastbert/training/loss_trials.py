"""The loss "auto" made a choice: what trials it takes, what they cost, and running them.

Changes a learner's loss and nothing else of it: the model that it trains afterwards is the one that it would have
trained had that loss been asked for. Knows nothing of how scores are judged (`loss_choice`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from fastbert.config import TrainConfig
from fastbert.display import Block, View
from fastbert.training import recipe
from fastbert.training.loss_choice import DEFAULT, TRIAL_SHARE, announce, judge, losses_tried, trial_config, with_loss
from fastbert.training.start import recipe_facts

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
    from fastbert.training.trials import run_trials  # here: it trains learners, which import this module

    def begin(what: str) -> None:
        on_view(View((Block(f"Trial: loss {what}"),)))
        tell(f"trial: loss {what}")

    def tell(part: str) -> None:
        for callback in learner.callbacks:
            callback.on_part(part)

    data, task = learner.data, learner.data.task
    seconds = learner.plan(estimate=False, **options).seconds
    configs = _trial_configs(learner, learner.config.changed(**options))
    trials = run_trials(data, configs, head=learner.head, callbacks=learner.callbacks, on_fit=begin)
    ratio = task.imbalance(data.examples("train"))
    choice = judge(task, ratio, trials.num_splits, trials.answers, trials.examples)
    on_view(choice.view())
    learner.data, learner.config, reasons = with_loss(data, learner.config.changed(loss=choice.kept))
    learner.reasons = (choice.describe(), *reasons)
    learner.facts["loss_choice"] = choice.to_json()
    learner.measured[learner.plan(estimate=False, **options).config] = seconds  # as shown, trials included
    tell(f"training: loss {choice.kept}")
    return learner


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


def _trial_configs(learner: Learner, config: TrainConfig) -> dict[str, TrainConfig]:
    """Return the configuration of each trial: the recipe chooses the epochs of the whole training with that loss."""
    found = {}
    for name in losses_tried(learner.data.task):
        data, with_name, _ = with_loss(learner.data, config.changed(loss=name))
        facts = recipe_facts(data, learner.model, learner.encoder, learner.head)
        found[name] = trial_config(config, name, recipe.choose(with_name, facts)[0].epochs or 0.0)
    return found
