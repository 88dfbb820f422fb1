"""Rows drawn again with replacement: how often each comes, which is all that a score of a draw depends on.

The bootstrap of Efron 1979. Knows nothing of scores.

Axes: D draws, N rows, U units (rows that are drawn together), M of them drawn.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK_CELLS = 2_000_000  # counts that are held at a time


def draw_counts(
    num_rows: int, draws: int, seed: int = 0, *, drawn: int | None = None, units_N: Ints | None = None
) -> Iterator[Floats]:
    """Yield how often each row is drawn, in blocks (D, N), when `drawn` rows are, or as many as there are.

    units_N: unit of each row, from 0 without gaps: units are drawn in place of rows, so many of them, and all rows of
        one come as often as it does.

    A score of a draw is a function of these counts, which is what makes a thousand draws quick. The blocks together
    have `draws` rows; the same seed gives the same draws.

    >>> [block.sum(axis=1).tolist() for block in draw_counts(3, 2)]
    [[3.0, 3.0]]
    """
    num_units = num_rows if units_N is None else int(units_N.max()) + 1
    rng = np.random.default_rng(seed)
    size = max(1, _BLOCK_CELLS // max(1, num_rows))
    for first in range(0, draws, size):
        count = min(size, draws - first)
        units_DM = rng.integers(0, num_units, (count, drawn or num_units)) + num_units * np.arange(count)[:, None]
        counts_DU = np.bincount(units_DM.ravel(), minlength=count * num_units).reshape(count, num_units)
        yield (counts_DU if units_N is None else counts_DU[:, units_N]).astype(np.float64)
