"""Intervals by draws: against what is known of shares, reproducible, and honest where nothing varies."""

from __future__ import annotations

import numpy as np
import pytest

from fastbert.metrics import bootstrap
from fastbert.metrics.bootstrap import Floats, intervals, mean_interval, wilson_interval

VALUES_N = np.random.default_rng(3).normal(2.0, 1.0, 400)


def mean(weight_DN: Floats) -> dict[str, Floats]:
    return {"mean": weight_DN @ VALUES_N / weight_DN.sum(axis=1)}


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    low, high = intervals(mean, 400).of("mean") or (0.0, 0.0)

    reach = 1.96 * VALUES_N.std() / 20
    assert (low, high) == pytest.approx((VALUES_N.mean() - reach, VALUES_N.mean() + reach), abs=0.03)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert intervals(mean, 400, seed=1).of("mean") == intervals(mean, 400, seed=1).of("mean")
    assert intervals(mean, 400, seed=1).of("mean") != intervals(mean, 400, seed=2).of("mean")


def test_draws_of_fewer_rows_are_scaled_to_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = intervals(mean, 400).of("mean") or (0.0, 0.0)
    monkeypatch.setattr(bootstrap, "ROWS", 100)

    found = intervals(mean, 400)

    assert found.rows == 100
    assert found.of("mean") == pytest.approx(whole, abs=0.03)


def test_what_never_varies_has_no_interval() -> None:
    assert intervals(lambda weight_DN: {"one": np.ones(len(weight_DN))}, 10).of("one") is None


def test_what_most_draws_leave_undefined_has_no_interval() -> None:
    def often_nothing(weight_DN: Floats) -> dict[str, Floats]:
        return {"rare": np.where(weight_DN[:, 0] > 0, weight_DN[:, 0], np.nan)}

    assert intervals(often_nothing, 50).of("rare") is None


def test_an_unknown_name_or_place_has_no_interval() -> None:
    found = intervals(mean, 400)

    assert found.of("other") is None and found.of("mean", 3) is None


def test_much_work_makes_fewer_draws() -> None:
    assert intervals(mean, 400, num_labels=10_000).draws == 100


@pytest.mark.parametrize(("share", "count"), [(0.0, 20), (1.0, 20), (0.5, 1)])
def test_the_interval_of_a_share_stays_between_0_and_1(share: float, count: int) -> None:
    low, high = wilson_interval(share, count)

    assert 0.0 <= low < high <= 1.0


def test_other_numbers_have_the_normal_interval() -> None:
    low, high = mean_interval(np.array([1.0, 2.0, 3.0]))

    assert (low + high) / 2 == pytest.approx(2.0)
    assert high - low == pytest.approx(2 * 1.959964 * np.sqrt(2 / 3) / np.sqrt(3))


def test_units_of_equal_rows_have_the_interval_of_as_many_rows() -> None:
    shares_U, numbers_U = np.repeat([1.0, 0.0], [14, 6]), VALUES_N[:20]
    units_N = np.repeat(np.arange(20), 10)

    assert mean_interval(shares_U[units_N], units_N) == pytest.approx(mean_interval(shares_U))
    assert mean_interval(numbers_U[units_N], units_N) == pytest.approx(mean_interval(numbers_U))
    assert mean_interval(np.ones(200), units_N) == pytest.approx(wilson_interval(1.0, 20))


def test_units_that_tell_more_than_rows_count_as_their_rows_at_most() -> None:
    values_N, units_N = np.tile([1.0, 0.0], 10), np.repeat(np.arange(10), 2)  # no unit differs from another

    assert mean_interval(values_N, units_N) == pytest.approx(wilson_interval(0.5, 20))


def test_one_unit_alone_has_the_interval_of_its_rows() -> None:
    values_N = np.repeat([1.0, 0.0], [15, 5])

    assert mean_interval(values_N, np.full(20, 3)) == mean_interval(values_N)


def test_draws_of_units_spread_as_the_means_of_units_do() -> None:
    units_N = np.repeat(np.arange(40), 10)
    whole = VALUES_N[:40][units_N]

    def of_units(weight_DN: Floats) -> dict[str, Floats]:
        return {"mean": weight_DN @ whole / weight_DN.sum(axis=1)}

    found = intervals(of_units, 400, units_N=units_N)

    assert found.rows == 40
    assert found.of("mean") == pytest.approx(mean_interval(VALUES_N[:40]), abs=0.05)
