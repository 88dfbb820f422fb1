"""Risk by coverage, and how well a strangeness tells texts apart, against hand-computed numbers and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from fastbert.metrics.selective import risk_curve, separation


def test_the_risk_is_that_of_the_most_confident_rows() -> None:
    curve = risk_curve(np.array([0.6, 0.9, 0.7, 0.8]), np.array([False, True, False, True]))

    assert curve.coverage_K.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk_K.tolist() == pytest.approx([0, 0, 1 / 3, 0.5])
    assert curve.least_K.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert curve.area == pytest.approx((0 + 0 + 1 / 3 + 0.5) / 4)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans()), min_size=1, max_size=30), st.randoms())
def test_the_curve_does_not_depend_on_the_order_of_rows(rows: list[tuple[float, bool]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random
    curves = [risk_curve(*(np.array(column) for column in zip(*some, strict=True))) for some in (rows, shuffled)]

    np.testing.assert_array_equal(curves[0].risk_K, curves[1].risk_K)
    assert curves[0].risk_K[-1] == pytest.approx(np.mean([not right for _, right in rows]))


def test_a_thinned_curve_ends_with_all_rows() -> None:
    curve = risk_curve(np.linspace(0, 1, 1000), np.arange(1000) % 3 > 0)

    points = curve.thinned(11)

    assert len(points) == 11
    assert points[-1] == [1.0, pytest.approx(1 / 3, abs=1e-3), 0.0]


def test_no_rows_have_no_curve() -> None:
    curve = risk_curve(np.zeros(0), np.zeros(0, np.bool_))

    assert (curve.thinned(), curve.area, curve.rows) == ([], 0.0, 0)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_the_area_is_that_of_scikit_learn(inside: list[int], outside: list[int]) -> None:
    area, _ = separation(np.array(inside, np.float64), np.array(outside, np.float64))

    truth = [0] * len(inside) + [1] * len(outside)
    assert area == pytest.approx(roc_auc_score(truth, [*inside, *outside]))


def test_the_second_number_is_the_share_outside_that_passes() -> None:
    assert separation(np.arange(100.0), np.array([0.0, 50.0, 94.0, 200.0]))[1] == 0.75
