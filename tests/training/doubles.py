"""Doubles that show the loop at work: tasks that note rows or say scores by heart, and a watcher of weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from fastbert.data.databunch import DataBunch
from fastbert.labels import Labels
from fastbert.tasks.base import Batch, Example, Feature, Prediction
from fastbert.tasks.classification import SingleLabel
from fastbert.training.callbacks import Callback
from fastbert.training.learner import Learner
from fastbert.training.state import RunState
from tests.feedback import make_data, weights, with_task

NAMES = Labels(("bug", "praise"))


@dataclass(frozen=True)
class NotingTask(SingleLabel):
    """Notes the examples of each part of a batch."""

    parts: list[list[int]] = field(default_factory=list)

    def targets(self, features: Sequence[Feature], length: int, rng: np.random.Generator) -> Batch:
        self.parts.append([feature.example for feature in features])
        return super().targets(features, length, rng)

    @property
    def order(self) -> list[int]:
        """Return all examples in the order in which they were trained on."""
        return [example for part in self.parts for example in part]


@dataclass(frozen=True)
class ScriptedTask(SingleLabel):
    """Gives the scores of a list, one at each evaluation, then 0; all have the same error."""

    script: list[float] = field(default_factory=list)
    error: float = 0.0

    def score(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> dict[str, float]:
        return {self.monitor: self.script.pop(0) if self.script else 0.0}

    def score_error(
        self,
        predictions: Sequence[Prediction],
        examples: Sequence[Example],
        against: Sequence[Prediction] | None = None,
    ) -> float:
        return self.error


def noting_data(count: int = 40) -> tuple[DataBunch, NotingTask]:
    task = NotingTask(NAMES)
    return with_task(make_data(count), task), task


def scripted_data(*scores: float, error: float = 0.0) -> DataBunch:
    return with_task(make_data(), ScriptedTask(NAMES, script=list(scores), error=error))


class Snapshots(Callback):
    """Keeps the weights that the model has at each evaluation."""

    def __init__(self) -> None:
        self.learner: Learner | None = None
        self.kept: list[dict[str, torch.Tensor]] = []

    def on_evaluate(self, state: RunState) -> None:
        assert self.learner is not None
        self.kept.append(weights(self.learner.model))
