"""How nearly a column tells a number: correlations with numbers, and what categories say of the variance.

Without SciPy. Knows nothing of tables.

Axes: N rows, G distinct values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def pearson(one_N: Floats, other_N: Floats) -> float:
    """Return the correlation of two series, 0.0 where one of them is constant.

    >>> pearson(np.array([1.0, 2.0, 3.0]), np.array([5.0, 7.0, 9.0]))
    1.0
    """
    if len(one_N) < 2 or one_N.min() == one_N.max() or other_N.min() == other_N.max():
        return 0.0
    # in units of the largest, so that no square leaves the range of a float
    left_N, right_N = (series_N / np.abs(series_N).max() for series_N in (one_N, other_N))
    left_N, right_N = left_N - left_N.mean(), right_N - right_N.mean()
    spread = float(np.sqrt((left_N**2).sum()) * np.sqrt((right_N**2).sum()))
    return round(float((left_N * right_N).sum()) / spread, 12) if spread > 0 else 0.0


def spearman(one_N: Floats, other_N: Floats) -> float:
    """Return the correlation of the ranks of two series (Spearman 1904); equal numbers share the mean of their ranks.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 1000.0]))
    1.0
    """
    return pearson(ranks(one_N), ranks(other_N))


def ranks(values_N: Floats) -> Floats:
    """Return the rank of each number, from 0.

    >>> ranks(np.array([5.0, 1.0, 5.0])).tolist()
    [1.5, 0.0, 1.5]
    """
    _, places_N, counts_G = np.unique(values_N, return_inverse=True, return_counts=True)
    ends_G = np.cumsum(counts_G)
    return np.asarray((ends_G - (counts_G + 1) / 2)[places_N], np.float64)


def told_variance(values: Sequence[str], numbers_N: Floats) -> tuple[float, int]:
    """Return what share of the variance of numbers their categories tell, and by how many rows.

    Each row is guessed as the mean of the others with its value, so that a value of one row tells nothing; such rows
    are left out.

    >>> told_variance(["a", "a", "b", "b", "c"], np.array([1.0, 1.0, 5.0, 5.0, 9.0]))
    (1.0, 4)
    """
    _, places_N, counts_G = np.unique(np.array(values, np.str_), return_inverse=True, return_counts=True)
    sums_G = np.bincount(places_N, numbers_N, minlength=len(counts_G))
    judged_N = counts_G[places_N] > 1
    truth = numbers_N[judged_N]
    if not len(truth) or truth.min() == truth.max():
        return 0.0, len(truth)
    places = places_N[judged_N]
    guess = (sums_G[places] - truth) / (counts_G[places] - 1)
    share = 1 - float(((truth - guess) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())
    return max(share, 0.0), len(truth)
