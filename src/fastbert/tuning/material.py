"""The rows that all trials share: read once, and tokenised once for each way in which texts are cut.

Knows nothing of studies or of how a trial is trained.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fastbert.config import DecisionConfig, TrainConfig
from fastbert.data.databunch import DataBunch
from fastbert.errors import ConfigError
from fastbert.tasks.base import Example
from fastbert.training.encoder_choice import ENOUGH_ROWS, MOST_SPLITS, SPLIT_SHARE
from fastbert.training.learner import Learner

Cut = tuple[str, str, int | None]  # encoder, truncation, longest input as it was asked for


@dataclass
class Material:
    """The data of a search. data: as `fastbert train` would split it.

    splits: what each trial is trained and scored on; a single one is that of the data itself.
    test: rows that no trial is given, for the model of the winner.    deciding: how the models answer.
    """

    data: DataBunch
    splits: Sequence[DataBunch]
    test: tuple[Example, ...] = ()
    deciding: DecisionConfig = DecisionConfig()
    _cut: dict[tuple[int, Cut], DataBunch] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, data: DataBunch, num_splits: int, seed: int, deciding: DecisionConfig | None = None) -> Material:
        """Return the data, divided anew where several splits are asked for; test rows are set aside.

        Raises ConfigError for several splits of rows that came in tables of their own, or where none are held out.
        """
        if data.folded:
            raise ConfigError(
                f"valid_folds is {data.config.valid_folds}: a search compares its trials on rows that are held out.",
                "Leave it out here, and give it to the training with the options that are found.",
            )
        test, rule = data.splits.get("test", ()), deciding or DecisionConfig()
        data = replace(data, splits={split: rows for split, rows in data.splits.items() if split != "test"})
        if num_splits == 1:
            return cls(data, [data], test, rule)
        if not data.valid_held_out:
            raise ConfigError(
                f"splits is {num_splits}, but the validation rows are a table of their own: they are not divided anew.",
                "Leave --valid out, or --splits.",
            )
        return cls(data, data.splits_anew(num_splits, SPLIT_SHARE, seed), test, rule)

    @property
    def with_test(self) -> DataBunch:
        """Return the data with the test rows, where there are any."""
        return replace(self.data, splits={**self.data.splits, **({"test": self.test} if self.test else {})})

    @property
    def examples(self) -> list[Example]:
        """Return the validation rows of all splits, in order."""
        return [example for split in self.splits for example in split.examples("valid")]

    def learner(self, place: int | None, config: TrainConfig, cut: Cut) -> Learner:
        """Return a new learner of a split, or of the data as they are for None; the tokens are made only once.

        cut: how texts are cut, and for which encoder.
        """
        data = self.data if place is None or len(self.splits) == 1 else self.splits[place]
        key = (-1 if data is self.data else place or 0, cut)
        bunch = self._cut.get(key) or cut_anew(data, cut)
        rule: dict[str, Any] = self.deciding.to_json()
        learner = Learner(bunch, config=config.changed(encoder=cut[0]), **rule)
        # the task as it was: a loss of this learner is not one of the next
        self._cut[key] = replace(learner.data, task=bunch.task)
        return learner


def cut_anew(data: DataBunch, cut: Cut) -> DataBunch:
    """Return the same rows, with longer texts cut in another way."""
    config = data.config.changed(truncation=cut[1], max_tokens=cut[2])
    task = data.task
    if hasattr(task, "truncation") and not task.always_windows:
        task = replace(task, truncation=config.truncation)  # type: ignore[type-var]  # every task is a dataclass
    return replace(data, config=config, task=task, tokenizer=None, max_tokens=0, _encoded={})


def wanted_splits(data: DataBunch) -> int:
    """Return how many splits it takes for a score that decides something: one where enough rows are held out."""
    num_valid = len(data.splits["valid"])
    if not data.valid_held_out or num_valid >= ENOUGH_ROWS:
        return 1
    held_out = SPLIT_SHARE * (len(data.splits["train"]) + num_valid)
    return min(max(2, math.ceil(ENOUGH_ROWS / held_out)), MOST_SPLITS)


def digest(data: DataBunch) -> str:
    """Return a hash of the training and validation rows: texts and truths, in order. No text can be read from it."""
    found = hashlib.sha256()
    for split in ("train", "valid"):
        for example in data.examples(split):
            found.update(repr((split, example.text, example.pair, example.truth)).encode())
    return found.hexdigest()[:32]


def lengths(learner: Learner) -> tuple[int, int]:
    """Return the tokens of the middle training row and of the one that 95 % of the rows are no longer than."""
    tokens_N = np.minimum(learner.data.encoded("train").num_tokens_N, learner.data.max_tokens)
    return int(np.quantile(tokens_N, 0.5, method="lower")), int(np.quantile(tokens_N, 0.95, method="lower"))


def cut_share(learner: Learner) -> float:
    """Return the share of the training rows that are longer than the encoder is given."""
    return float((learner.data.encoded("train").num_tokens_N > learner.data.max_tokens).mean())
