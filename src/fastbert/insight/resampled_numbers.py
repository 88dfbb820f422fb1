"""Correlations and errors of many draws of the same predicted numbers, from weighted sums.

Axes: D draws, N rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NumberRows:
    """Predicted and true numbers in the user's unit."""

    said_N: Floats
    true_N: Floats

    def scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return r2, rmse, mae and Pearson's r, as `metrics.regression` defines them."""
        total_D = counts_DN.sum(axis=1)
        error_N = self.said_N - self.true_N
        squares_D = counts_DN @ error_N**2
        spread_D = _spread(counts_DN, self.true_N - self.true_N.mean(), total_D)
        return {
            "pearson": _correlation(counts_DN, self.said_N, self.true_N),
            "r2": np.where(spread_D > 0, 1 - squares_D / np.where(spread_D > 0, spread_D, 1.0), np.nan),
            "rmse": np.sqrt(squares_D / total_D),
            "mae": counts_DN @ np.abs(error_N) / total_D,
        }

    def ranking_scores(self, counts_DN: Floats) -> dict[str, Floats]:
        """Return Spearman's correlation: that of the ranks in each draw."""
        said_DN, true_DN = ranks_of_draws(counts_DN, self.said_N), ranks_of_draws(counts_DN, self.true_N)
        total_D = counts_DN.sum(axis=1)
        middle_D = ((total_D + 1) / 2)[:, None]  # the mean of the ranks 1 to N
        said_DN, true_DN = said_DN - middle_D, true_DN - middle_D
        together_D = (counts_DN * said_DN * true_DN).sum(axis=1)
        spread_D = (counts_DN * said_DN**2).sum(axis=1) * (counts_DN * true_DN**2).sum(axis=1)
        return {"spearman": _divided(together_D, np.sqrt(spread_D))}

    def label_f1(self, counts_DN: Floats) -> None:
        """Return nothing: there are no labels."""


def ranks_of_draws(counts_DN: Floats, values_N: Floats) -> Floats:
    """Return the rank of each row among the rows of a draw, from 1, equal values sharing the mean of theirs.

    >>> ranks_of_draws(np.array([[1.0, 2.0, 1.0]]), np.array([10.0, 30.0, 10.0])).tolist()
    [[1.5, 3.5, 1.5]]
    """
    values, place_N = np.unique(values_N, return_inverse=True)
    order_N = np.argsort(place_N, kind="stable")
    firsts = np.searchsorted(place_N[order_N], np.arange(len(values)))
    groups = np.add.reduceat(counts_DN[:, order_N], firsts, axis=1)
    ranks = np.cumsum(groups, axis=1) - (groups - 1) / 2
    found: Floats = ranks[:, place_N]
    return found


def _spread(counts_DN: Floats, values_N: Floats, total_D: Floats) -> Floats:
    spread_D: Floats = counts_DN @ values_N**2 - (counts_DN @ values_N) ** 2 / total_D
    return np.where(spread_D > 1e-12 * total_D * (values_N**2).max(initial=0.0), spread_D, 0.0)


def _correlation(counts_DN: Floats, one_N: Floats, two_N: Floats) -> Floats:
    total_D = counts_DN.sum(axis=1)
    one_N, two_N = one_N - one_N.mean(), two_N - two_N.mean()
    together_D = counts_DN @ (one_N * two_N) - (counts_DN @ one_N) * (counts_DN @ two_N) / total_D
    return _divided(together_D, np.sqrt(_spread(counts_DN, one_N, total_D) * _spread(counts_DN, two_N, total_D)))


def _divided(numerator_D: Floats, denominator_D: Floats) -> Floats:
    """Divide; a correlation with nothing that varies is undefined."""
    known_D = denominator_D > 0
    return np.where(known_D, np.clip(numerator_D / np.where(known_D, denominator_D, 1.0), -1.0, 1.0), np.nan)
