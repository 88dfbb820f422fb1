"""Which loss suits rare labels: short trainings say so, and the default stays unless another is better than chance.

Knows the names of losses and the scores of their trials; nothing of how a loss is computed or a model is trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.display import Block, View, number
from fastbert.tasks.base import Example, Prediction, Task
from fastbert.training.kept import MARGIN

DEFAULT = "default"
LEAST_RATIO = 5.0  # a choice of ours: from here on a label is called rare
TRIAL_SHARE = 1 / 3  # of the epochs of a whole training, with a schedule of its own; a trial of each costs 4/3 of one


@dataclass(frozen=True)
class LossChoice:
    """The scores of trials with each loss on the same rows, which none was trained on.

    scores: the monitored one; a loss of which the rows leave it undefined is missing.
    errors: standard error of the difference to the default.    collapsed: losses whose answers are all the same.
    ratio: what `Task.imbalance` says of the training rows.
    """

    monitor: str
    ratio: float
    num_splits: int
    num_rows: int
    scores: Mapping[str, float]
    errors: Mapping[str, float]
    collapsed: tuple[str, ...] = ()

    @property
    def kept(self) -> str:
        """Return the best loss that gains more than two standard errors on the default, else the default.

        One that has collapsed is not taken; where the default has, the best of the others is.
        """
        able = [
            name
            for name, score in self.scores.items()
            if name not in (DEFAULT, *self.collapsed)
            and math.isfinite(score)
            and (DEFAULT in self.collapsed or self._gain(name) > MARGIN * self.errors.get(name, 0.0))
        ]
        return max(able, key=self.scores.__getitem__, default=DEFAULT)

    def describe(self) -> str:
        """Return the verdict as a sentence."""
        on = f"{self.num_rows:,} rows held out" + (f" in {self.num_splits} splits" if self.num_splits > 1 else "")
        kept, default = self.kept, number(self.scores.get(DEFAULT))
        others = ", ".join(f"{name} {number(score)}" for name, score in self.scores.items() if name != DEFAULT)
        said = f"{self.monitor} of the trials on {on}: default {default}, {others}"
        if kept == DEFAULT:
            why = "no other gains more than two standard errors of the difference"
            if DEFAULT in self.collapsed:
                why = "none of the trials told the rows apart"
        elif DEFAULT in self.collapsed:
            why = "by default all rows got the same answer"
        else:
            why = f"its gain exceeds two standard errors of the difference, {number(MARGIN * self.errors[kept])}"
        return f"loss {kept}: {why}; {said}"

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "kept": self.kept,
            "monitor": self.monitor,
            "ratio": round(self.ratio, 3),
            "splits": self.num_splits,
            "rows": self.num_rows,
            "scores": dict(self.scores),
            "errors": dict(self.errors),
            "collapsed": list(self.collapsed),
            "verdict": self.describe(),
        }

    def view(self) -> View:
        """Return the scores of all trials, for people."""
        rows = tuple(
            (
                name,
                number(self.scores.get(name)),
                "" if name == DEFAULT else number(self._gain(name)),
                "" if name == DEFAULT else number(MARGIN * self.errors.get(name, 0.0)),
                "the same answer for all rows" if name in self.collapsed else "kept" if name == self.kept else "",
            )
            for name in dict.fromkeys((*self.scores, *self.collapsed))
        )
        headers = ("loss", self.monitor, "gain", "2 errors of it", "")
        return View((Block("Losses tried", (self.describe(),), headers, rows),))

    def _gain(self, name: str) -> float:
        gain = self.scores.get(name, math.nan) - self.scores.get(DEFAULT, math.nan)
        return gain if math.isfinite(gain) else -math.inf


def with_loss(data: DataBunch, config: TrainConfig) -> tuple[DataBunch, TrainConfig, tuple[str, ...]]:
    """Return the data with the task whose loss is asked for, the configuration, and what was decided in sentences.

    "auto" becomes "default" where there is nothing to compare; else it stays, with the default task, until the trials
    are run. Raises ConfigError for a loss that the task does not have.
    """
    if config.loss == "auto":
        why = _needless(data.task, data.examples("train"))
        return data, config.changed(loss=DEFAULT) if why else config, (f"loss default: {why}",) if why else ()
    if config.loss == DEFAULT:
        return data, config, ()
    found = replace(data, task=data.task.with_loss(config.loss, data.examples("train")))
    return found, config, _repetition(found)


def losses_tried(task: Task) -> tuple[str, ...]:
    """Return the losses that "auto" compares."""
    return (DEFAULT, *task.tried_losses)


def trial_config(config: TrainConfig, loss: str, epochs: float) -> TrainConfig:
    """Return the configuration of a trial. epochs: of the whole training with that loss.

    Without a time limit of its own: trials that are cut off at different points say nothing of the losses.
    """
    return config.changed(loss=loss, epochs=epochs * TRIAL_SHARE, time_budget=None)


def announce(task: Task, ratio: float, splits: int) -> str:
    """Return what "auto" will do, as a sentence for the plan."""
    names = losses_tried(task)
    each = f" on each of {splits} splits" if splits > 1 else ""
    return (
        f"loss auto: the rarest label is {ratio:.0f} times as rare; {', '.join(names[:-1])} and {names[-1]} are tried "
        f"first, in a third of the epochs{each}, and the estimate holds that"
    )


def judge(
    task: Task, ratio: float, num_splits: int, answers: Mapping[str, Sequence[Prediction]], examples: Sequence[Example]
) -> LossChoice:
    """Return the comparison of the answers of all trials. answers: to the examples, by loss."""
    scores = {name: task.score(said, examples) for name, said in answers.items()}
    return LossChoice(
        task.monitor,
        ratio,
        num_splits,
        len(examples),
        {name: found[task.monitor] for name, found in scores.items() if task.monitor in found},
        {
            name: task.score_error(said, examples, against=answers[DEFAULT])
            for name, said in answers.items()
            if name != DEFAULT
        },
        tuple(name for name, said in answers.items() if task.collapsed(said, examples)),
    )


def _repetition(data: DataBunch) -> tuple[str, ...]:
    """Return how much longer an epoch is where rows come more than once, as a sentence."""
    repeats_N = data.task.repeats(data.examples("train"))
    if repeats_N is None:
        return ()
    return (
        f"loss resampled: rows of rare labels come up to {repeats_N.max():.1f} times an epoch, "
        f"which has {sum(data.round_rows):,} rows instead of {len(repeats_N):,}",
    )


def _needless(task: Task, examples: Sequence[Example]) -> str:
    """Return why no losses are compared, or nothing."""
    if not task.tried_losses:
        return f"the task '{task.name}' has no rare labels to choose a loss for"
    ratio = task.imbalance(examples)
    if ratio < LEAST_RATIO:
        return f"the rarest label is {ratio:.1f} times as rare; from {LEAST_RATIO:g} on auto compares losses"
    return ""
