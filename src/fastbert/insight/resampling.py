"""Scores of many draws of the same rows, from counts a row and never from the answers again.

For each task what a score is made of is counted once a row; a draw is then a vector of how often each row was drawn,
and its score a sum of products. With every row once they equal `task.score`, as tests hold. A task that is not in the
table below has no such scores, and no intervals.

Axes: D draws, N rows, C labels, K non-zero cells of a matrix (N, C).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from fastbert.data.examples import QuestionExample, ValueExample
from fastbert.insight.resampled_numbers import NumberRows
from fastbert.insight.resampled_ranks import RankedRows
from fastbert.metrics.answers import answer_matches
from fastbert.metrics.spans import span_scores
from fastbert.tasks.answer_prediction import answered
from fastbert.tasks.answering import Answering
from fastbert.tasks.base import Example, Prediction, Task
from fastbert.tasks.classification import Classification, MultiLabel, SingleLabel
from fastbert.tasks.entities_prediction import entities_in
from fastbert.tasks.label_prediction import given, labelled, true_labels
from fastbert.tasks.regression import Regression, ValuePrediction
from fastbert.tasks.tagging import Tagging, true_entities

Floats = NDArray[np.float64]
Cells = NDArray[np.bool_]


class Resampled(Protocol):
    """What is known of each row of one model's answers."""

    def scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return the scores of draws by name, (D,) each, NaN where one is undefined. Cheap."""

    def ranking_scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return the scores that need the rows in order of their scores: dearer by a hundred times."""

    def label_f1(self, counts_DN: Floats) -> Floats | None:
        """Return the F1 of each label, (D, C); None where there are no labels."""


def resampled(task: Task, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Resampled | None:
    """Return the scores of draws of one model's answers, None for a task that is not in the table."""
    makers: list[tuple[type[Task], Callable[..., Resampled]]] = [
        (SingleLabel, _single_label),
        (MultiLabel, _multi_label),
        (Regression, _regression),
        (Tagging, _tagging),
        (Answering, _answering),
    ]
    return next((make(task, predictions, examples) for kind, make in makers if isinstance(task, kind)), None)


def weighted_mean(counts_DN: Floats, values_N: Floats) -> Floats:
    """Return the mean of a value over the rows of each draw, NaN for a draw of none."""
    return ratio(counts_DN @ values_N, counts_DN.sum(axis=1), nothing=np.nan)


def ratio(numerator: Floats, denominator: Floats, *, nothing: float = 0.0) -> Floats:
    """Divide; `nothing` where the denominator is 0."""
    result = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), nothing)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


@dataclass(frozen=True)
class CellCounts:
    """The cells of a matrix (N, C) that are not 0: rows_K and labels_K, of C labels."""

    rows_K: NDArray[np.intp]
    labels_K: NDArray[np.intp]
    num_labels: int

    @classmethod
    def of(cls, cells_NC: Cells) -> CellCounts:
        """Find the cells that are set."""
        rows_K, labels_K = np.nonzero(cells_NC)
        return cls(rows_K, labels_K, cells_NC.shape[1])

    def sums(self, counts_DN: Floats) -> Floats:
        """Return the sum of each column over the rows of each draw, (D, C)."""
        drawn_DK = counts_DN[:, self.rows_K]
        return np.array([np.bincount(self.labels_K, drawn_K, self.num_labels) for drawn_K in drawn_DK])


