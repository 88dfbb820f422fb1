"""Scores equal scikit-learn's on random arrays, where it defines them, and are never NaN."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sklearn_metrics

from fastbert.metrics.classification import (
    Average,
    confusion,
    confusion_per_label,
    f_beta,
    multi_label_scores,
    one_hot,
    per_label,
    single_label_scores,
)

# N rows, C classes
Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
Cells = NDArray[np.bool_]
Result = TypeVar("Result")


def names_of(num_classes: int) -> list[str]:
    return [f"label {index}" for index in range(num_classes)]


shapes = st.tuples(st.integers(1, 25), st.integers(2, 5), st.integers(0, 10_000))
RANKING: dict[str, Callable[..., float]] = {
    "roc_auc": sklearn_metrics.roc_auc_score,
    "average_precision": sklearn_metrics.average_precision_score,
}
COARSE = 6  # probabilities in sixths: many ties


def random_single(shape: tuple[int, int, int]) -> tuple[Floats, Ids, Ids]:
    """Return probabilities with ties, targets and decisions; some classes never occur."""
    num_rows, num_classes, seed = shape
    rng = np.random.default_rng(seed)
    weights_NC = rng.integers(1, COARSE, size=(num_rows, num_classes)).astype(np.float64)
    weights_NC /= weights_NC.sum(axis=1, keepdims=True)
    used = rng.integers(1, num_classes, endpoint=True)
    return weights_NC, rng.integers(used, size=num_rows), rng.integers(num_classes, size=num_rows)


def random_cells(shape: tuple[int, int, int]) -> tuple[Floats, Cells, Cells]:
    """Return probabilities with ties and 0 and 1, targets and decisions; labels may be empty or full."""
    num_rows, num_labels, seed = shape
    rng = np.random.default_rng(seed)
    probs_NC = rng.integers(COARSE, size=shape[:2], endpoint=True) / COARSE
    targets_NC = rng.random((num_rows, num_labels)) < rng.choice([0.0, 0.2, 0.5, 1.0], size=num_labels)
    return probs_NC, targets_NC, rng.random(shape[:2]) < rng.choice([0.0, 0.3, 0.7])


def quietly(function: Callable[..., Result], *arguments: object, **options: object) -> Result:
    """Call scikit-learn; its warnings about undefined scores are not the subject here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


def mean_where_defined(function: Callable[..., float], targets_NC: Cells, probs_NC: Floats) -> float | None:
    defined = [label for label in range(targets_NC.shape[1]) if 0 < targets_NC[:, label].mean() < 1]
    values = [function(targets_NC[:, label], probs_NC[:, label]) for label in defined]
    return float(np.mean(values)) if values else None


@settings(max_examples=40)  # keeps the test below a second
@given(shape=shapes)
def test_single_label_scores_equal_scikit_learn(shape: tuple[int, int, int]) -> None:
    probs_NC, targets_N, decided_N = random_single(shape)
    names = names_of(shape[1])

    scores = single_label_scores(probs_NC, targets_N, decided_N, names)

    expected: dict[str, float | None] = {
        "accuracy": sklearn_metrics.accuracy_score(targets_N, decided_N),
        "balanced_accuracy": quietly(sklearn_metrics.balanced_accuracy_score, targets_N, decided_N),
        "mcc": quietly(sklearn_metrics.matthews_corrcoef, targets_N, decided_N),
        "log_loss": sklearn_metrics.log_loss(targets_N, probs_NC, labels=range(shape[1])),
        "f1_micro": sklearn_metrics.f1_score(targets_N, decided_N, average="micro"),
        "labels_left_out": float(sum(not 0 < (targets_N == label).mean() < 1 for label in range(shape[1]))),
    }
    for average in ("macro", "weighted"):
        values = quietly(
            sklearn_metrics.precision_recall_fscore_support,
            targets_N,
            decided_N,
            average=average,
            zero_division=0,
        )
        expected |= dict(zip([f"{name}_{average}" for name in ("precision", "recall", "f1")], values, strict=False))
    cells_NC = one_hot(targets_N, shape[1])
    for name, function in RANKING.items():
        expected[f"{name}_macro"] = mean_where_defined(function, cells_NC, probs_NC)
    if shape[1] == 2:
        expected["f1_binary"] = quietly(sklearn_metrics.f1_score, targets_N, decided_N, zero_division=0)
    assert scores == pytest.approx(without_none(expected), rel=1e-12, abs=1e-12)


