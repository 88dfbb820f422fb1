"""Scores of single-label and multi-label classification, from numpy arrays.

Names and definitions are those of scikit-learn, computed here in numpy: one sort serves both
ranking scores of a label, and no score can be NaN or warn. Knows nothing of tasks, thresholds
or how a score is shown.

Conventions, where a score is not defined:

- precision, recall, F and MCC with nothing to divide by are 0 (scikit-learn's zero_division=0),
  but in the "samples" average a row with neither a target nor a decision is 1: nothing was to
  be found and nothing was found.
- The macro and weighted averages run over all labels of a multi-label task; over the classes
  that occur in targets or decisions of a single-label task; balanced accuracy over targets.
- ROC AUC and average precision of a label with no positive row, or no negative one, do not
  exist: the label is left out of the average, and `labels_left_out` counts such labels.
- A score that no label or row defines is not in the result. No rows: the result is empty.
"""

# N rows, C classes

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

import numpy as np
from numpy.typing import NDArray

from fastbert.errors import ConfigError, TrainingError

Floats = NDArray[np.float64]
Scores = NDArray[np.floating]
Ids = NDArray[np.integer]
Cells = NDArray[np.bool_]
Average = Literal["micro", "macro", "weighted", "samples"]
LabelScores = dict[str, float | int | None]


class ConfusionMatrix(TypedDict):
    """labels: names. matrix: rows are targets, columns decisions, in the order of labels."""

    labels: list[str]
    matrix: list[list[int]]


# --- one label a row --------------------------------------------------------------------------------


def single_label_scores(probs_NC: Scores, targets_N: Ids, decided_N: Ids, names: Sequence[str]) -> dict[str, float]:
    """Return the scores of rows with exactly one label.

    accuracy, balanced_accuracy, f1/precision/recall _macro and _weighted, f1_micro (equal to
    accuracy), mcc (R_K of Gorodkin 2004), log_loss, roc_auc_macro and average_precision_macro
    (one class against the rest), labels_left_out; f1_binary of the second label if there are two.

    probs_NC: probabilities; log_loss is left out if they are not within 0 and 1.
    targets_N, decided_N: ids within 0 and C - 1.
    Raises TrainingError if a probability is not finite.

    >>> probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> scores = single_label_scores(probs, np.array([0, 1, 1]), np.array([0, 1, 0]), ["no", "yes"])
    >>> round(scores["accuracy"], 3), round(scores["f1_binary"], 3), scores["roc_auc_macro"]
    (0.667, 0.667, 1.0)
    """
    matrix_CC = _confusion_counts(targets_N, decided_N, len(names))
    _check_scores(probs_NC, (len(targets_N), len(names)))
    if len(targets_N) == 0:
        return {}
    counts = _Counts(np.diag(matrix_CC), matrix_CC.sum(axis=0), matrix_CC.sum(axis=1))
    used = counts.take(np.flatnonzero(counts.decided + counts.targets))
    targeted = counts.take(np.flatnonzero(counts.targets))
    scores = {
        "accuracy": float(np.diag(matrix_CC).sum() / len(targets_N)),
        "balanced_accuracy": float(targeted.recall().mean()),
        "f1_micro": used.averaged(_Counts.f1, "micro"),
    }
    for average in ("macro", "weighted"):
        for name, measure in _MEASURES.items():
            scores[f"{name}_{average}"] = used.averaged(measure, average)
    if len(names) == 2:
        scores["f1_binary"] = float(counts.f1()[1])
    scores["mcc"] = _mcc(matrix_CC)
    scores |= _ranking_averages(probs_NC, one_hot(targets_N, len(names)))
    scores |= _log_loss(probs_NC[np.arange(len(targets_N)), targets_N], probs_NC)
    return scores


def one_hot(ids_N: Ids, num_classes: int) -> Cells:
    """Return ids as cells (N, C), for what takes multi-label arrays: `per_label`, `f_beta`.

    >>> one_hot(np.array([1, 0]), 2).tolist()
    [[False, True], [True, False]]
    """
    cells_NC: Cells = np.asarray(ids_N)[:, None] == np.arange(num_classes)
    return cells_NC


def confusion(targets_N: Ids, decided_N: Ids, names: Sequence[str]) -> ConfusionMatrix:
    """Count the rows of each pair of target and decision.

    Raises ValueError if the arrays hold names instead of ids, or ids that no name has.

    >>> confusion(np.array([0, 1, 1]), np.array([0, 1, 0]), ["no", "yes"])
    {'labels': ['no', 'yes'], 'matrix': [[1, 0], [1, 1]]}
    """
    return {"labels": list(names), "matrix": _confusion_counts(targets_N, decided_N, len(names)).tolist()}


