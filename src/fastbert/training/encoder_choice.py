"""Which of two encoders makes the better model of a table: the validation rows say so.

On which rows is a matter of `trials`. Knows nothing of how either encoder was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fastbert.config import TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.display import Block, View, number
from fastbert.tasks.base import Example, Prediction, Task
from fastbert.training.callbacks import Callback
from fastbert.training.kept import MARGIN
from fastbert.training.learner import Learner
from fastbert.training.trials import ENOUGH_ROWS as ENOUGH_ROWS
from fastbert.training.trials import MOST_SPLITS as MOST_SPLITS
from fastbert.training.trials import SPLIT_SHARE as SPLIT_SHARE
from fastbert.training.trials import Trials, run_trials

Which = Literal["plain", "adapted"]
WHICH: tuple[Which, Which] = ("plain", "adapted")
STAGE = "trials of encoders"
LabelScores = Mapping[str, Mapping[str, float | int | None]]


@dataclass(frozen=True)
class EncoderChoice:
    """The scores of models from both encoders on the same rows, which neither was trained on.

    num_rows: scored, over all splits.    error: standard error of the difference of the monitored scores.
    """

    monitor: str
    headlines: tuple[str, ...]
    num_splits: int
    num_rows: int
    error: float
    scores: Mapping[Which, Mapping[str, float]]
    per_label: Mapping[Which, LabelScores]

    @property
    def kept(self) -> Which:
        """Return the adapted encoder where it gains more than two standard errors, else the plain one.

        With one, one null choice in six would ship the worse model (LOG 2026-11-28).
        """
        return "adapted" if self._gain > MARGIN * self.error else "plain"

    @property
    def _gain(self) -> float:
        plain, adapted = (self.scores[which].get(self.monitor, -np.inf) for which in WHICH)
        return adapted - plain if np.isfinite(adapted) else 0.0

    def describe(self) -> str:
        """Return the verdict as a sentence."""
        plain, adapted = (number(self.scores[which].get(self.monitor)) for which in WHICH)
        on = f"{self.num_rows:,} rows held out" + (f" in {self.num_splits} splits" if self.num_splits > 1 else "")
        error = f"two standard errors of the difference, {number(MARGIN * self.error)}"
        if self.kept == "adapted":
            verdict = f"is kept, its gain exceeds {error}"
        elif self._gain > 0:
            verdict = f"is left out, its gain does not exceed {error}"
        else:
            verdict = "is not better and is left out"
        return f"the adapted encoder {verdict}: {self.monitor} {adapted}, without adaptation {plain}, on {on}"

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "kept": self.kept,
            "monitor": self.monitor,
            "splits": self.num_splits,
            "rows": self.num_rows,
            "error": self.error,
            "scores": {which: dict(self.scores[which]) for which in WHICH},
            "per_label": {which: {name: dict(row) for name, row in self.per_label[which].items()} for which in WHICH},
            "verdict": self.describe(),
        }

    def view(self) -> View:
        """Return both results, overall and per label, for people."""
        names = [name for name in self.headlines if name in self.scores["plain"]]
        rows = tuple((which, *(number(self.scores[which].get(name)) for name in names)) for which in WHICH)
        labels = tuple(
            (name, *(number(self.per_label[which].get(name, {}).get("f1")) for which in WHICH))
            for name in self.per_label["plain"]
        )
        blocks = [Block("With and without adaptation", (self.describe(),), ("encoder", *names), rows)]
        if labels:
            blocks.append(Block("F1 of each label", (), ("label", *WHICH), labels))
        return View(tuple(blocks))


def choose_encoder(
    data: DataBunch,
    config: TrainConfig,
    adapted: str,
    *,
    callbacks: Sequence[Callback] = (),
    on_fit: Callable[[str], None] = lambda what: None,
) -> tuple[EncoderChoice, Learner]:
    """Train from both encoders; return the comparison, and a learner of the data with the better one, trained.

    config: with the plain encoder.    adapted: the other one, a folder.    on_fit: is told what is trained next.
    """
    choice, learners, trials = compare_encoders(data, config, adapted, callbacks=callbacks, on_fit=on_fit)
    learner = learners.get(choice.kept)
    if learner is None:
        on_fit(f"{choice.kept} encoder, all training rows")
        encoder = adapted if choice.kept == "adapted" else config.encoder
        learner = Learner(data, config=config.changed(encoder=encoder), callbacks=callbacks).fit()
    learner.history.stages.insert(0, trials.stage(STAGE, kept=_title(choice.kept) if learners else ""))
    return choice, learner


def compare_encoders(
    data: DataBunch,
    config: TrainConfig,
    adapted: str,
    *,
    callbacks: Sequence[Callback] = (),
    on_fit: Callable[[str], None] = lambda what: None,
) -> tuple[EncoderChoice, Mapping[Which, Learner], Trials]:
    """Return the comparison, the learners if they were trained on the split of the data, and all that was trained.

    Arguments as above.
    """
    titles = {which: _title(which) for which in WHICH}
    configs = {titles["plain"]: config, titles["adapted"]: config.changed(encoder=adapted)}
    trained: dict[str, Learner] = {}
    trials = run_trials(data, configs, callbacks=callbacks, on_fit=on_fit, on_trained=trained.__setitem__)
    answers = {which: trials.answers[title] for which, title in titles.items()}
    learners = {which: trained[title] for which, title in titles.items() if trials.own_split}
    return _choice(data.task, trials.num_splits, answers, trials.examples), learners, trials


def _title(which: Which) -> str:
    return f"{which} encoder"


def _choice(
    task: Task, num_splits: int, answers: Mapping[Which, Sequence[Prediction]], examples: Sequence[Example]
) -> EncoderChoice:
    """Return the comparison of the answers of all splits together."""
    return EncoderChoice(
        task.monitor,
        task.headlines,
        num_splits,
        len(examples),
        task.score_error(answers["adapted"], examples, against=answers["plain"]),
        {which: task.score(answers[which], examples) for which in WHICH},
        {which: task.score_labels(answers[which], examples) for which in WHICH},
    )
