"""How far a score may lie off for the rows that it was measured on: intervals from drawing them again.

Knows nothing of what is scored. Numpy only.

Axes: N rows, U units (rows that depend on each other), D draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Scoring = Callable[[Ints], Mapping[str, float]]

DRAWS = 200  # the end of a 95 % interval is then the 5th of 200 values: good to about a seventh of a standard error
MOST_UNITS = 10_000  # of a draw: more would make each draw slow, and the interval is known well enough
LEVEL = 0.95


def bootstrap_intervals(
    score: Scoring, units_N: Ints, *, draws: int = DRAWS, most_units: int = MOST_UNITS, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Return the 95 % interval of each score, by drawing units with replacement (percentiles; Efron 1979).

    score: returns the scores of some rows, by name; a row may be there several times.
    units_N: int64 (N,), the unit of each row, from 0; all rows of a unit are drawn together, as rows of one document
        or with one text are right or wrong together.
    With more units than most_units, so many are drawn, and the distance of each draw from the score of all rows is
    shrunk by the root of the share (Politis and Romano 1994, for the rate of a mean).
    A score that a draw leaves undefined has no value there; one with values in less than half of the draws has no
    interval.

    >>> values_N = np.array([0.0, 1.0] * 50)
    >>> low, high = bootstrap_intervals(lambda rows: {"mean": values_N[rows].mean()}, np.arange(100))["mean"]
    >>> bool(0.38 < low < 0.44 and 0.56 < high < 0.62)
    True
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(units_N, kind="stable")
    sizes_U = np.bincount(units_N)
    ends_U = np.cumsum(sizes_U)
    drawn = min(len(sizes_U), most_units)
    whole = score(np.arange(len(units_N)))
    found: dict[str, list[float]] = {name: [] for name in whole}
    for _ in range(draws):
        units = rng.integers(0, len(sizes_U), drawn)
        sizes = sizes_U[units]
        starts = np.repeat(ends_U[units] - np.cumsum(sizes), sizes)
        for name, value in score(order[starts + np.arange(sizes.sum())]).items():
            if name in found and np.isfinite(value):
                found[name].append(value)
    shrink = np.sqrt(drawn / len(sizes_U))
    tails = [50 * (1 - LEVEL), 50 * (1 + LEVEL)]
    return {
        name: _ends(whole[name] + shrink * (np.percentile(values, tails) - whole[name]))
        for name, values in found.items()
        if len(values) >= draws / 2
    }


def _ends(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    return float(values[0]), float(values[1])