@dataclass(frozen=True)
class LabelCounts:
    """The cells of what is true, of what was decided, and of what is both."""

    targets: CellCounts
    decided: CellCounts
    hits: CellCounts

    @classmethod
    def of(cls, targets_NC: Cells, decided_NC: Cells) -> LabelCounts:
        """Find the cells of rows."""
        return cls(*map(CellCounts.of, (targets_NC, decided_NC, targets_NC & decided_NC)))

    def sums(self, counts_DN: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the three sums of each label, (D, C)."""
        return self.targets.sums(counts_DN), self.decided.sums(counts_DN), self.hits.sums(counts_DN)

    def f1(self, counts_DN: Floats) -> Floats:
        """Return the F1 of each label, (D, C)."""
        targets_DC, decided_DC, hits_DC = self.sums(counts_DN)
        return ratio(2 * hits_DC, targets_DC + decided_DC)


@dataclass(frozen=True)
class DecidedRows:
    """Decided against true labels. As in `task.score`, all is of the rows that are answered but the F1 of labels.

    answered_N: which are.    cells, means, ranked: of these; means: values a row whose mean is a score; ranked: for
    scores of the order.    every: cells of all rows.
    """

    answered_N: Cells
    every: LabelCounts
    cells: LabelCounts
    one_label: bool
    means: dict[str, Floats]
    ranked: RankedRows

    @classmethod
    def of(
        cls, targets_NC: Cells, decided_NC: Cells, scores_NC: Floats, answered_N: Cells, *, one_label: bool
    ) -> DecidedRows:
        """Count what the rows have."""
        every = LabelCounts.of(targets_NC, decided_NC)
        targets_NC, decided_NC, scores_NC = targets_NC[answered_N], decided_NC[answered_N], scores_NC[answered_N]
        right_NC = targets_NC == decided_NC
        wrong_N = (~right_NC).mean(axis=1)
        if one_label:
            means = {"accuracy": right_NC.all(axis=1).astype(np.float64)}
        else:
            means = {"exact_match": right_NC.all(axis=1).astype(np.float64), "hamming_loss": wrong_N}
        if len(scores_NC) and scores_NC.min() >= 0 and scores_NC.max() <= 1:
            smallest = float(np.finfo(np.float64).eps)
            of_truth_NC = np.where(targets_NC, scores_NC, 1.0 if one_label else 1 - scores_NC)
            losses_NC = -np.log(np.clip(of_truth_NC, smallest, 1 - smallest))
            losses_NC[~targets_NC & one_label] = 0.0
            means["log_loss"] = losses_NC.sum(axis=1) if one_label else losses_NC.mean(axis=1)
        cells = every if answered_N.all() else LabelCounts.of(targets_NC, decided_NC)
        return cls(answered_N, every, cells, one_label, means, RankedRows.of(scores_NC, targets_NC))

    def scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return macro and micro F1, for one label a row MCC, the means, and the share of rows that are answered."""
        answered_DN = self._answered(counts_DN)
        total_D = answered_DN.sum(axis=1)
        targets_DC, decided_DC, hits_DC = self.cells.sums(answered_DN)
        used_DC = (targets_DC + decided_DC > 0) if self.one_label else np.ones_like(targets_DC, np.bool_)
        f1_DC = ratio(2 * hits_DC, targets_DC + decided_DC)
        found = {"f1_macro": ratio((f1_DC * used_DC).sum(axis=1), used_DC.sum(axis=1).astype(np.float64))}
        if self.one_label:
            found["mcc"] = _mcc(targets_DC, decided_DC, hits_DC, total_D)
        else:
            found["f1_micro"] = ratio(2 * hits_DC.sum(axis=1), (targets_DC + decided_DC).sum(axis=1))
        found = {name: np.where(total_D > 0, values_D, np.nan) for name, values_D in found.items()}
        found |= {name: weighted_mean(answered_DN, values_N) for name, values_N in self.means.items()}
        if not self.answered_N.all():
            found["coverage"] = weighted_mean(counts_DN, self.answered_N.astype(np.float64))
        return found

    def ranking_scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return macro average precision; for one label a row nothing, as nobody chooses by it."""
        if self.one_label:
            return {}
        return {"average_precision_macro": self.ranked.average_precision(self._answered(counts_DN))}

    def label_f1(self, counts_DN: Floats) -> Floats:
        """Return the F1 of each label, of all rows: what is held back was not found."""
        return self.every.f1(counts_DN)

    def _answered(self, counts_DN: Floats) -> Floats:
        return counts_DN if self.answered_N.all() else counts_DN[:, self.answered_N]


def _mcc(targets_DC: Floats, decided_DC: Floats, hits_DC: Floats, total_D: Floats) -> Floats:
    """Return Matthews' correlation of any number of classes (Gorodkin 2004); 0 if undefined."""
    spread_D = (total_D**2 - (targets_DC**2).sum(axis=1)) * (total_D**2 - (decided_DC**2).sum(axis=1))
    together_D = hits_DC.sum(axis=1) * total_D - (targets_DC * decided_DC).sum(axis=1)
    return ratio(together_D, np.sqrt(np.maximum(spread_D, 0.0)))


@dataclass(frozen=True)
class EntityRows:
    """Entities said and true. credits_N: of the partial scheme.    exact_N: 1 where all entities of a row are right."""

    cells: LabelCounts
    credits_N: Floats
    exact_N: Floats

    def scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return what `metrics.spans` says of the strict scheme, and F1 of the partial one."""
        targets_D, decided_D, hits_D = (sums_DC.sum(axis=1) for sums_DC in self.cells.sums(counts_DN))
        return {
            "f1": ratio(2 * hits_D, targets_D + decided_D),
            "precision": ratio(hits_D, decided_D),
            "recall": ratio(hits_D, targets_D),
            "f1_partial": ratio(2 * (counts_DN @ self.credits_N), targets_D + decided_D),
            "exact_match": weighted_mean(counts_DN, self.exact_N),
        }

    def ranking_scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return nothing."""
        return {}

    def label_f1(self, counts_DN: Floats) -> Floats:
        """Return the F1 of each entity type."""
        return self.cells.f1(counts_DN)


@dataclass(frozen=True)
class MatchedRows:
    """Answers to questions: means over all, over those with an answer, and over the others."""

    means: dict[str, tuple[Floats, Floats]]  # score -> what counts, and of which rows

    def scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return exact match, F1 and their parts."""
        return {
            name: ratio(counts_DN @ (values_N * among_N), counts_DN @ among_N, nothing=np.nan)
            for name, (values_N, among_N) in self.means.items()
        }

    def ranking_scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return nothing."""
        return {}

    def label_f1(self, counts_DN: Floats) -> None:
        """Return nothing: there are no labels."""


# -- the table ------------------------------------------------------------------------------


def _single_label(task: SingleLabel, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Resampled:
    return DecidedRows.of(*_cells(task, predictions, examples), one_label=True)


def _multi_label(task: MultiLabel, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Resampled:
    return DecidedRows.of(*_cells(task, predictions, examples), one_label=False)


def _cells(
    task: Classification, predictions: Sequence[Prediction], examples: Sequence[Example]
) -> tuple[Cells, Cells, Floats, Cells]:
    """Return true labels, those that count as given, scores, and which rows are answered."""
    names = task.labels.names
    targets_NC = task.cells_of([true_labels(example) for example in examples])
    decided_NC = task.cells_of([given(prediction, names, task.link) for prediction in predictions])
    answered_N = np.array([not labelled(prediction).reason for prediction in predictions], np.bool_)
    return targets_NC, decided_NC, task.scores_of(predictions), answered_N


def _regression(task: Regression, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Resampled:
    said_N = np.array([cast("ValuePrediction", prediction).value for prediction in predictions], np.float64)
    true_N = np.array([cast("ValueExample", example).value for example in examples], np.float64)
    return NumberRows(said_N, true_N)


def _tagging(task: Tagging, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Resampled:
    said = [set(entities_in(prediction)) for prediction in predictions]
    true = [set(true_entities(example)) for example in examples]
    parts = ([*true], [*said], [one & other for one, other in zip(said, true, strict=True)])
    counted = []
    for rows in parts:
        places = [(row, task.labels.id_of(entity.label)) for row, found in enumerate(rows) for entity in found]
        rows_K, labels_K = np.array(places, np.intp).reshape(-1, 2).T
        counted.append(CellCounts(rows_K, labels_K, len(task.labels)))
    credits = [
        span_scores([list(one)], [list(other)])["f1_partial"] * (len(one) + len(other)) / 2
        for one, other in zip(said, true, strict=True)
    ]
    exact = [float(one == other) for one, other in zip(said, true, strict=True)]
    return EntityRows(LabelCounts(*counted), np.array(credits), np.array(exact))


def _answering(task: Answering, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Resampled:
    asked = cast("Sequence[QuestionExample]", examples)
    exact_N, f1_N = answer_matches([answered(prediction).answer for prediction in predictions], asked)
    answerable_N = np.array([float(bool(example.answers)) for example in asked])
    all_N = np.ones(len(asked))
    means = {"f1": (f1_N, all_N), "exact_match": (exact_N, all_N)}
    if not answerable_N.all():
        means |= {"f1_answered": (f1_N, answerable_N), "exact_match_answered": (exact_N, answerable_N)}
        means["no_answer_accuracy"] = (exact_N, 1 - answerable_N)
    return MatchedRows(means)
