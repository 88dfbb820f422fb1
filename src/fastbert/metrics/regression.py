"""Scores of predicted numbers: correlations and errors.

Numbers are in the user's own unit. Knows nothing of texts or tasks. Axes: N rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastbert.errors import TrainingError

Floats = npt.NDArray[np.float64]


def regression_scores(predicted_N: Floats, true_N: Floats) -> dict[str, float]:
    """Return pearson, spearman, r2, rmse and mae.

    A correlation is left out where one side does not vary, r2 where the true values do not.
    r2: 1 - sum of squared errors / sum of squared differences from the mean of the true values; it is below 0 for
    answers worse than that mean.
    Raises ValueError for sides of different or no length, TrainingError for a prediction that is not finite.

    >>> scores = regression_scores(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    >>> {name: round(value, 3) for name, value in scores.items()}
    {'pearson': 0.982, 'spearman': 1.0, 'r2': 0.5, 'rmse': 0.577, 'mae': 0.333}
    """
    if predicted_N.shape != true_N.shape or predicted_N.ndim != 1 or not len(true_N):
        raise ValueError(f"predictions {predicted_N.shape} and true values {true_N.shape} must both be (N,), N > 0")
    wrong = int((~np.isfinite(predicted_N)).sum())
    if wrong:
        raise TrainingError(
            f"{wrong} of {len(predicted_N)} predictions are NaN or infinite: the model diverged.",
            "Train again with a lower learning rate, or in full precision.",
        )
    error_N = predicted_N - true_N
    scores = {}
    if np.ptp(true_N) > 0:
        if np.ptp(predicted_N) > 0:
            scores["pearson"] = _correlation(predicted_N, true_N)
            scores["spearman"] = _correlation(ranks(predicted_N), ranks(true_N))
        scores["r2"] = float(1 - (error_N**2).sum() / ((true_N - true_N.mean()) ** 2).sum())
    return scores | {"rmse": float(np.sqrt((error_N**2).mean())), "mae": float(np.abs(error_N).mean())}


def ranks(values_N: Floats) -> Floats:
    """Return the rank of each value from 1, equal values sharing the mean of theirs.

    >>> ranks(np.array([10.0, 30.0, 10.0])).tolist()
    [1.5, 3.0, 1.5]
    """
    _, place_N, counts = np.unique(values_N, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: Floats = (last - (counts - 1) / 2)[place_N]
    return found


def _correlation(one_N: Floats, two_N: Floats) -> float:
    """Return Pearson's coefficient, within [-1, 1] whatever rounding does."""
    one_N, two_N = one_N - one_N.mean(), two_N - two_N.mean()
    return float(np.clip((one_N / np.linalg.norm(one_N)) @ (two_N / np.linalg.norm(two_N)), -1.0, 1.0))
