"""The formulas of statistics against known values."""

from __future__ import annotations

import pytest

from fastbert.insight.doctor.chance import chi_square, likelihood_z, one_sided_z, wilson_low


# Critical values of the chi-square distribution, NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4.
@pytest.mark.parametrize(
    ("table", "statistic", "p"),
    [
        ([[10, 20], [20, 10]], 6.667, 0.00982),
        ([[10, 20, 30], [30, 20, 10]], 20.0, 0.0000454),
        ([[5, 5, 0], [5, 5, 0]], 0.0, 1.0),  # the empty column is no category
    ],
)
def test_chi_square_agrees_with_tables(table: list[list[int]], statistic: float, p: float) -> None:
    found = chi_square(table)

    assert found[0] == pytest.approx(statistic, abs=0.001)
    assert found[1] == pytest.approx(p, abs=0.0015)


def test_one_column_says_nothing() -> None:
    assert chi_square([[3], [4]]) == (0.0, 1.0)


def test_the_wilson_interval_agrees_with_its_formula() -> None:
    # Wilson 1927 for 8 of 10: (0.8 + 0.192 - 1.96 sqrt(0.016 + 0.0096)) / 1.384
    assert wilson_low(8, 10) == pytest.approx(0.490, abs=0.001)


def test_ten_of_ten_is_less_sure_than_a_thousand_of_a_thousand() -> None:
    assert wilson_low(10, 10) < 0.75 < 0.99 < wilson_low(1000, 1000)


def test_a_threshold_for_many_tests_is_higher() -> None:
    assert one_sided_z(0.05 / 1000) == pytest.approx(3.891, abs=0.001)


def test_a_word_that_is_equally_frequent_says_nothing() -> None:
    assert likelihood_z(10, 100, 20, 200) == pytest.approx(0.0)


def test_the_likelihood_ratio_agrees_with_its_formula() -> None:
    # 2 (30 ln(30 * 100 / (40 * 50)) + 20 ln(20 * 100 / (60 * 50)) + 10 ln(10 * 100 / (40 * 50)) + 40 ln(40 / 30))
    assert likelihood_z(30, 50, 10, 50) == pytest.approx(17.261**0.5, abs=0.001)
    assert likelihood_z(10, 50, 30, 50) == pytest.approx(-(17.261**0.5), abs=0.001)


def test_a_word_that_others_never_have_is_surer_the_more_rows_have_it() -> None:
    assert 0 < likelihood_z(5, 50, 0, 50) < likelihood_z(50, 500, 0, 500)
