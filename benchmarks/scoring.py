"""The scores of one system on one test set, by scikit-learn and SciPy: one function for FastBert and every peer.

Takes decided label names, because deciding is part of the tool, and, where the tool gives them, probabilities
for the ranking score. Knows nothing about how either was made.
"""

import numpy as np
import numpy.typing as npt
from scipy import stats  # type: ignore[import-untyped]
from sklearn import metrics

from benchmarks.datasets import Benchmark, Row


def score(
    benchmark: Benchmark,
    rows: list[Row],
    decided: list[tuple[str, ...]],
    probabilities_NC: npt.NDArray[np.floating] | None = None,
) -> dict[str, float]:
    """Return all scores that apply; `benchmark.metric` names the one that decides.

    decided: the label names of each row. probabilities_NC: one column a label, ordered as `benchmark.labels`.
    One label a row: accuracy, f1_macro and, with two labels, mcc and f1 of the last label.
    Multi-label: f1_macro and f1_micro over all labels (0 where a label is neither there nor predicted),
    accuracy as exact match, average_precision_macro over the labels that occur in the test rows.
    """
    if benchmark.multi_label:
        return _multi_label_scores(benchmark, rows, decided, probabilities_NC)
    truth, guess = [names[0] for _, _, names in rows], [names[0] for names in decided]
    labels = list(benchmark.labels)
    scores = {
        "accuracy": metrics.accuracy_score(truth, guess),
        "f1_macro": metrics.f1_score(truth, guess, labels=labels, average="macro", zero_division=0),
    }
    if len(labels) == 2:
        scores["mcc"] = metrics.matthews_corrcoef(truth, guess)
        scores["f1"] = metrics.f1_score(truth, guess, pos_label=labels[-1], zero_division=0)
    return {name: float(value) for name, value in scores.items()}


def score_values(rows: list[Row], values_N: npt.NDArray[np.floating]) -> dict[str, float]:
    """Return the scores of numbers against those of the rows, by SciPy."""
    true_N = np.array([float(names[0]) for _, _, names in rows])
    correlations = {"spearman": stats.spearmanr(true_N, values_N), "pearson": stats.pearsonr(true_N, values_N)}
    errors = {"rmse": np.sqrt(np.mean((values_N - true_N) ** 2)), "mae": np.mean(np.abs(values_N - true_N))}
    return {name: float(found.statistic) for name, found in correlations.items()} | {
        name: float(error) for name, error in errors.items()
    }


def _multi_label_scores(
    benchmark: Benchmark,
    rows: list[Row],
    decided: list[tuple[str, ...]],
    probabilities_NC: npt.NDArray[np.floating] | None,
) -> dict[str, float]:
    truth_NC = _one_hot([names for _, _, names in rows], benchmark.labels)
    guess_NC = _one_hot(decided, benchmark.labels)
    scores = {
        "accuracy": metrics.accuracy_score(truth_NC, guess_NC),
        "f1_macro": metrics.f1_score(truth_NC, guess_NC, average="macro", zero_division=0),
        "f1_micro": metrics.f1_score(truth_NC, guess_NC, average="micro", zero_division=0),
    }
    if probabilities_NC is not None:
        occurs_C = truth_NC.any(axis=0)
        scores["average_precision_macro"] = metrics.average_precision_score(
            truth_NC[:, occurs_C], probabilities_NC[:, occurs_C], average="macro"
        )
    return {name: float(value) for name, value in scores.items()}


def _one_hot(names: list[tuple[str, ...]], labels: tuple[str, ...]) -> npt.NDArray[np.int64]:
    return np.array([[int(label in row) for label in labels] for row in names])
