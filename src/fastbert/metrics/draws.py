"""Rows drawn again with replacement: how often each comes, which is all that a score of a draw depends on.

The bootstrap of Efron 1979. Knows nothing of scores.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLOCK_CELLS = 2_000_000  # counts that are held at a time


def draw_counts(num_rows: int, draws: int, seed: int = 0, *, drawn: int | None = None) -> Iterator[Floats]:
    """Yield how often each row is drawn, in blocks (D, N), when `drawn` rows are, or as many as there are.

    A score of a draw is a function of these counts, which is what makes a thousand draws quick. The blocks together
    have `draws` rows; the same seed gives the same draws.

    >>> [block.sum(axis=1).tolist() for block in draw_counts(3, 2)]
    [[3.0, 3.0]]
    """
    rng = np.random.default_rng(seed)
    size = max(1, _BLOCK_CELLS // max(1, num_rows))
    for first in range(0, draws, size):
        count = min(size, draws - first)
        rows_DM = rng.integers(0, num_rows, (count, drawn or num_rows)) + num_rows * np.arange(count)[:, None]
        counts = np.bincount(rows_DM.ravel(), minlength=count * num_rows)
        yield counts.reshape(count, num_rows).astype(np.float64)
