"""How far probabilities can be taken at their word: calibration error, reliability, Brier score. Numpy only.

Knows nothing of tasks, or of how probabilities are mended (`decisions.calibration`).

Axes: N rows or cells, C classes, K bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Cells = NDArray[np.bool_]
BINS = 15  # of equal width, as in Guo et al. 2017 (arXiv 1706.04599)


@dataclass(frozen=True)
class Reliability:
    """Bins of equal width over probabilities, empty ones left out; each array has shape (K,).

    stated_K: mean probability of a bin.    found_K: share that is right there.    count_K: how many it holds.
    """

    stated_K: NDArray[np.float64]
    found_K: NDArray[np.float64]
    count_K: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Return the expected calibration error: the mean distance of stated and found, weighted by count."""
        total = max(int(self.count_K.sum()), 1)
        return float((np.abs(self.stated_K - self.found_K) * self.count_K).sum() / total)

    def to_json(self) -> list[list[float]]:
        """Return [stated, found, count] by bin."""
        columns = (self.stated_K.tolist(), self.found_K.tolist(), self.count_K.tolist())
        return [list(row) for row in zip(*columns, strict=True)]


def reliability(probs_N: Floats, right_N: Cells, bins: int = BINS) -> Reliability:
    """Return what was stated and what was found, by bin of the stated probability.

    >>> found = reliability(np.array([0.9, 0.9, 0.9, 0.9]), np.array([True, True, True, False]))
    >>> found.count_K.tolist(), round(found.error, 4)
    ([4], 0.15)
    """
    place_N = np.minimum((np.asarray(probs_N, np.float64) * bins).astype(np.int64), bins - 1)
    count_K = np.bincount(place_N, minlength=bins)
    used = np.flatnonzero(count_K)
    stated_K = np.bincount(place_N, weights=probs_N, minlength=bins)[used] / count_K[used]
    found_K = np.bincount(place_N, weights=right_N, minlength=bins)[used] / count_K[used]
    return Reliability(stated_K, found_K, count_K[used])


def top_label_error(probs_NC: Floats, targets_NC: Cells) -> float:
    """Return the expected calibration error of the highest probability of each row (Guo et al. 2017); 0 of no rows."""
    if not len(probs_NC):
        return 0.0
    top_N = probs_NC.argmax(axis=1)
    rows = np.arange(len(top_N))
    return reliability(probs_NC[rows, top_N], targets_NC[rows, top_N]).error


def label_wise_error(probs_NC: Floats, targets_NC: Cells) -> float:
    """Return the mean over labels of the calibration error of each label's probability.

    The classwise error of Kull et al. 2019 (arXiv 1910.12656, section 3). 0 of no rows. Where a label is rare most
    probabilities are near 0 and right there: the error is small whatever the others are.
    """
    if not probs_NC.size:
        return 0.0
    errors = [reliability(probs_NC[:, label], targets_NC[:, label]).error for label in range(probs_NC.shape[1])]
    return float(np.mean(errors))


def brier_score(probs_NC: Floats, targets_NC: Cells) -> float:
    """Return the mean over rows of the squared distance of probabilities and truth, summed over labels (Brier 1950)."""
    return float(((probs_NC - targets_NC) ** 2).sum(axis=1).mean()) if len(probs_NC) else 0.0
