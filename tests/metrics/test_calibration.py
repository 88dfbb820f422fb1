"""Calibration errors against numbers computed by hand, and against scikit-learn's calibration curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from fastbert.metrics.calibration import brier_score, label_wise_error, reliability, top_label_error

# N rows, C labels


def test_the_error_of_one_bin_is_the_distance_of_stated_and_found() -> None:
    found = reliability(np.array([0.9] * 4 + [0.1] * 4), np.array([1, 1, 1, 0, 0, 0, 0, 0], np.bool_))

    assert found.count_K.tolist() == [4, 4]
    assert found.found_K.tolist() == [0.0, 0.75]
    assert found.error == pytest.approx((4 * 0.1 + 4 * 0.15) / 8)
    assert found.to_json() == [[pytest.approx(0.1), 0.0, 4], [pytest.approx(0.9), 0.75, 4]]


def test_the_bins_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    probs_N = rng.random(500)
    right_N = rng.random(500) < probs_N**2

    ours = reliability(probs_N, right_N, bins=10)
    found_K, stated_K = calibration_curve(right_N, probs_N, n_bins=10)

    np.testing.assert_allclose(ours.found_K, found_K)
    np.testing.assert_allclose(ours.stated_K, stated_K)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_every_probability_is_in_a_bin(probs: list[float]) -> None:
    assert reliability(np.array(probs), np.ones(len(probs), np.bool_)).count_K.sum() == len(probs)


def test_the_top_label_alone_counts_where_labels_exclude_each_other() -> None:
    probs_NC = np.array([[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]])
    targets_NC = np.array([[1, 0, 0], [0, 1, 0]], np.bool_)

    assert top_label_error(probs_NC, targets_NC) == pytest.approx((0.2 + 0.6) / 2)


def test_each_label_counts_alike_where_they_do_not() -> None:
    probs_NC = np.array([[0.8, 0.5], [0.8, 0.5]])
    targets_NC = np.array([[1, 1], [0, 0]], np.bool_)

    assert label_wise_error(probs_NC, targets_NC) == pytest.approx((0.3 + 0.0) / 2)


def test_no_rows_have_no_error() -> None:
    nothing, none = np.zeros((0, 3)), np.zeros((0, 3), np.bool_)

    assert (top_label_error(nothing, none), label_wise_error(nothing, none), brier_score(nothing, none)) == (0, 0, 0)


def test_the_brier_score_is_the_squared_distance_of_a_row() -> None:
    assert brier_score(np.array([[0.7, 0.3]]), np.array([[True, False]])) == pytest.approx(0.18)
