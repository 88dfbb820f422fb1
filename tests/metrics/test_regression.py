"""Correlations and errors of predicted numbers, against numpy's and scipy-free references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from fastbert.errors import TrainingError
from fastbert.metrics.regression import ranks, regression_scores

numbers = st.floats(-100, 100).map(lambda value: round(value, 3))


@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=30))
def test_errors_are_those_of_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    predicted_N, true_N = np.array(pairs).T

    scores = regression_scores(predicted_N, true_N)

    assert scores["rmse"] == pytest.approx(root_mean_squared_error(true_N, predicted_N))
    assert scores["mae"] == pytest.approx(mean_absolute_error(true_N, predicted_N))
    assert scores.get("r2", 0.0) == pytest.approx(r2_score(true_N, predicted_N) if np.ptp(true_N) > 0 else 0.0)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=30))
def test_correlations_are_those_of_numpy(pairs: list[tuple[int, int]]) -> None:
    predicted_N, true_N = np.array(pairs, np.float64).T
    varies = np.ptp(predicted_N) > 0 and np.ptp(true_N) > 0

    scores = regression_scores(predicted_N, true_N)

    assert ("pearson" in scores, "spearman" in scores) == (varies, varies)
    if varies:
        assert scores["pearson"] == pytest.approx(np.corrcoef(predicted_N, true_N)[0, 1])
        assert scores["spearman"] == pytest.approx(np.corrcoef(ranks(predicted_N), ranks(true_N))[0, 1])


def test_spearman_of_a_worked_example_with_ties() -> None:
    """Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: d = 0, 0.5, 0.5, 0; Pearson of the ranks is 4.5 / sqrt(4.5 * 5)."""
    scores = regression_scores(np.array([1.0, 2, 2, 3]), np.array([10.0, 20, 30, 40]))

    assert scores["spearman"] == pytest.approx(4.5 / (4.5 * 5) ** 0.5)


@given(st.lists(numbers, min_size=1, max_size=20))
def test_ranks_of_equal_values_share_their_mean(values: list[float]) -> None:
    found = ranks(np.array(values))

    assert found.sum() == pytest.approx(len(values) * (len(values) + 1) / 2)
    assert all(
        len({rank for rank, other in zip(found.tolist(), values, strict=True) if other == value}) == 1
        for value in values
    )


def test_a_diverged_model_is_named() -> None:
    with pytest.raises(TrainingError, match="1 of 2 predictions are NaN or infinite"):
        regression_scores(np.array([1.0, np.nan]), np.array([1.0, 2.0]))


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"predictions \(1,\) and true values \(2,\)"):
        regression_scores(np.array([1.0]), np.array([1.0, 2.0]))
