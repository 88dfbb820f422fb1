"""Average precision of many draws of the same rows: the rows are sorted once a label, a draw weighs them.

Axes: D draws, N rows, C labels, P positive rows of one label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class _Label:
    """order_N: rows by falling score.    positive_P: places in it of rows with the label.

    last_P: for each of them the last place with the same score: equal scores are one threshold.
    """

    order_N: Ints
    positive_P: Ints
    last_P: Ints


@dataclass(frozen=True)
class RankedRows:
    """The rows in the order of each label's score."""

    labels: tuple[_Label, ...]

    @classmethod
    def of(cls, scores_NC: Floats, targets_NC: NDArray[np.bool_]) -> RankedRows:
        """Sort the rows once for each label that some row has."""
        return cls(
            tuple(
                _sorted_label(scores_NC[:, label], targets_NC[:, label])
                for label in np.flatnonzero(targets_NC.any(axis=0))
            )
        )

    def average_precision(self, counts_DN: Floats) -> Floats:
        """Return the mean over labels, (D,), of those that have rows with and rows without them in the draw.

        The sum of precision times the step in recall, not interpolated: `metrics.classification`. NaN without any.
        """
        total_D = counts_DN.sum(axis=1)
        sums_D, labels_D = np.zeros(len(counts_DN)), np.zeros(len(counts_DN))
        for label in self.labels:
            taken_DN = np.cumsum(counts_DN[:, label.order_N], axis=1)
            weight_DP = counts_DN[:, label.order_N[label.positive_P]]
            hits_DP = np.cumsum(weight_DP, axis=1)
            # hits up to the end of the run of equal scores that a positive row is in
            ends_P = np.searchsorted(label.positive_P, label.last_P, side="right") - 1
            precision_DP = hits_DP[:, ends_P] / np.maximum(taken_DN[:, label.last_P], 1.0)
            positives_D = weight_DP.sum(axis=1)
            defined_D = (positives_D > 0) & (positives_D < total_D)
            sums_D += np.where(defined_D, (weight_DP * precision_DP).sum(axis=1) / np.maximum(positives_D, 1.0), 0.0)
            labels_D += defined_D
        return np.where(labels_D > 0, sums_D / np.maximum(labels_D, 1.0), np.nan)


def _sorted_label(scores_N: Floats, targets_N: NDArray[np.bool_]) -> _Label:
    order_N = np.argsort(-scores_N, kind="stable")
    sorted_N = scores_N[order_N]
    positive_P = np.flatnonzero(targets_N[order_N])
    last_P = np.searchsorted(-sorted_N, -sorted_N[positive_P], side="right") - 1
    return _Label(order_N, positive_P, last_P)
