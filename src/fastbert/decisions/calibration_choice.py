"""Which calibration is worth having: the simplest that rows held out from its fit cannot tell from a better one.

Knows nothing of tasks or bundles. Numpy only.

Axes: N rows, C labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fastbert.decisions.calibration import METHODS, Calibration, Link, Method, fit, row_losses
from fastbert.metrics.calibration import Reliability, label_wise_error, reliability, top_label_error

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.bool_]
FOLDS = 5
LEAST_ROWS = 100  # with fewer, a difference of log losses is chance


@dataclass(frozen=True)
class CalibrationFit:
    """A calibration and how it does on rows that it was not fitted on.

    losses: mean negative log likelihood of a row by method, each row mapped by a fit on other rows.
    error_before, error_after: expected calibration errors of the same rows: of the top label, or the mean over labels.
    before, after: reliability of the top labels, or of all cells together.
    """

    calibration: Calibration = field(default_factory=Calibration)
    losses: Mapping[str, float] = field(default_factory=dict)
    error_before: float = 0.0
    error_after: float = 0.0
    before: Reliability | None = None
    after: Reliability | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain values for the facts of a bundle."""
        return {
            "method": self.calibration.method,
            "log_losses": dict(self.losses),
            "error_before": self.error_before,
            "error_after": self.error_after,
            "before": [] if self.before is None else self.before.to_json(),
            "after": [] if self.after is None else self.after.to_json(),
        }


def choose_calibration(
    probs_NC: Floats,
    targets_NC: Cells,
    link: Link,
    *,
    methods: Sequence[Method] = METHODS,
    seed: int = 0,
) -> CalibrationFit:
    """Return the map fitted to all rows by the method that does best on rows held out, in FOLDS parts.

    methods: to choose among, from the simplest on; a later one is taken only where its log loss is lower by more than
    the standard error of the difference. Under LEAST_ROWS rows it is the first of them. One alone is taken, and
    measured beside none. Of fewer rows than twice the parts none are held out.
    """
    if not len(probs_NC):
        return CalibrationFit()
    chosen = methods[0]
    if len(probs_NC) < 2 * FOLDS or (len(probs_NC) < LEAST_ROWS and chosen == "none"):
        held_out = {chosen: fit(chosen, probs_NC, targets_NC, link).apply(probs_NC, link)}
    else:
        measured: tuple[Method, ...] = tuple(dict.fromkeys(("none", *methods)))
        held_out = {method: _held_out(method, probs_NC, targets_NC, link, seed) for method in measured}
    if len(probs_NC) >= LEAST_ROWS and len(methods) > 1:
        losses = {name: row_losses(probs, targets_NC, link) for name, probs in held_out.items() if name in methods}
        chosen = _simplest(losses)
    error = top_label_error if link == "softmax" else label_wise_error
    return CalibrationFit(
        fit(chosen, probs_NC, targets_NC, link),
        {name: float(row_losses(probs, targets_NC, link).mean()) for name, probs in held_out.items()},
        error(probs_NC, targets_NC),
        error(held_out[chosen], targets_NC),
        _reliability(probs_NC, targets_NC, link),
        _reliability(held_out[chosen], targets_NC, link),
    )


def folds_of(num_rows: int, seed: int, folds: int = FOLDS) -> npt.NDArray[np.int64]:
    """Return the part that each row is held out in, int64 (N,), parts of equal size at random."""
    places = np.arange(num_rows) % folds
    return np.random.default_rng(seed).permutation(places)


def _held_out(method: Method, probs_NC: Floats, targets_NC: Cells, link: Link, seed: int) -> Floats:
    """Return the probabilities of each row by a fit on the other parts."""
    result_NC = np.empty_like(probs_NC)
    fold_N = folds_of(len(probs_NC), seed)
    for fold in range(FOLDS):
        out_N = fold_N == fold
        result_NC[out_N] = fit(method, probs_NC[~out_N], targets_NC[~out_N], link).apply(probs_NC[out_N], link)
    return result_NC


def _simplest(losses: Mapping[Method, Floats]) -> Method:
    """Return the first method, or one behind it that is better by more than the standard error of the difference."""
    (chosen, best_N), *others = losses.items()
    for method, losses_N in others:
        gain_N = best_N - losses_N
        if gain_N.mean() > gain_N.std() / np.sqrt(len(gain_N)):
            chosen, best_N = method, losses_N
    return chosen


def _reliability(probs_NC: Floats, targets_NC: Cells, link: Link) -> Reliability:
    if link == "sigmoid":
        return reliability(probs_NC.ravel(), targets_NC.ravel())
    top_N = probs_NC.argmax(axis=1)
    rows = np.arange(len(top_N))
    return reliability(probs_NC[rows, top_N], targets_NC[rows, top_N])
