"""The rule that turns scores into answers. Saved in the bundle; numpy only.

Axes: N rows, C labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.errors import BundleError

Floats = npt.NDArray[np.floating]
DEFAULT_THRESHOLD = 0.5
DEFAULT_MARGIN = 0.0  # null_score_diff_threshold of run_squad.py
_GRID = np.round(np.arange(0.05, 0.951, 0.01), 2)


@dataclass(frozen=True)
class Decisions:
    """What was fitted on validation rows. Each task reads its own number, most read none.

    threshold: from which score on a multi-label model gives a label.
    no_answer_margin: a model that knows questions without an answer gives none where "no answer" scores better than
        the best answer by more than this many logits.
    """

    threshold: float = DEFAULT_THRESHOLD
    no_answer_margin: float = DEFAULT_MARGIN

    def to_json(self) -> dict[str, object]:
        """Return plain values for bundle.json."""
        return {"threshold": self.threshold, "no_answer_margin": self.no_answer_margin}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Decisions:
        """Read what `to_json` wrote, this version or one before it. Raises BundleError for anything else."""
        threshold = values.get("threshold", DEFAULT_THRESHOLD)
        if not isinstance(threshold, int | float) or not 0.0 <= threshold <= 1.0:
            raise BundleError(f"bundle.json: the decision threshold is {threshold!r}; expected a number from 0 to 1.")
        margin = values.get("no_answer_margin", DEFAULT_MARGIN)
        if not isinstance(margin, int | float) or not math.isfinite(margin):
            raise BundleError(f"bundle.json: the margin of no answer is {margin!r}; expected a number.")
        return cls(float(threshold), float(margin))


def fit_threshold(scores_NC: Floats, targets_NC: npt.NDArray[np.bool_]) -> float:
    """Return the one threshold, shared by all labels, with the best macro F1 on these rows.

    One number for all labels, because a threshold of its own for a label with ten rows fits
    noise. Of equal values the one nearest to 0.5 is taken. Labels without a positive row do
    not count. Returns 0.5 if there is no positive cell.
    """
    present_C = targets_NC.any(axis=0)
    if not present_C.any():
        return DEFAULT_THRESHOLD
    scores_NC, targets_NC = scores_NC[:, present_C], targets_NC[:, present_C]
    support_C = targets_NC.sum(axis=0)

    def macro_f1(threshold: float) -> float:
        decided_NC = scores_NC >= threshold
        hits_C = (decided_NC & targets_NC).sum(axis=0)
        return float(np.mean(2 * hits_C / (decided_NC.sum(axis=0) + support_C)))

    values = np.array([macro_f1(threshold) for threshold in _GRID])
    # Flat, noisy curves: average neighbours before taking the top (5 points = 0.05 wide).
    padded = np.pad(values, 2, mode="edge")
    smooth = np.convolve(padded, np.ones(5) / 5, mode="valid")
    best = np.flatnonzero(smooth >= smooth.max() - 1e-12)
    return float(_GRID[best[np.argmin(np.abs(_GRID[best] - DEFAULT_THRESHOLD))]])
