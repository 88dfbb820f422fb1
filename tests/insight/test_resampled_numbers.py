"""Correlations and errors of draws against those of the rows as lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.insight.resampled_numbers import NumberRows, ranks_of_draws
from fastbert.metrics.regression import ranks, regression_scores


@given(rows=st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 3)), min_size=1, max_size=20))
def test_a_draw_scores_like_its_rows(rows: list[tuple[int, int, int]]) -> None:
    said_N, true_N = np.array([[row[0], row[1]] for row in rows], np.float64).T
    counts_N = np.array([row[2] for row in rows])
    drawn = np.repeat(np.arange(len(rows)), counts_N)
    if not len(drawn):
        return

    one = NumberRows(said_N, true_N)
    found = {**one.scores(counts_N[None].astype(float)), **one.ranking_scores(counts_N[None].astype(float))}

    expected = regression_scores(said_N[drawn], true_N[drawn])
    values = {name: float(value[0]) for name, value in found.items() if np.isfinite(value[0])}
    assert values == pytest.approx(expected, abs=1e-9)


def test_ranks_of_a_draw_are_those_of_its_rows() -> None:
    values_N, counts_N = np.array([3.0, 1.0, 3.0, 2.0]), np.array([2, 1, 1, 0])

    found = ranks_of_draws(counts_N[None].astype(float), values_N)[0]

    expected = ranks(np.repeat(values_N, counts_N))
    assert found[[0, 0, 1, 2]].tolist() == expected.tolist()


def test_numbers_far_from_zero_lose_no_precision() -> None:
    true_N = np.random.default_rng(0).normal(size=50)
    said_N = true_N + 0.1 * np.random.default_rng(1).normal(size=50)

    found = NumberRows(said_N + 1e7, true_N + 1e7).scores(np.ones((1, 50)))

    assert found["r2"][0] == pytest.approx(regression_scores(said_N, true_N)["r2"], abs=1e-6)
    assert found["pearson"][0] == pytest.approx(regression_scores(said_N, true_N)["pearson"], abs=1e-6)
