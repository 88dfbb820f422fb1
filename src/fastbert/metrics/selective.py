"""What a model gains by not answering: risk against coverage, and how well a score tells strange texts apart.

Numpy only. Knows nothing of tasks or of how a confidence comes about.

Axes: N rows, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Cells = NDArray[np.bool_]
CURVE_POINTS = 101  # that are kept of a curve, evenly spread over coverage


@dataclass(frozen=True)
class RiskCurve:
    """The share of wrong answers among the most confident rows; one point for each number of rows that has one.

    coverage_K: share of the rows answered, rising.    risk_K: share of these that is wrong.    least_K: the lowest
    confidence among them.    rows: of the data.
    """

    coverage_K: NDArray[np.float64]
    risk_K: NDArray[np.float64]
    least_K: NDArray[np.float64]
    rows: int = 0

    @property
    def area(self) -> float:
        """Return the mean risk over all coverages (AURC, Geifman et al. 2019, arXiv 1805.08206); lower is better."""
        widths = np.diff(self.coverage_K, prepend=0.0)
        return float((widths * self.risk_K).sum())

    def thinned(self, points: int = CURVE_POINTS) -> list[list[float]]:
        """Return at most so many [coverage, risk, confidence], the last among them."""
        count = len(self.coverage_K)
        chosen = np.unique(np.linspace(0, count - 1, min(points, count)).round().astype(int)).tolist() if count else []
        return [[float(c[place]) for c in (self.coverage_K, self.risk_K, self.least_K)] for place in chosen]


def risk_curve(confidence_N: Floats, right_N: Cells) -> RiskCurve:
    """Return the risk of answering only the most confident rows; rows of equal confidence are answered together.

    >>> curve = risk_curve(np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, True, False, False]))
    >>> curve.coverage_K.tolist(), curve.risk_K.round(2).tolist()
    ([0.25, 0.75, 1.0], [0.0, 0.33, 0.5])
    """
    if not len(confidence_N):
        nothing = np.zeros(0)
        return RiskCurve(nothing, nothing, nothing)
    order = np.argsort(-np.asarray(confidence_N, np.float64), kind="stable")
    sorted_N = np.asarray(confidence_N, np.float64)[order]
    wrong_N = np.cumsum(~np.asarray(right_N, np.bool_)[order])
    last = np.append(np.flatnonzero(sorted_N[1:] != sorted_N[:-1]), len(order) - 1)
    answered = last + 1.0
    return RiskCurve(answered / len(order), wrong_N[last] / answered, sorted_N[last], len(order))


def separation(inside_N: Floats, outside_N: Floats) -> tuple[float, float]:
    """Return how well a strangeness tells rows outside from rows inside: ROC AUC, and FPR at 95 % TPR.

    The strangeness is higher outside. The second number is the share of rows outside that pass where 95 % of the rows
    inside do (Hendrycks and Gimpel 2017, arXiv 1610.02136; Liu et al. 2020, arXiv 2010.03759).

    >>> separation(np.array([0.0, 1.0]), np.array([2.0, 3.0]))
    (1.0, 0.0)
    """
    ranks = _ranks(np.concatenate([inside_N, outside_N]))
    num_out, num_in = len(outside_N), len(inside_N)
    area = (ranks[num_in:].sum() - num_out * (num_out + 1) / 2) / (num_out * num_in)
    limit = np.quantile(inside_N, 0.95)
    return float(area), float((np.asarray(outside_N) <= limit).mean())


def _ranks(values_N: Floats) -> NDArray[np.float64]:
    """Return ranks from 1, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values_N, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], np.float64)