def without_none(values: dict[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def expected_samples(targets_NC: Cells, decided_NC: Cells) -> list[float]:
    """scikit-learn on the rows with a target or a decision; the other rows count 1."""
    num_rows = len(targets_NC)
    some = np.flatnonzero((targets_NC | decided_NC).any(axis=1))
    if len(some) == 0:
        return [1.0, 1.0, 1.0]
    values = sklearn_metrics.precision_recall_fscore_support(
        targets_NC[some], decided_NC[some], average="samples", zero_division=0
    )
    return [(value * len(some) + num_rows - len(some)) / num_rows for value in values[:3]]


@settings(max_examples=40)  # keeps the test below a second
@given(shape=shapes)
def test_multi_label_scores_equal_scikit_learn(shape: tuple[int, int, int]) -> None:
    probs_NC, targets_NC, decided_NC = random_cells(shape)

    scores = multi_label_scores(probs_NC, targets_NC, decided_NC, names_of(shape[1]))

    flat = (targets_NC.ravel(), decided_NC.ravel())
    hamming = float(np.mean(targets_NC != decided_NC))
    expected: dict[str, float | None] = {
        "exact_match": sklearn_metrics.accuracy_score(targets_NC, decided_NC),
        "accuracy_thresh": 1 - hamming,
        "hamming_loss": sklearn_metrics.hamming_loss(targets_NC, decided_NC),
        "mcc": quietly(sklearn_metrics.matthews_corrcoef, *flat),
        "log_loss": sklearn_metrics.log_loss(flat[0], probs_NC.ravel(), labels=[False, True]),
        "labels_left_out": float((~np.isin(targets_NC.sum(axis=0), range(1, shape[0]))).sum()),
    }
    for average in ("micro", "macro", "weighted"):
        values = sklearn_metrics.precision_recall_fscore_support(
            targets_NC, decided_NC, average=average, zero_division=0
        )
        expected |= dict(zip([f"{name}_{average}" for name in ("precision", "recall", "f1")], values, strict=False))
    samples = expected_samples(targets_NC, decided_NC)
    expected |= dict(zip(("precision_samples", "recall_samples", "f1_samples"), samples, strict=True))
    for name, function in RANKING.items():
        expected[f"{name}_macro"] = mean_where_defined(function, targets_NC, probs_NC)
        expected[f"{name}_micro"] = mean_where_defined(function, flat[0][:, None], probs_NC.reshape(-1, 1))
    assert scores == pytest.approx(without_none(expected), rel=1e-12, abs=1e-12)


@given(shape=shapes, beta=st.floats(0.1, 10), average=st.sampled_from(["micro", "macro", "weighted"]))
def test_f_beta_equals_scikit_learn(shape: tuple[int, int, int], beta: float, average: Average) -> None:
    _, targets_NC, decided_NC = random_cells(shape)
    _, targets_N, decided_N = random_single(shape)

    cells = sklearn_metrics.fbeta_score(targets_NC, decided_NC, beta=beta, average=average, zero_division=0)
    ids = sklearn_metrics.fbeta_score(targets_N, decided_N, beta=beta, average=average, zero_division=0)

    assert f_beta(targets_NC, decided_NC, beta=beta, average=average) == pytest.approx(cells, abs=1e-12)
    assert f_beta(targets_N, decided_N, beta=beta, average=average) == pytest.approx(ids, abs=1e-12)


@given(shape=shapes)
def test_confusions_equal_scikit_learn(shape: tuple[int, int, int]) -> None:
    _, targets_N, decided_N = random_single(shape)
    _, targets_NC, decided_NC = random_cells(shape)
    names = names_of(shape[1])

    single = quietly(sklearn_metrics.confusion_matrix, targets_N, decided_N, labels=range(shape[1]))
    multi = sklearn_metrics.multilabel_confusion_matrix(targets_NC, decided_NC)

    assert confusion(targets_N, decided_N, names) == {"labels": names, "matrix": single.tolist()}
    assert list(confusion_per_label(targets_NC, decided_NC, names).values()) == multi.tolist()


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_small_floats_rank_as_large_ones(kind: type[np.floating]) -> None:
    probs_NC, targets_NC, decided_NC = random_cells((200, 4, 3))

    small = multi_label_scores(probs_NC.astype(kind), targets_NC, decided_NC, names_of(4))
    large = multi_label_scores(probs_NC, targets_NC, decided_NC, names_of(4))

    assert small["roc_auc_macro"] == large["roc_auc_macro"]
    assert small["log_loss"] < large["log_loss"]  # a wrong 0.0 counts as the resolution of its type


@given(shape=shapes)
def test_no_score_is_ever_nan_and_all_are_json(shape: tuple[int, int, int]) -> None:
    names = names_of(shape[1])
    single, cells = random_single(shape), random_cells(shape)

    results = [
        single_label_scores(*single, names),
        multi_label_scores(*cells, names),
        per_label(*cells, names),
        confusion(*single[1:], names),
        confusion_per_label(*cells[1:], names),
    ]

    assert json.dumps(results, allow_nan=False)
