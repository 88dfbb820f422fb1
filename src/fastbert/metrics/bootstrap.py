"""Intervals of scores: rows are drawn again with replacement, and what a score makes of the draws is looked at.

A draw is a weight for each row: how often it was drawn. Most scores are sums over rows, so that a product of matrices
gives all draws at once. Knows nothing of tasks or of any score.

Axes: D draws, N rows, U units (rows that depend on each other), C labels, K whatever a score has several of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastbert.metrics.draws import draw_counts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Mapping[str, Floats]]  # weights (D, N) -> values (D,) or (D, K) by name; NaN: undefined
Interval = tuple[float, float]

LEVEL = 0.95
QUANTILE = 1.959964  # of the normal distribution, at 97.5 %
DRAWS = 1000
ROWS = 20_000  # or units of one draw; of more so many are drawn, and the spread is scaled to their number
CELLS = 100_000_000  # rows x labels x draws: about a second
LEAST_DRAWS = 100


@dataclass(frozen=True)
class Intervals:
    """What draws say of scores. low, high: by name, (K,) each, NaN where there is no spread to speak of.

    draws: how many.    rows: of each, or units.
    """

    low: Mapping[str, Floats]
    high: Mapping[str, Floats]
    draws: int
    rows: int

    def of(self, name: str, place: int = 0) -> Interval | None:
        """Return the interval of a score, None where it has none."""
        if name not in self.low or place >= len(self.low[name]):
            return None
        low, high = float(self.low[name][place]), float(self.high[name][place])
        return None if math.isnan(low) or math.isnan(high) else (low, high)


def intervals(
    statistic: Statistic, num_rows: int, *, num_labels: int = 1, seed: int = 0, units_N: Ints | None = None
) -> Intervals:
    """Return the 95 % percentile intervals of scores (Efron 1979), at a bounded cost.

    statistic: is called with weights of some draws at a time, of shape (D, N), and once with ones.
    num_labels: how much work a row is.    units_N: rows that are drawn together, as `draw_counts` takes them.
    An interval without width is left out: with every row right, or none, draws cannot tell how sure that is.

    >>> found = intervals(lambda weight_DN: {"share": weight_DN[:, :90].sum(axis=1) / weight_DN.sum(axis=1)}, 100)
    >>> [round(float(end[0]), 2) for end in (found.low["share"], found.high["share"])], found.draws
    ([0.84, 0.96], 1000)
    """
    num_units = num_rows if units_N is None else int(units_N.max()) + 1
    drawn = min(num_units, ROWS)
    draws = max(LEAST_DRAWS, min(DRAWS, CELLS // max(1, num_rows * num_labels)))
    found: dict[str, list[Floats]] = {}
    for weight_DN in draw_counts(num_rows, draws, seed, drawn=drawn, units_N=units_N):
        for name, values in statistic(weight_DN).items():
            found.setdefault(name, []).append(values.reshape(len(weight_DN), -1))
    whole = {name: values.reshape(1, -1)[0] for name, values in statistic(np.ones((1, num_rows))).items()}
    low, high = {}, {}
    for name, parts in found.items():
        ends = _ends(np.concatenate(parts), whole[name], math.sqrt(drawn / num_units))
        low[name], high[name] = ends
    return Intervals(low, high, draws, drawn)


def mean_interval(values_N: Floats, units_N: Ints | None = None) -> Interval:
    """Return the 95 % interval of a mean: of a share that of Wilson 1927, of other numbers the normal one.

    units_N: unit of each row. Rows of one are right or wrong together, and so tell less than as many others: the spread
        is that of the sums of units, and a share is taken for one of the fewer rows that would spread as much (the
        design effect of Kish 1965). Of one unit alone the rows are all there is to go by.

    >>> [round(end, 3) for end in mean_interval(np.repeat([1.0, 0.0], [90, 10]))]
    [0.826, 0.945]
    """
    count, mean = len(values_N), float(values_N.mean())
    owner_N = np.arange(count) if units_N is None or np.ptp(units_N) == 0 else units_N
    off_U = np.bincount(owner_N, weights=values_N - mean)
    error = math.sqrt(float(off_U @ off_U)) / count
    if not np.isin(values_N, (0.0, 1.0)).all():
        return mean - QUANTILE * error, mean + QUANTILE * error
    if mean in (0.0, 1.0):
        return wilson_interval(mean, len(np.unique(owner_N)))
    return wilson_interval(mean, count if error == 0 else min(count, mean * (1 - mean) / error**2))


def wilson_interval(share: float, count: float) -> tuple[float, float]:
    """Return the 95 % interval of a share of count rows (Wilson 1927).

    >>> [round(value, 3) for value in wilson_interval(0.9, 100)]
    [0.826, 0.945]
    """
    z = QUANTILE
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, (middle - reach) / (1 + z * z / count)), min(1.0, (middle + reach) / (1 + z * z / count))


def _ends(values_DK: Floats, whole_K: Floats, scale: float) -> tuple[Floats, Floats]:
    """Return the quantiles of each column; NaN where it does not vary or is undefined in a tenth of the draws."""
    low_K, high_K = np.full(len(whole_K), np.nan), np.full(len(whole_K), np.nan)
    for place in range(len(whole_K)):
        known = values_DK[:, place][np.isfinite(values_DK[:, place])]
        if len(known) < 0.9 * len(values_DK) or not len(known) or np.ptp(known) < 1e-12:
            continue
        ends = np.quantile(known, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        if scale < 1:  # draws of fewer rows spread wider
            ends = whole_K[place] + (ends - whole_K[place]) * scale
        low_K[place], high_K[place] = ends
    return low_K, high_K
