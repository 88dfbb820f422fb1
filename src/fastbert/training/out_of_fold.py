"""What a cross-validation found: a prediction for every row by a model that has not seen it, and how good they are.

Knows nothing of how the models were trained.

Axes: N rows, C labels.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from fastbert.data.examples import Entity, Example, QuestionExample, TaggedExample, ValueExample
from fastbert.data.splits import example_units
from fastbert.decisions.rules import Decisions
from fastbert.display import Block, View, label_score_rows, number
from fastbert.errors import ConfigError, TrainingError
from fastbert.metrics.grouped_bootstrap import bootstrap_intervals
from fastbert.tasks.answer_prediction import AnswerPrediction
from fastbert.tasks.base import Prediction, Task
from fastbert.tasks.classification import Classification
from fastbert.tasks.entities_prediction import EntitiesPrediction
from fastbert.tasks.label_prediction import LabelPrediction, true_labels
from fastbert.tasks.regression import ValuePrediction

LabelScores = Mapping[str, Mapping[str, float | int | None]]


@dataclass(frozen=True)
class FoldedScore:
    """One score, of folds and of all rows.

    mean, deviation: over the folds that have it; the deviation is that of a sample (n - 1), 0 of one fold.
    pooled: of the out-of-fold predictions of all rows together; None where they leave it undefined.
    low, high: the 95 % interval of pooled for the rows drawn (`metrics.grouped_bootstrap`), None where there is none.
    """

    mean: float
    deviation: float
    pooled: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | None]:
        """Return plain values."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "pooled": self.pooled,
            "low": self.low,
            "high": self.high,
        }


