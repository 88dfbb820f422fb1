"""Paired comparisons against scipy, hand-computed examples and what must hold for all draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.metrics.draws import draw_counts
from fastbert.metrics.paired import Difference, difference, holm, interval, mcnemar


@pytest.mark.parametrize(("won", "lost"), [(8, 2), (0, 5), (12, 12), (1, 0), (20, 4)])
def test_few_differing_rows_have_the_exact_binomial_test(won: int, lost: int) -> None:
    stats = pytest.importorskip("scipy.stats")

    found = mcnemar(won, lost)

    assert found.method == "exact"
    assert found.p_value == pytest.approx(stats.binomtest(won, won + lost, 0.5).pvalue)


@pytest.mark.parametrize(("won", "lost"), [(30, 10), (25, 0), (60, 59)])
def test_many_differing_rows_have_the_corrected_chi_squared_test(won: int, lost: int) -> None:
    stats = pytest.importorskip("scipy.stats")

    found = mcnemar(won, lost)

    assert found.method == "chi-squared"
    assert found.p_value == pytest.approx(stats.chi2.sf((abs(won - lost) - 1) ** 2 / (won + lost), 1))


def test_mcnemar_matches_a_published_example() -> None:
    # Agresti, Categorical Data Analysis, 2nd ed., table 10.1: 150 and 86 of 1,600 changed; z^2 = 17.36 uncorrected
    assert mcnemar(150, 86).p_value == pytest.approx(math.erfc(math.sqrt(63**2 / 236 / 2)))
    assert mcnemar(150, 86).p_value < 0.0001


@pytest.mark.parametrize("count", [0, 6, 40])
def test_as_many_won_as_lost_say_nothing(count: int) -> None:
    assert mcnemar(count, count).p_value == 1.0


def test_holm_multiplies_by_the_number_of_tests_left_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_of_one_test_changes_nothing() -> None:
    assert holm([0.2]) == [0.2]


@given(p_values=st.lists(st.floats(0, 1), max_size=8))
def test_corrected_values_are_probabilities_that_are_no_smaller(p_values: list[float]) -> None:
    corrected = holm(p_values)

    assert all(before <= after <= 1 for before, after in zip(p_values, corrected, strict=True))


@given(num_rows=st.integers(1, 40), draws=st.integers(0, 30), seed=st.integers(0, 5))
def test_each_draw_has_as_many_rows_as_there_are(num_rows: int, draws: int, seed: int) -> None:
    counts_DN = np.concatenate([*draw_counts(num_rows, draws, seed), np.zeros((0, num_rows))])

    assert counts_DN.shape == (draws, num_rows)
    assert (counts_DN.sum(axis=1) == num_rows).all() and (counts_DN >= 0).all()


def test_the_interval_of_a_mean_is_near_that_of_the_normal_distribution() -> None:
    values_N = np.random.default_rng(0).normal(size=400)
    values_D = np.concatenate(list(draw_counts(400, 2000))) @ values_N / 400

    found = interval(float(values_N.mean()), values_D)

    reach = 1.96 * values_N.std() / 20
    assert (found.low, found.high) == pytest.approx((values_N.mean() - reach, values_N.mean() + reach), abs=0.015)


def test_a_difference_counts_equal_draws_half_and_leaves_out_undefined_ones() -> None:
    first, second = np.array([0.0, 1.0, 1.0, np.nan, 2.0]), np.array([1.0, 1.0, 0.5, 3.0, 3.0])

    found = difference(0.4, first, second)

    assert found.better == (2 + 0.5) / 4
    assert not found.told_apart


def test_lower_errors_are_better() -> None:
    found = difference(-1.0, np.full(10, 2.0), np.ones(10), lower_is_better=True)

    assert (found.better, found.told_apart, found.low, found.high) == (1.0, True, -1.0, -1.0)


def test_several_comparisons_need_a_wider_gap() -> None:
    change_D = np.linspace(-0.02, 0.98, 1001)

    assert difference(0.5, np.zeros(1001), change_D).told_apart
    assert not difference(0.5, np.zeros(1001), change_D, apart_at=0.99).told_apart


def test_nothing_defined_has_no_interval_and_tells_nothing_apart() -> None:
    found = difference(0.1, np.full(3, np.nan), np.zeros(3))

    assert math.isnan(found.low) and not found.told_apart
    assert isinstance(found, Difference)