# --- any number of labels a row ---------------------------------------------------------------------


def multi_label_scores(
    probs_NC: Scores, targets_NC: Cells, decided_NC: Cells, names: Sequence[str]
) -> dict[str, float]:
    """Return the scores of rows with any number of labels.

    exact_match (all labels of a row right; scikit-learn's accuracy), accuracy_thresh (share of
    right cells) = 1 - hamming_loss, precision/recall/f1 _micro, _macro, _weighted and _samples,
    roc_auc and average_precision _macro and _micro, labels_left_out, log_loss (mean over cells),
    mcc (of all cells taken as one binary problem).

    probs_NC: probabilities; log_loss is left out if they are not within 0 and 1.
    Raises TrainingError if a probability is not finite.

    >>> targets = np.array([[True, False], [True, True]])
    >>> scores = multi_label_scores(targets * 0.8, targets, targets, ["a", "b"])
    >>> scores["exact_match"], scores["f1_micro"], scores["labels_left_out"]
    (1.0, 1.0, 1.0)
    """
    targets_NC, decided_NC = _check_cells(targets_NC, decided_NC, len(names))
    _check_scores(probs_NC, targets_NC.shape)
    if targets_NC.size == 0:
        return {}
    right_NC = targets_NC == decided_NC
    scores = {
        "exact_match": float(right_NC.all(axis=1).mean()),
        "accuracy_thresh": float(right_NC.mean()),
        "hamming_loss": float((~right_NC).mean()),
    }
    by_label, by_row = _Counts.of(targets_NC, decided_NC, axis=0), _Counts.of(targets_NC, decided_NC, axis=1)
    for name, measure in _MEASURES.items():
        for average in ("micro", "macro", "weighted"):
            scores[f"{name}_{average}"] = by_label.averaged(measure, average)
        scores[f"{name}_samples"] = by_row.averaged(measure, "samples")
    scores["mcc"] = _mcc(_cell_confusions(targets_NC.reshape(-1, 1), decided_NC.reshape(-1, 1))[0])
    scores |= _ranking_averages(probs_NC, targets_NC)
    micro = _ranking_areas(probs_NC.reshape(-1), targets_NC.reshape(-1))
    if micro is not None:
        scores["roc_auc_micro"], scores["average_precision_micro"] = micro
    scores |= _log_loss(np.where(targets_NC, probs_NC, 1 - probs_NC), probs_NC)
    return scores


def per_label(probs_NC: Scores, targets_NC: Cells, decided_NC: Cells, names: Sequence[str]) -> dict[str, LabelScores]:
    """Return precision, recall, f1, support, predicted, roc_auc, average_precision by label name.

    support: rows with the label.    predicted: rows decided to have it.
    roc_auc and average_precision are None for a label on no row or on all rows.
    For single-label tasks pass `one_hot` arrays.
    """
    targets_NC, decided_NC = _check_cells(targets_NC, decided_NC, len(names))
    _check_scores(probs_NC, targets_NC.shape)
    counts = _Counts.of(targets_NC, decided_NC, axis=0)
    columns = [counts.precision(), counts.recall(), counts.f1(), counts.targets, counts.decided]
    keys = ("precision", "recall", "f1", "support", "predicted")
    result: dict[str, LabelScores] = {}
    for label, name in enumerate(names):
        result[name] = {key: column[label].item() for key, column in zip(keys, columns, strict=True)}
        areas = _ranking_areas(probs_NC[:, label], targets_NC[:, label])
        result[name]["roc_auc"], result[name]["average_precision"] = areas or (None, None)
    return result


def confusion_per_label(targets_NC: Cells, decided_NC: Cells, names: Sequence[str]) -> dict[str, list[list[int]]]:
    """Return [[true negatives, false positives], [false negatives, true positives]] by label name.

    >>> confusion_per_label(np.array([[True], [False]]), np.array([[True], [True]]), ["a"])
    {'a': [[0, 1], [0, 1]]}
    """
    targets_NC, decided_NC = _check_cells(targets_NC, decided_NC, len(names))
    return dict(zip(names, _cell_confusions(targets_NC, decided_NC).tolist(), strict=True))


