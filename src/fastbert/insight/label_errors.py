"""Rows whose labels are probably wrong, worst first, by what models say that have not seen them.

Knows nothing of the command line.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np

from fastbert.config import TrainConfig, split_options
from fastbert.data.databunch import DataBunch, normalize_options
from fastbert.data.examples import Example, TextExample
from fastbert.data.sources import Source
from fastbert.display import Block, View, number, shorten
from fastbert.errors import TrainingError
from fastbert.insight.label_quality import BEST, Method, NoiseEstimate, check_task, estimate_noise, label_quality
from fastbert.insight.quick_folds import mean_predictions, quick_predictions
from fastbert.option_values import chosen_of
from fastbert.tasks.base import Prediction, Task
from fastbert.tasks.classification import Classification

if TYPE_CHECKING:
    from fastbert.training.callbacks import Callback

Mode = Literal["quick", "full"]
NO_LABEL = "(none)"
SHOWN = 20


@dataclass(frozen=True)
class LabelError:
    """A row whose labels the model would not give.

    place: of the row among the examples, from 0.    where: the place it came from.
    given, suggested: labels, or one number as text; () is no label.
    quality: how probably the given labels are right, from 0 to 1, to rank by.
    issue: whether it is among the rows that are probably wrong, as many as the estimate says.
    """

    place: int
    where: str
    given: tuple[str, ...]
    suggested: tuple[str, ...]
    quality: float
    issue: bool

    def to_json(self) -> dict[str, object]:
        """Return plain values; no text is among them."""
        return {
            "where": self.where,
            "given": list(self.given),
            "suggested": list(self.suggested),
            "quality": round(self.quality, 6),
            "issue": self.issue,
        }


@dataclass(frozen=True)
class LabelErrors:
    """What was found in a table. errors: as `find_label_errors` returns them.    estimate: how many are wrong.

    mode: "quick" or "full".    scores: of the models that judged, out of fold; a weak one finds little.
    """

    task: Task
    examples: tuple[Example, ...]
    errors: tuple[LabelError, ...]
    estimate: NoiseEstimate
    mode: Mode
    scores: dict[str, float]

    @property
    def issues(self) -> tuple[LabelError, ...]:
        """Return those that are probably wrong."""
        return tuple(error for error in self.errors if error.issue)

    def to_json(self) -> dict[str, object]:
        """Return plain values; no text is among them."""
        return {
            "mode": self.mode,
            "scores": self.scores,
            "estimate": self.estimate.to_json(),
            "issues": [error.to_json() for error in self.issues],
        }

    def view(self, rows: int = SHOWN) -> View:
        """Return the worst rows with their texts, for the user's own screen."""
        judged = ", ".join(f"{name} {number(self.scores[name])}" for name in self.task.headlines if name in self.scores)
        lines = (
            self.estimate.describe(),
            f"judged by {self.mode} models that have not seen the rows: {judged}",
            f"{len(self.issues):,} rows to look at, worst first; not all of them are wrong",
        )
        table = tuple(
            (
                error.where,
                number(error.quality),
                ", ".join(error.given) or NO_LABEL,
                ", ".join(error.suggested) or NO_LABEL,
                shorten(self.examples[error.place].text, 60),
            )
            for error in self.issues[:rows]
        )
        return View((Block("Label errors", lines, ("row", "quality", "given", "suggested", "text"), table),))

    def __repr__(self) -> str:
        return repr(self.view())

    def _repr_html_(self) -> str:
        return self.view()._repr_html_()

    def write_csv(self, path: str | Path, *, texts: bool = False) -> Path:
        """Write the issues to a file for review; texts: with what the rows say."""
        return write_label_errors(path, self.issues, self.examples if texts else None)


def find_label_errors(
    task: Task, predictions: Sequence[Prediction], examples: Sequence[Example], *, method: Method = BEST
) -> tuple[LabelError, ...]:
    """Return the rows whose labels the model would not give, the least probable labels first.

    predictions: one for each example, by models that have not seen it (`cross_validate`).
    As many are marked as issues as the estimate of wrong labels says (`estimate_noise`).
    Raises ConfigError for a task without labels or numbers, MissingExtraError without cleanlab.
    """
    quality_N = label_quality(task, predictions, examples, method=method)
    left = estimate_noise(task, predictions, examples).count
    found: list[LabelError] = []
    for place in np.argsort(quality_N, kind="stable").tolist():
        given, suggested = _said(task, predictions[place], examples[place])
        if set(given) != set(suggested):
            found.append(
                LabelError(place, examples[place].where, given, suggested, float(quality_N[place]), len(found) < left)
            )
    return tuple(found)


def label_errors_of_table(
    table: Source | DataBunch,
    *,
    mode: Mode = "quick",
    folds: int = 5,
    callbacks: Sequence[Callback] = (),
    **options: object,
) -> LabelErrors:
    """Return the rows of a table whose labels are probably wrong.

    mode: "quick" takes vectors of the encoder and a linear model for each fold; "full" fine-tunes the encoder in each
        fold too and takes the mean of both, which finds more and takes as long as so many trainings.
    callbacks: watch these trainings.
    options: fields of DataConfig and TrainConfig, such as text, label, encoder and seed.
    Raises UsageError for wrong options or bad input before any work.
    """
    chosen_of("mode", mode, get_args(Mode))
    given, config = split_options(normalize_options(options))
    data = table if isinstance(table, DataBunch) else DataBunch.from_files(table, config=given, seed=config.seed)
    check_task(data.task)
    predictions = _quick(data, config, folds)
    if mode == "full":
        from fastbert.training.cross_validation import CrossValidating

        tuned = CrossValidating.prepare(data, config, folds).run(callbacks)
        predictions = mean_predictions(data, tuned.predictions, predictions)
    rows = data.training_table
    return LabelErrors(
        data.task,
        rows,
        find_label_errors(data.task, predictions, rows),
        estimate_noise(data.task, predictions, rows),
        mode,
        data.task.score(predictions, rows),
    )


def write_label_errors(
    path: str | Path, errors: Sequence[LabelError], examples: Sequence[Example] | None = None
) -> Path:
    """Write label errors to a CSV file for review, in their order. Returns the path.

    Columns: where, given, suggested, quality, issue, and with examples text (and pair). Labels are joined by |.
    Raises TrainingError if the file cannot be written; nothing is left behind then.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    pairs = examples is not None and any(example.pair is not None for example in examples)
    texts = () if examples is None else ("text", "pair") if pairs else ("text",)
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("where", "given", "suggested", "quality", "issue", *texts))
            for error in errors:
                shown = [] if examples is None else [examples[error.place].text, examples[error.place].pair or ""]
                cells = ("|".join(error.given), "|".join(error.suggested), f"{error.quality:.6f}", int(error.issue))
                writer.writerow((error.where, *cells, *shown[: len(texts)]))
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TrainingError(
            f"{target}: the label errors could not be written ({error.strerror or error}).", "Choose another folder."
        ) from error
    return target


def _quick(data: DataBunch, config: TrainConfig, folds: int) -> list[Prediction]:
    from fastbert.inference.embedder import Embedder

    embedder = Embedder.open(config.encoder, max_tokens=data.config.max_tokens)
    embedder.truncation = data.config.truncation
    return quick_predictions(data, embedder, folds=folds, seed=config.seed)


def _said(task: Task, prediction: Prediction, example: Example) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels that a row was given and those that the model would give it; of numbers, both as text."""
    if isinstance(task, Classification):
        return cast("TextExample", example).labels or (), prediction.labels
    (suggested,) = prediction.cells
    return (f"{cast('float', example.truth):g}",), (suggested,)
