"""Curves over all thresholds: ROC, precision and recall, and what a threshold does to precision, recall and F1.

Numpy only. Knows nothing of tasks or of how a curve is drawn.

Axes: N rows, K thresholds that differ, D draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Cells = NDArray[np.bool_]


@dataclass(frozen=True)
class Ranking:
    """Rows taken in the order of falling score, equal scores together; shape (K,) each.

    score_K: falling.    hits_K, taken_K: rows with the label, and rows, from that score on.
    positives, rows: with the label, and of the data.
    """

    score_K: Floats
    hits_K: Floats
    taken_K: Floats
    positives: int
    rows: int

    @classmethod
    def of(cls, score_N: Floats, target_N: Cells) -> Ranking:
        """Rank rows by a score."""
        order = np.argsort(-score_N, kind="stable")
        sorted_N = np.asarray(score_N, np.float64)[order]
        last = np.append(np.flatnonzero(sorted_N[1:] != sorted_N[:-1]), len(order) - 1) if len(order) else order
        hits_N = np.cumsum(np.asarray(target_N, np.float64)[order])
        taken_N = np.arange(1, len(order) + 1, dtype=np.float64)
        return cls(sorted_N[last], hits_N[last], taken_N[last], int(np.sum(target_N)), len(order))

    @property
    def defined(self) -> bool:
        """Return whether some rows have the label and some have not."""
        return 0 < self.positives < self.rows

    def roc(self) -> tuple[Floats, Floats]:
        """Return false positive rates and true positive rates, from (0, 0) to (1, 1).

        >>> ranking = Ranking.of(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]))
        >>> [part.tolist() for part in ranking.roc()]
        [[0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0]]
        """
        false_K = (self.taken_K - self.hits_K) / max(self.rows - self.positives, 1)
        return np.concatenate([[0.0], false_K]), np.concatenate([[0.0], self.hits_K / max(self.positives, 1)])

    def precision_recall(self) -> tuple[Floats, Floats]:
        """Return recalls, rising, and the precisions there."""
        return self.hits_K / max(self.positives, 1), self.hits_K / np.maximum(self.taken_K, 1)

    def roc_area(self) -> float:
        """Return the trapezoid area under the ROC curve, as `metrics.classification` computes it."""
        false_K, true_K = self.roc()
        return float(((true_K[1:] + true_K[:-1]) / 2 * np.diff(false_K)).sum())

    def average_precision(self) -> float:
        """Return the sum of precision times the step in recall, not interpolated."""
        recall_K, precision_K = self.precision_recall()
        return float((np.diff(recall_K, prepend=0.0) * precision_K).sum())

    def at(self, threshold_K: Floats) -> tuple[Floats, Floats, Floats]:
        """Return precision, recall and F1 of giving the label from each threshold on; precision NaN of none given.

        >>> ranking = Ranking.of(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]))
        >>> [part.round(2).tolist() for part in ranking.at(np.array([0.5, 0.95]))]
        [[0.5, nan], [0.5, 0.0], [0.5, 0.0]]
        """
        place = np.searchsorted(-self.score_K, -np.asarray(threshold_K, np.float64), side="right")
        hits, taken = (np.concatenate([[0.0], part])[place] for part in (self.hits_K, self.taken_K))
        precision = np.where(taken > 0, hits / np.maximum(taken, 1), np.nan)
        return precision, hits / max(self.positives, 1), 2 * hits / np.maximum(taken + self.positives, 1)


def weighted_areas(score_N: Floats, target_N: Cells, weight_DN: Floats) -> tuple[Floats, Floats]:
    """Return ROC AUC and average precision of weighted rows, (D,) each; NaN where a draw lacks one kind of row.

    Rows of weight 2 count as two rows with equal scores.
    """
    order = np.argsort(-score_N, kind="stable")
    sorted_N = score_N[order]
    last = np.append(np.flatnonzero(sorted_N[1:] != sorted_N[:-1]), len(order) - 1)
    drawn_DN = weight_DN[:, order]
    hits_DK = np.cumsum(drawn_DN * target_N[order], axis=1)[:, last]
    taken_DK = np.cumsum(drawn_DN, axis=1)[:, last]
    positives_D, total_D = hits_DK[:, -1], taken_DK[:, -1]
    new_hits, new_taken = np.diff(hits_DK, axis=1, prepend=0.0), np.diff(taken_DK, axis=1, prepend=0.0)
    misses = (new_taken - new_hits) * (2 * hits_DK - new_hits)
    defined_D = (positives_D > 0) & (positives_D < total_D)
    pairs_D = np.where(defined_D, 2 * positives_D * (total_D - positives_D), np.nan)
    precise = (new_hits * (hits_DK / np.maximum(taken_DK, 1))).sum(axis=1)
    return misses.sum(axis=1) / pairs_D, precise / np.where(defined_D, positives_D, np.nan)


def thinned(x_K: Floats, y_K: Floats, points: int = 80) -> list[tuple[float, float]]:
    """Return points of a curve, about evenly spread along its length, the first and last among them.

    >>> thinned(np.linspace(0, 1, 1001), np.zeros(1001), 3)
    [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0)]
    """
    if len(x_K) <= points:
        return list(zip(np.asarray(x_K).tolist(), np.asarray(y_K).tolist(), strict=True))
    way_K = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x_K)) + np.abs(np.diff(y_K)))])
    chosen = np.unique(np.searchsorted(way_K, np.linspace(0.0, way_K[-1], points) - 1e-12).clip(0, len(x_K) - 1))
    return list(zip(x_K[chosen].tolist(), y_K[chosen].tolist(), strict=True))
