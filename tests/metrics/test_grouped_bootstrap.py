"""Bootstrap intervals: as wide as theory says, wider where rows depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pytest

from fastbert.metrics.grouped_bootstrap import bootstrap_intervals

Ints = npt.NDArray[np.int64]
VALUES_N = np.random.default_rng(0).normal(5.0, 2.0, 400)


def mean_of(values_N: npt.NDArray[np.float64]) -> Callable[[Ints], Mapping[str, float]]:
    return lambda rows: {"mean": float(values_N[rows].mean())}


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    low, high = bootstrap_intervals(mean_of(VALUES_N), np.arange(400), draws=2000)["mean"]

    reach = 1.96 * VALUES_N.std() / np.sqrt(400)
    assert low == pytest.approx(VALUES_N.mean() - reach, abs=0.1 * reach)
    assert high == pytest.approx(VALUES_N.mean() + reach, abs=0.1 * reach)


def test_rows_that_depend_on_each_other_tell_less() -> None:
    repeated_N = np.repeat(VALUES_N[:100], 4)

    alone = bootstrap_intervals(mean_of(repeated_N), np.arange(400))["mean"]
    together = bootstrap_intervals(mean_of(repeated_N), np.repeat(np.arange(100), 4))["mean"]

    assert (together[1] - together[0]) / (alone[1] - alone[0]) == pytest.approx(2.0, rel=0.25)


def test_drawing_fewer_units_gives_the_same_width() -> None:
    whole = bootstrap_intervals(mean_of(VALUES_N), np.arange(400), draws=1000)["mean"]
    fewer = bootstrap_intervals(mean_of(VALUES_N), np.arange(400), draws=1000, most_units=50)["mean"]

    assert fewer[1] - fewer[0] == pytest.approx(whole[1] - whole[0], rel=0.15)


def test_units_in_any_order_are_drawn_whole() -> None:
    units_N = np.array([2, 0, 1, 0, 2, 1])
    seen = []

    def note(rows: Ints) -> Mapping[str, float]:
        seen.append(sorted(rows.tolist()))
        return {"x": 1.0}

    bootstrap_intervals(note, units_N, draws=20)

    for rows in seen:
        assert all(rows.count(a) == rows.count(b) for a, b in ((1, 3), (2, 5), (0, 4)))
        assert len(rows) == 6


def test_a_score_that_is_mostly_undefined_has_no_interval() -> None:
    found = bootstrap_intervals(lambda rows: {"x": 1.0 if rows[0] == 0 else float("nan")}, np.arange(50))

    assert found == {}


def test_the_same_seed_gives_the_same_interval() -> None:
    first, again, other = (bootstrap_intervals(mean_of(VALUES_N), np.arange(400), seed=seed) for seed in (1, 1, 2))

    assert first == again != other
