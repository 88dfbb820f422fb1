"""Whether one model is better than another on the same rows: intervals, McNemar's test, Holm's correction.

All of it is about chance in the choice of the rows. What another seed of the training would have given is not in it.
Knows nothing of tasks, labels or what a score means. Numpy and the standard library only.

Axes: N rows, D draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXACT_BELOW = 25  # discordant rows, below which the exact test is used: the usual bound of the chi-squared one


@dataclass(frozen=True)
class Interval:
    """A value with the range in which it lies in 95 % of the draws."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return plain values."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Difference(Interval):
    """A difference of scores, second minus first.

    better: share of the draws in which the second is the better one, equal scores counting half.
    told_apart: whether 0 is outside the interval at the level that was asked for.
    """

    better: float = 0.5
    told_apart: bool = False

    def to_json(self) -> dict[str, float]:
        """Return plain values."""
        return {**super().to_json(), "probability_better": self.better, "told_apart": self.told_apart}


@dataclass(frozen=True)
class McNemar:
    """The outcome of McNemar's test.

    won, lost: rows that only the second, or only the first model has right.    p_value: two-sided.
    """

    won: int
    lost: int
    p_value: float
    method: Literal["exact", "chi-squared"]


def interval(value: float, values_D: Floats, level: float = 0.95) -> Interval:
    """Return the percentile interval of a score over draws; draws in which it is undefined (NaN) are left out."""
    return Interval(value, *_percentiles(values_D, level))


def difference(
    value: float, first_D: Floats, second_D: Floats, *, lower_is_better: bool = False, apart_at: float = 0.95
) -> Difference:
    """Return the difference of two scores over the same draws, with its 95 % interval.

    value: the difference on the rows themselves.    apart_at: level of the interval that decides `told_apart`; above
    0.95 where several models are compared. Draws in which either is undefined are left out.
    """
    change_D = second_D - first_D
    change_D = change_D[np.isfinite(change_D)]
    if not len(change_D):
        return Difference(value, math.nan, math.nan)
    low, high = _percentiles(change_D, apart_at)
    gain_D = -change_D if lower_is_better else change_D
    better = float(np.mean(gain_D > 0) + np.mean(gain_D == 0) / 2)
    return Difference(value, *_percentiles(change_D, 0.95), better=better, told_apart=low > 0 or high < 0)


def mcnemar(won: int, lost: int) -> McNemar:
    """Return McNemar's test of whether two models are right on as many rows.

    won, lost: rows that exactly one of them has right; all others say nothing. Below 25 such rows the exact binomial
    test, else chi-squared with one degree of freedom and the continuity correction of Edwards 1948,
    (|won - lost| - 1)^2 / (won + lost). Source: McNemar 1947; Dietterich 1998 on its use for classifiers.

    >>> mcnemar(8, 2).p_value, mcnemar(8, 2).method
    (0.109375, 'exact')
    """
    total = won + lost
    if total < EXACT_BELOW:
        tail = sum(math.comb(total, k) for k in range(min(won, lost) + 1)) / 2**total
        return McNemar(won, lost, min(1.0, 2 * tail), "exact")
    statistic = max(abs(won - lost) - 1, 0) ** 2 / total
    return McNemar(won, lost, math.erfc(math.sqrt(statistic / 2)), "chi-squared")


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979), in the order given.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def _percentiles(values_D: Floats, level: float) -> tuple[float, float]:
    known_D = values_D[np.isfinite(values_D)]
    if not len(known_D):
        return math.nan, math.nan
    low, high = np.quantile(known_D, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return low, high
