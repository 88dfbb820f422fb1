"""How often rows come in an epoch: factors against the formula, rounds by their promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.batches import Costs, num_steps, training_steps
from fastbert.data.repeats import MOST_REPEATS, Floats, draw_rounds, repeat_factors, round_sizes

factors = st.lists(st.one_of(st.just(1.0), st.floats(1.0, MOST_REPEATS)), min_size=1, max_size=120).map(np.array)


def one_label(*counts: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.repeat(np.eye(len(counts), dtype=np.bool_), counts, axis=0)


def test_the_factor_of_a_rare_label_is_the_root_of_its_fair_share_by_its_own() -> None:
    """Gupta et al. 2019, section 4.1: max(1, sqrt(t / f)), by hand for t = 1/2 and f = 5 %."""
    factors_N = repeat_factors(one_label(95, 5))

    assert factors_N[:95].tolist() == [1.0] * 95
    assert factors_N[95:] == pytest.approx([np.sqrt(0.5 / 0.05)] * 5)


def test_a_row_with_several_labels_has_the_factor_of_the_rarest() -> None:
    cells_NC = np.array([[1, 0]] * 8 + [[1, 1], [0, 0]], np.bool_)  # shares 0.9 and 0.1, t = 0.5

    factors_N = repeat_factors(cells_NC)

    assert factors_N[8] == pytest.approx(np.sqrt(5))
    assert factors_N[[0, 9]].tolist() == [1.0, 1.0]


def test_balanced_labels_repeat_nothing_and_no_factor_exceeds_the_limit() -> None:
    assert repeat_factors(one_label(10, 10, 10)).tolist() == [1.0] * 30
    assert repeat_factors(one_label(1_000, 1)).max() == MOST_REPEATS


def test_labels_that_do_not_occur_change_nothing() -> None:
    without = repeat_factors(one_label(9, 1))

    assert repeat_factors(one_label(9, 1, 0)).tolist() == without.tolist()
    assert repeat_factors(np.zeros((3, 2), np.bool_)).tolist() == [1.0] * 3


@given(factors, st.integers(0, 99))
def test_each_row_comes_floor_or_ceiling_of_its_factor_times(repeats_N: Floats, seed: int) -> None:
    rng = np.random.default_rng(seed)

    rounds = draw_rounds(rng.permutation(len(repeats_N)), repeats_N, rng)

    counts_N = np.bincount(np.concatenate(rounds), minlength=len(repeats_N))
    assert tuple(map(len, rounds)) == round_sizes(repeats_N)
    assert all(len(set(rows.tolist())) == len(rows) for rows in rounds)
    # factors are raised by less than one row in all
    assert (counts_N >= np.floor(repeats_N)).all() and (counts_N <= np.ceil(repeats_N + 1)).all()
    assert counts_N.sum() == int(np.ceil(repeats_N.sum() - 1e-6))


def test_over_many_epochs_a_row_comes_as_often_as_its_factor_says() -> None:
    repeats_N = np.array([1.0, 1.0, 1.3, 2.7])
    counts_N = np.zeros(4)
    for epoch in range(2_000):
        rng = np.random.default_rng([0, epoch])
        counts_N += np.bincount(np.concatenate(draw_rounds(rng.permutation(4), repeats_N, rng)), minlength=4)

    assert counts_N / 2_000 == pytest.approx(repeats_N, abs=0.05)


# --- in batches -----------------------------------------------------------------------------------------


def steps_of(repeats_N: Floats, batch_tokens: int, epoch: int = 0) -> list[list[int]]:
    lengths_N = np.random.default_rng(0).integers(3, 30, len(repeats_N))
    costs = Costs(lengths_N, np.ones(len(repeats_N), np.intp), repeats_N)
    steps = training_steps(costs, batch_size=4, batch_tokens=batch_tokens, seed=0, epoch=epoch)
    return [[int(row) for part in step for row in part] for step in steps]


@given(factors)
def test_no_step_holds_a_row_twice_and_their_number_is_known_before(repeats_N: Floats) -> None:
    steps = steps_of(repeats_N, 64)

    assert all(len(set(step)) == len(step) for step in steps)
    assert len(steps) == num_steps(round_sizes(repeats_N), 4)


def test_the_order_does_not_depend_on_how_a_step_is_accumulated() -> None:
    repeats_N = np.tile([1.0, 1.0, 3.4], 20)

    assert steps_of(repeats_N, 32) == steps_of(repeats_N, 10_000)
    assert steps_of(repeats_N, 32) == steps_of(repeats_N, 32)
    assert steps_of(repeats_N, 32) != steps_of(repeats_N, 32, epoch=1)