def f_beta(targets: Cells | Ids, decided: Cells | Ids, *, beta: float = 1.0, average: Average = "macro") -> float:
    """Return F-beta: (1 + b^2) TP / ((1 + b^2) TP + FP + b^2 FN), averaged.

    beta above 1 weighs recall, below 1 precision.
    targets, decided: both bool (N, C), or both ids (N,); ids have no "samples" average.
    Raises ConfigError for another average or a beta that is not positive.

    >>> targets, decided = np.array([[True, True, False]]), np.array([[True, False, False]])
    >>> round(f_beta(targets, decided, beta=2, average="micro"), 4)  # 5 / (5 + 0 + 4)
    0.5556
    """
    if not 0 < beta < np.inf:
        raise ConfigError(f"beta is {beta}; it must be above 0, such as 1 or 2.")
    choices = get_args(Average)[: 4 if targets.ndim > 1 else 3]
    if average not in choices:
        raise ConfigError(f"average '{average}' is not one of {', '.join(choices)}.")
    if targets.ndim == 1:
        classes = np.union1d(targets, decided)
        targets, decided = targets[:, None] == classes, decided[:, None] == classes
    targets_NC, decided_NC = _check_cells(targets, decided, targets.shape[1])
    counts = _Counts.of(targets_NC, decided_NC, axis=1 if average == "samples" else 0)
    return counts.averaged(lambda part: part.f_beta(beta), average)


# --- counts -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Counts:
    """True positives, decisions and targets: of each label, or of each row."""

    hits: NDArray[np.int64]
    decided: NDArray[np.int64]
    targets: NDArray[np.int64]

    @classmethod
    def of(cls, targets_NC: Cells, decided_NC: Cells, *, axis: int) -> _Counts:
        both_NC = targets_NC & decided_NC
        return cls(both_NC.sum(axis=axis), decided_NC.sum(axis=axis), targets_NC.sum(axis=axis))

    def take(self, positions: NDArray[np.int64]) -> _Counts:
        return _Counts(self.hits[positions], self.decided[positions], self.targets[positions])

    def precision(self) -> Floats:
        return _divided(self.hits, self.decided)

    def recall(self) -> Floats:
        return _divided(self.hits, self.targets)

    def f_beta(self, beta: float) -> Floats:
        return _divided((1 + beta**2) * self.hits, self.decided + beta**2 * self.targets)

    def f1(self) -> Floats:
        return self.f_beta(1.0)

    def averaged(self, measure: Callable[[_Counts], Floats], average: str) -> float:
        """Return the average of a measure; 0 where there is nothing. "samples" is for rows."""
        if average == "micro":
            parts = (self.hits, self.decided, self.targets)
            return float(measure(_Counts(*(np.atleast_1d(part.sum()) for part in parts)))[0])
        values = measure(self)
        if average == "samples":
            values = np.where(self.decided + self.targets == 0, 1.0, values)
        if average == "weighted":
            return float(values @ self.targets / max(self.targets.sum(), 1))
        return float(values.mean()) if len(values) else 0.0


_MEASURES = {"precision": _Counts.precision, "recall": _Counts.recall, "f1": _Counts.f1}


def _divided(numerator: NDArray[np.number], denominator: NDArray[np.number]) -> Floats:
    """Divide; 0 where the denominator is 0."""
    result = np.zeros(len(numerator))
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def _confusion_counts(targets_N: Ids, decided_N: Ids, num_classes: int) -> NDArray[np.int64]:
    for what, ids_N in (("targets", targets_N), ("decisions", decided_N)):
        ids = np.asarray(ids_N)
        if ids.ndim != 1 or (ids.size and not np.issubdtype(ids.dtype, np.integer)):
            raise ValueError(f"{what} must be ids (N,), not {ids.dtype} {ids.shape}; see Labels.id_of for names")
        if ids.size and not 0 <= ids.min() <= ids.max() < num_classes:
            raise ValueError(f"{what} must be within 0 and {num_classes - 1}: found {ids.min()} to {ids.max()}")
    if len(targets_N) != len(decided_N):
        raise ValueError(f"{len(targets_N)} targets and {len(decided_N)} decisions")
    codes = np.asarray(targets_N, np.int64) * num_classes + np.asarray(decided_N, np.int64)
    return np.bincount(codes, minlength=num_classes**2).reshape(num_classes, num_classes)


