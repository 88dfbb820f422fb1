"""How often a row comes in an epoch: rows of rare labels more than once, in rounds without repetition.

Repeat-factor sampling (Gupta et al. 2019, LVIS, arXiv 1908.03195, section 4.1). Works on label cells and numbers alone;
knows nothing of labels' names or of batches.

Axes: N rows, C labels.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
MOST_REPEATS = 10.0  # as positive weights: few rows said more often teach their words, not their label


def repeat_factors(cells_NC: npt.NDArray[np.bool_]) -> Floats:
    """Return how often each row comes in an epoch, on average: float64 (N,), 1 to MOST_REPEATS.

    A label on a share f of the rows has the factor max(1, sqrt(t / f)), a row the largest of its labels. t is the mean
    share of the labels that occur, which is 1 / C where each row has one (LVIS, with a thousand labels, takes 0.001).

    >>> repeat_factors(np.array([[1, 0]] * 15 + [[0, 1]], np.bool_))[-2:].round(3).tolist()
    [1.0, 2.828]
    """
    shares_C = cells_NC.mean(axis=0)
    occurring_C = shares_C > 0
    if not occurring_C.any():
        return np.ones(len(cells_NC))
    usual = shares_C[occurring_C].mean()
    factors_C = np.clip(np.sqrt(usual / np.where(occurring_C, shares_C, 1.0)), 1.0, MOST_REPEATS)
    found: Floats = np.where(cells_NC, factors_C, 1.0).max(axis=1)
    return found


def round_sizes(repeats_N: Floats) -> tuple[int, ...]:
    """Return the rows of each round of an epoch, the same for every epoch; they add up to the sum of repeats_N.

    >>> round_sizes(np.array([1.0, 1.0, 1.0, 2.5]))
    (2, 2, 2)
    """
    total = _total(repeats_N)
    count = _num_rounds(repeats_N)
    return tuple(len(range(first, total, count)) for first in range(count))


def draw_rounds(order_N: Indices, repeats_N: Floats, rng: np.random.Generator) -> list[Indices]:
    """Return the rows of an epoch in rounds, of which none holds a row twice.

    A row comes floor or ceil of its factor times, and over the epochs as often as that says (systematic sampling);
    a batch, made of one round, therefore never holds a row twice.
    order_N: the rows in random order.
    """
    ends_N = np.cumsum(_whole(repeats_N)[order_N])
    ends_N[-1] = _total(repeats_N)  # whatever was rounded on the way
    copies_N = np.diff(np.floor(ends_N + rng.random()), prepend=0.0).astype(np.intp)
    rows = np.repeat(order_N, copies_N)
    count = _num_rounds(repeats_N)
    # copies lie side by side, so that every count-th row holds each of them once at most
    return [rng.permutation(rows[first::count]) for first in range(count)]


def _total(repeats_N: Floats) -> int:
    return math.ceil(float(repeats_N.sum()) - 1e-6)


def _whole(repeats_N: Floats) -> Floats:
    """Return the factors, raised by so little that they add up to a whole number."""
    raised_N: Floats = repeats_N * (_total(repeats_N) / repeats_N.sum())
    return raised_N


def _num_rounds(repeats_N: Floats) -> int:
    return math.floor(float(_whole(repeats_N).max()) + 1e-6) + 1