@dataclass(frozen=True)
class CrossValidation:
    """Out-of-fold predictions, and their scores.

    examples, predictions: all rows of the training table in their order.    fold_N: of each row, from 0.
    fold_scores: by fold, then by name.    decisions: the rule of each fold's model.
    notes: what a reader of the scores must know, in sentences.    seconds: of all trainings.
    """

    task: Task
    examples: tuple[Example, ...]
    predictions: tuple[Prediction, ...]
    fold_N: tuple[int, ...]
    fold_scores: tuple[Mapping[str, float], ...]
    decisions: tuple[Decisions, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def probabilities_NC(self) -> npt.NDArray[np.float64]:
        """Return the probability of each label for each row, float64 (N, C); columns as `task.label_names`.

        Raises ConfigError for a task that is no classification.
        """
        if not isinstance(self.task, Classification):
            raise ConfigError(
                f"The task '{self.task.name}' has no probability of each label.", "Read .predictions instead."
            )
        return self.task.scores_of(self.predictions)

    @cached_property
    def scores(self) -> Mapping[str, FoldedScore]:
        """Return each score, the headlines of the task first."""
        pooled = self._with_coverage(self.task.score(self.predictions, self.examples))
        intervals = bootstrap_intervals(self._score_rows, example_units(self.examples))
        folds = [self._with_coverage(one) for one in self.fold_scores]
        names = dict.fromkeys([*self.task.headlines, *pooled, *(name for one in folds for name in one)])
        found = {}
        for name in names:
            values = [one[name] for one in folds if name in one]
            if values:
                deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
                low, high = intervals.get(name, (None, None))
                found[name] = FoldedScore(float(np.mean(values)), deviation, pooled.get(name), low, high)
        return found

    @cached_property
    def per_label(self) -> LabelScores:
        """Return the scores of each label over all rows; {} where there are no labels."""
        return self.task.score_labels(self.predictions, self.examples)

    def view(self) -> View:
        """Return the scores for people."""
        shown = [name for name in self.task.headlines if name in self.scores]
        rows = tuple(
            (
                name,
                f"{number(score.mean)} ± {number(score.deviation)}",
                number(score.pooled),
                "-" if score.low is None else f"{number(score.low)} to {number(score.high)}",
            )
            for name, score in ((name, self.scores[name]) for name in shown)
        )
        count = len(self.fold_scores)
        lines = (f"{len(self.examples):,} rows, each predicted by a model of {count} that has not seen it",)
        headers = ("score", "mean ± deviation of folds", "all rows", "95 % interval")
        blocks = [Block("Cross-validation", lines, headers, rows)]
        if self.per_label:
            table = label_score_rows({name: dict(row) for name, row in self.per_label.items()})
            blocks.append(Block("Each label, all rows", (), table.headers, table.rows))
        if self.notes:
            blocks.append(Block("Worth a look", tuple(f"- {note}" for note in self.notes)))
        return View(tuple(blocks))

    def __repr__(self) -> str:
        return repr(self.view())

    def _repr_html_(self) -> str:
        return self.view()._repr_html_()

    def to_json(self) -> dict[str, object]:
        """Return plain values, as they are saved with the model; no text of a row is among them."""
        return {
            "folds": len(self.fold_scores),
            "rows": len(self.examples),
            "fold_rows": np.bincount(self.fold_N, minlength=len(self.fold_scores)).tolist(),
            "scores": {name: score.to_json() for name, score in self.scores.items()},
            "fold_scores": [dict(one) for one in self.fold_scores],
            "decisions": [one.to_json() for one in self.decisions],
            "per_label": {name: dict(row) for name, row in self.per_label.items()},
            "notes": list(self.notes),
            "seconds": round(self.seconds, 1),
        }

    def write_csv(self, path: str | Path) -> Path:
        """Write one row for each row of the table, in their order: truth, prediction and scores, without texts.

        Columns: where, fold (from 1), true, predicted, agreement, loss, reason where an answer may be unknown, and a
        score for each label. Labels are joined by |; entities and answers are their places in the text.
        Raises TrainingError if the file cannot be written.
        """
        target = Path(path)
        part = target.with_name(f".{target.name}.part")
        scored = self.task.answer_columns[1:] if isinstance(self.task, Classification) else ()
        reason = ("reason",) if self._abstains else ()
        try:
            with part.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(("where", "fold", "true", "predicted", "agreement", "loss", *reason, *scored))
                for fold, prediction, example in zip(self.fold_N, self.predictions, self.examples, strict=True):
                    judged = (
                        self.task.agreement(prediction, example),
                        f"{self.task.row_loss(prediction, example):.6g}",
                    )
                    true, said, *scores = _cells(self._reasoned(prediction), example)
                    writer.writerow((example.where, fold + 1, true, said, *judged, *scores))
            os.replace(part, target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise TrainingError(
                f"{target}: the predictions could not be written ({error.strerror or error}).", "Choose another folder."
            ) from error
        return target

    def _score_rows(self, rows: npt.NDArray[np.int64]) -> Mapping[str, float]:
        chosen = rows.tolist()
        said, known = [self.predictions[row] for row in chosen], [self.examples[row] for row in chosen]
        return self._with_coverage(self.task.score(said, known))

    @cached_property
    def _abstains(self) -> bool:
        """Return whether an answer may be unknown by the rule of some fold; those of the others may answer always."""
        return any("reason" in self.task.columns_of(rule) for rule in self.decisions)

    def _with_coverage(self, scores: Mapping[str, float]) -> Mapping[str, float]:
        """Return scores with the share of answered rows, which a task leaves out where it is 1: a mean needs it."""
        return {"coverage": 1.0, **scores} if self._abstains else scores

    def _reasoned(self, prediction: Prediction) -> Prediction:
        """Return a prediction that has a cell for its reason if others have."""
        if self._abstains and isinstance(prediction, LabelPrediction) and prediction.reason is None:
            return replace(prediction, reason="")
        return prediction


def _cells(prediction: Prediction, example: Example) -> Sequence[str]:
    """Return the cells of truth, prediction and scores, without any text of the row."""
    if isinstance(prediction, LabelPrediction):
        return ("|".join(true_labels(example)), *prediction.cells)
    if isinstance(prediction, ValuePrediction):
        return (repr(cast("ValueExample", example).value), *prediction.cells)
    if isinstance(prediction, EntitiesPrediction):
        true = cast("TaggedExample", example).entities or ()
        return (_places(true), _places([entity.entity for entity in prediction.entities]))
    if isinstance(prediction, AnswerPrediction):
        spans = [(one.start, one.start + len(one.text)) for one in cast("QuestionExample", example).answers or ()]
        said = [] if prediction.start is None else [(prediction.start, prediction.end)]
        return (json.dumps(spans), json.dumps(said))
    return ("", "")  # a task of the user's own: its cells may quote the text


def _places(entities: Sequence[Entity]) -> str:
    return json.dumps([{"label": one.label, "start": one.start, "end": one.end} for one in entities])
