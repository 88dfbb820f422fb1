"""How nearly a column tells a number."""

from __future__ import annotations

import numpy as np
import pytest

from fastbert.insight.doctor.correlation import pearson, ranks, spearman, told_variance

ONE = np.array([2.0, 1.0, 4.0, 3.0, 7.0, 3.0])
OTHER = np.array([1.0, 2.0, 5.0, 3.0, 5.0, 9.0])


def test_correlations_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")

    assert pearson(ONE, OTHER) == pytest.approx(stats.pearsonr(ONE, OTHER).statistic)
    assert spearman(ONE, OTHER) == pytest.approx(stats.spearmanr(ONE, OTHER).statistic)


def test_what_never_changes_goes_with_nothing() -> None:
    assert pearson(np.ones(4), np.arange(4.0)) == pearson(np.arange(4.0), np.ones(4)) == pearson(ONE[:0], ONE[:0]) == 0


def test_large_numbers_do_not_leave_the_range() -> None:
    assert pearson(ONE * 1e300, OTHER * 1e-300) == pytest.approx(pearson(ONE, OTHER))


def test_equal_numbers_share_a_rank() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 3.0])).tolist() == [2.0, 0.0, 2.0, 2.0]


def test_a_value_of_one_row_tells_nothing() -> None:
    assert told_variance(list("abcd"), np.arange(4.0)) == (0.0, 0)


def test_rows_are_guessed_by_the_others_of_their_value() -> None:
    # a: each is guessed as the other one, an error of 2; b: none; variance about 2: 1 + 1 + 1 + 1
    assert told_variance(list("aabb"), np.array([1.0, 3.0, 2.0, 2.0])) == (0.0, 4)
    assert told_variance(list("aabb"), np.array([0.0, 1.0, 10.0, 11.0]))[0] == pytest.approx(1 - 4 / 101)