def _cell_confusions(targets_NC: Cells, decided_NC: Cells) -> NDArray[np.int64]:
    """Return (C, 2, 2) as [[tn, fp], [fn, tp]]."""
    counts = _Counts.of(targets_NC, decided_NC, axis=0)
    false_positives, false_negatives = counts.decided - counts.hits, counts.targets - counts.hits
    true_negatives = len(targets_NC) - counts.hits - false_positives - false_negatives
    return np.stack([true_negatives, false_positives, false_negatives, counts.hits], axis=1).reshape(-1, 2, 2)


def _mcc(matrix_CC: NDArray[np.int64]) -> float:
    """Return Matthews' correlation of any number of classes (Gorodkin 2004); 0 if undefined."""
    matrix = matrix_CC.astype(np.float64)  # products of counts leave int64 at 3e9 rows
    rows, columns, total = matrix.sum(axis=1), matrix.sum(axis=0), matrix.sum()
    spread = (total**2 - rows @ rows) * (total**2 - columns @ columns)
    return float((np.trace(matrix) * total - rows @ columns) / np.sqrt(spread)) if spread > 0 else 0.0


# --- ranking ----------------------------------------------------------------------------------------


def _ranking_areas(scores_N: Scores, targets_N: Cells) -> tuple[float, float] | None:
    """Return ROC AUC and average precision; None if no row, or every row, is positive.

    Equal scores are one threshold. ROC AUC is the trapezoid area. Average precision is the
    sum of precision times the step in recall, not interpolated, as in scikit-learn.
    """
    positives = int(targets_N.sum())
    negatives = len(targets_N) - positives
    if positives == 0 or negatives == 0:
        return None
    order = np.argsort(scores_N)[::-1]
    sorted_N = scores_N[order]
    last_of_each = np.append(np.flatnonzero(sorted_N[1:] != sorted_N[:-1]), len(sorted_N) - 1)
    hits = np.cumsum(targets_N[order], dtype=np.float64)[last_of_each]
    taken = last_of_each + 1.0
    new_hits, new_misses = np.diff(hits, prepend=0.0), np.diff(taken - hits, prepend=0.0)
    # sums, not dot products: BLAS threads doubled the time of 50k x 28 on two busy cores
    roc_auc = float((new_misses * (2 * hits - new_hits)).sum()) / (2 * positives * negatives)
    return roc_auc, float((new_hits * (hits / taken)).sum()) / positives


def _ranking_averages(probs_NC: Scores, targets_NC: Cells) -> dict[str, float]:
    columns = range(targets_NC.shape[1])
    areas = [_ranking_areas(probs_NC[:, label], targets_NC[:, label]) for label in columns]
    defined = [area for area in areas if area is not None]
    scores = {"labels_left_out": float(len(areas) - len(defined))}
    if defined:
        scores["roc_auc_macro"], scores["average_precision_macro"] = np.mean(defined, axis=0).tolist()
    return scores


# --- log loss and checks ----------------------------------------------------------------------------


def _log_loss(probs_of_truth: Scores, probs_NC: Scores) -> dict[str, float]:
    """Return the mean negative log likelihood; {} if the scores are no probabilities.

    A probability counts as at least the resolution of its type, as in scikit-learn.
    """
    if probs_NC.min() < 0 or probs_NC.max() > 1:
        return {}
    smallest = float(np.finfo(probs_NC.dtype).eps)
    clipped = np.clip(probs_of_truth.astype(np.float64), smallest, 1 - smallest)
    return {"log_loss": float(-np.log(clipped).mean())}


def _check_cells(targets_NC: Cells | Ids, decided_NC: Cells | Ids, num_labels: int) -> tuple[Cells, Cells]:
    shapes = (np.shape(targets_NC), np.shape(decided_NC))
    if shapes[0] != shapes[1] or len(shapes[0]) != 2 or shapes[0][1] != num_labels:
        raise ValueError(f"targets {shapes[0]} and decisions {shapes[1]} must both be (N, {num_labels})")
    return np.asarray(targets_NC, np.bool_), np.asarray(decided_NC, np.bool_)


def _check_scores(probs_NC: Scores, shape: tuple[int, ...]) -> None:
    if probs_NC.shape != shape:
        raise ValueError(f"scores are {probs_NC.shape}, targets {shape}")
    finite = int(np.isfinite(probs_NC).sum())
    if finite < probs_NC.size:
        raise TrainingError(
            f"{probs_NC.size - finite} of {probs_NC.size} scores are NaN or infinite: the model diverged.",
            "Train again with a lower learning rate, or in full precision.",
        )
