"""Weights of labels that exclude each other: the label with the highest weighted probability is the answer.

The highest probability is right most often; for a mean over labels (macro F1) it gives rare ones too seldom. How far
the weights leave 1 is chosen on rows held out, as for thresholds. Numpy only.

Axes: N rows, C labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastbert.decisions.calibration_choice import FOLDS, folds_of
from fastbert.decisions.thresholds import BELIEFS, ERROR_DRAWS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
PASSES = 3  # over the labels
MARGIN = 2.0  # standard errors that weights must gain: of seven ways the best one always gains a little
FARTHEST = 4.0  # logarithm of the largest weight
SMALLEST = 1e-12


@dataclass(frozen=True)
class WeightFit:
    """weight_C: 1 for all where they gain nothing on rows held out.

    value, plain_value: F-beta on rows held out, with and without weights.    error: standard error of the difference.
    """

    weight_C: Floats
    value: float
    plain_value: float
    error: float


def fit_weights(probs_NC: Floats, targets_N: Ints, beta: float = 1.0, seed: int = 0) -> WeightFit:
    """Return weights for the best mean F-beta of the labels that occur."""
    num_labels = probs_NC.shape[1]
    support_C = np.bincount(targets_N, minlength=num_labels)
    logs_NC = np.log(np.maximum(probs_NC, SMALLEST))
    fold_N = folds_of(len(targets_N), seed)
    decided = np.zeros((len(BELIEFS), len(targets_N)), np.int64)
    for fold in range(FOLDS):
        out_N = fold_N == fold
        found_C = _best(logs_NC[~out_N], targets_N[~out_N], beta)
        kept_C = np.bincount(targets_N[~out_N], minlength=num_labels)
        for place, belief in enumerate(BELIEFS):
            decided[place, out_N] = (logs_NC[out_N] + _shrunk(found_C, kept_C, belief)).argmax(axis=1)
    values = [macro_f_beta(targets_N, one_N, num_labels, beta) for one_N in decided]
    best = int(np.argmax(values))
    error = _error(targets_N, decided[0], decided[best], num_labels, beta, seed)
    if values[best] - values[0] <= MARGIN * error:
        best = 0
    weight_C = np.exp(_shrunk(_best(logs_NC, targets_N, beta), support_C, BELIEFS[best]))
    return WeightFit(np.asarray(np.round(weight_C, 4), np.float64), values[best], values[0], error)


def macro_f_beta(targets_N: Ints, decided_N: Ints, num_labels: int, beta: float) -> float:
    """Return the mean F-beta of the labels among targets or decisions, as the metric of single-label tasks."""
    hits_C = np.bincount(targets_N[targets_N == decided_N], minlength=num_labels)
    true_C, given_C = np.bincount(targets_N, minlength=num_labels), np.bincount(decided_N, minlength=num_labels)
    used = true_C + given_C > 0
    f_C = (1 + beta**2) * hits_C[used] / (given_C[used] + beta**2 * true_C[used])
    return float(f_C.mean()) if used.any() else 0.0


def _shrunk(log_weight_C: Floats, support_C: npt.NDArray[np.integer], belief: float) -> Floats:
    return np.asarray(log_weight_C * support_C / np.maximum(support_C + belief, 1e-9))


def _best(logs_NC: Floats, targets_N: Ints, beta: float) -> Floats:
    """Return the logarithms of the weights, label by label, each the best for what the others are."""
    log_weight_C = np.zeros(logs_NC.shape[1])
    present = np.flatnonzero(np.bincount(targets_N, minlength=len(log_weight_C)))
    for _ in range(PASSES):
        before_C = log_weight_C.copy()
        for label in present:
            log_weight_C[label] = _best_of_one(logs_NC, targets_N, log_weight_C, int(label), beta)
        log_weight_C -= np.median(log_weight_C[present])  # a factor on all of them changes nothing
        if np.abs(log_weight_C - before_C).max() < 1e-3:
            break
    return np.clip(log_weight_C, -FARTHEST, FARTHEST)


def _best_of_one(logs_NC: Floats, targets_N: Ints, log_weight_C: Floats, label: int, beta: float) -> float:
    """Return the log weight of one label with the best macro F-beta: rows change to it one by one as it rises."""
    scored_NC = logs_NC + log_weight_C
    scored_NC[:, label] = -np.inf
    other_N = scored_NC.argmax(axis=1)
    needed_N = scored_NC.max(axis=1) - logs_NC[:, label]  # from this log weight on the row is given the label
    order = np.argsort(needed_N)
    num_labels = len(log_weight_C)
    true_C = np.bincount(targets_N, minlength=num_labels).astype(np.float64)
    given_C = np.bincount(other_N, minlength=num_labels).astype(np.float64)
    hits_C = np.bincount(targets_N[targets_N == other_N], minlength=num_labels).astype(np.float64)
    # after the first k rows of the order: what the label gains, and what each other label loses
    moved_N, truth_N = other_N[order], targets_N[order]
    steps = np.arange(len(order) + 1)
    gained = np.concatenate([[0], np.cumsum(truth_N == label)])
    curve = (1 + beta**2) * gained / np.maximum(steps + beta**2 * true_C[label], 1e-12)
    used = true_C + given_C > 0
    for one in np.flatnonzero(used):
        if one == label:
            continue
        lost = np.concatenate([[0], np.cumsum(moved_N == one)])
        lost_hits = np.concatenate([[0], np.cumsum((moved_N == one) & (truth_N == one))])
        left = given_C[one] - lost + beta**2 * true_C[one]
        curve = curve + (1 + beta**2) * (hits_C[one] - lost_hits) / np.maximum(left, 1e-12)
    width = max(1, len(order) // 50)  # one lucky row is no reason: neighbours are averaged
    padded = np.pad(curve, width, mode="edge")
    sums = np.cumsum(np.concatenate([[0.0], padded]))
    mean = (sums[2 * width + 1 :] - sums[: -2 * width - 1]) / (2 * width + 1)
    best = int(np.argmax(mean))
    edges = np.concatenate([[needed_N[order[0]] - 1.0], needed_N[order], [needed_N[order[-1]] + 1.0]])
    return float(np.clip((edges[best] + edges[best + 1]) / 2, -FARTHEST, FARTHEST))


def _error(first_N: Ints, plain_N: Ints, other_N: Ints, num_labels: int, beta: float, seed: int) -> float:
    rng, gains = np.random.default_rng(seed), []
    for _ in range(ERROR_DRAWS):
        rows = rng.integers(0, len(first_N), len(first_N))
        values = [macro_f_beta(first_N[rows], one_N[rows], num_labels, beta) for one_N in (plain_N, other_N)]
        gains.append(values[1] - values[0])
    return float(np.std(gains))
