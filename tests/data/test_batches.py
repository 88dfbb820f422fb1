"""Which rows go together: every row once, an order fixed by (seed, epoch), and little padding."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.batches import (
    POOL_BATCHES,
    Costs,
    Indices,
    epoch_padding,
    middle_step,
    num_steps,
    padded_tokens,
    prediction_batches,
    split_by_cost,
    training_steps,
)

# Few rows a batch, so that several pools are filled.
costs = st.lists(st.tuples(st.integers(1, 64), st.integers(1, 4)), max_size=250).map(
    lambda rows: Costs(
        np.array([length for length, _ in rows], np.intp), np.array([count for _, count in rows], np.intp)
    )
)
sizes = st.integers(1, 4)


def flat(parts: list[Indices]) -> list[int]:
    return [int(row) for part in parts for row in part]


def steps_of(rows: Costs, batch_size: int, batch_tokens: int = 100, seed: int = 0, epoch: int = 0) -> list[list[int]]:
    """Return the rows of each step, its parts put together."""
    steps = training_steps(rows, batch_size=batch_size, batch_tokens=batch_tokens, seed=seed, epoch=epoch)
    return [flat(parts) for parts in steps]


def cost(part: Indices, rows: Costs) -> int:
    return int(rows.longest_N[part].max() * rows.windows_N[part].sum())


def padding_share(parts: list[Indices], lengths_N: Indices) -> float:
    padded = sum(int(lengths_N[part].max()) * len(part) for part in parts)
    return 1 - float(lengths_N.sum()) / padded


# --- training ---------------------------------------------------------------------------------------


@given(costs, sizes, st.integers(1, 300), st.integers(0, 9), st.integers(0, 3))
def test_every_row_is_in_one_step_of_an_epoch(
    rows: Costs, batch_size: int, batch_tokens: int, seed: int, epoch: int
) -> None:
    steps = steps_of(rows, batch_size, batch_tokens, seed, epoch)

    assert sorted(itertools.chain.from_iterable(steps)) == list(range(len(rows.longest_N)))


@given(costs, sizes, st.integers(1, 300), st.integers(1, 300))
def test_the_order_does_not_depend_on_batch_tokens(rows: Costs, batch_size: int, one: int, other: int) -> None:
    assert steps_of(rows, batch_size, one) == steps_of(rows, batch_size, other)


@given(costs, sizes, st.integers(0, 2**32 - 1), st.integers(0, 100))
def test_the_order_is_a_function_of_seed_and_epoch(rows: Costs, batch_size: int, seed: int, epoch: int) -> None:
    first = steps_of(rows, batch_size, seed=seed, epoch=epoch)
    np.random.default_rng().random()  # another generator has no part in it

    assert steps_of(rows, batch_size, seed=seed, epoch=epoch) == first


@pytest.mark.parametrize(("seed", "epoch"), [(1, 0), (0, 1)])
def test_another_seed_or_epoch_has_another_order(seed: int, epoch: int) -> None:
    rows = Costs.single(list(range(1, 101)))

    assert steps_of(rows, 8, seed=seed, epoch=epoch) != steps_of(rows, 8)


@given(costs, sizes)
def test_all_steps_but_one_have_the_batch_size(rows: Costs, batch_size: int) -> None:
    found = sorted(map(len, steps_of(rows, batch_size)), reverse=True)

    assert found[:-1] == [batch_size] * len(found[:-1])


@given(st.integers(0, 3 * POOL_BATCHES * 4 + 7), sizes)
def test_the_number_of_steps_is_known_without_making_them(count: int, batch_size: int) -> None:
    assert num_steps(count, batch_size) == len(steps_of(Costs.single([5] * count), batch_size))


@given(costs, sizes, st.integers(1, 300))
def test_parts_of_a_step_stay_within_batch_tokens(rows: Costs, batch_size: int, batch_tokens: int) -> None:
    steps = training_steps(rows, batch_size=batch_size, batch_tokens=batch_tokens, seed=0, epoch=0)

    large = [part for parts in steps for part in parts if cost(part, rows) > batch_tokens]
    assert [len(part) for part in large] == [1] * len(large)


def test_no_rows_make_no_steps() -> None:
    assert training_steps(Costs.single([]), batch_size=4, batch_tokens=8, seed=0, epoch=0) == []


def test_lengths_are_not_trained_in_sorted_order() -> None:
    """Sorted batches are shuffled among themselves, or each epoch would begin with the longest."""
    longest = [max(rows) for rows in steps_of(Costs.single(list(range(1000))), 10)]

    assert longest != sorted(longest)
    assert longest != sorted(longest, reverse=True)


def test_rows_of_equal_length_are_shuffled() -> None:
    assert steps_of(Costs.single([7] * 64), 64)[0] != list(range(64))


@pytest.mark.parametrize("batch_size", [8, 32])
def test_sorting_leaves_far_less_padding_than_chance(batch_size: int) -> None:
    rng = np.random.default_rng(0)
    lengths_N = np.clip(rng.lognormal(4, 0.8, 4000), 5, 512).astype(np.intp)
    steps = [np.array(rows) for rows in steps_of(Costs.single(lengths_N.tolist()), batch_size, 10**9)]
    chance = np.array_split(rng.permutation(4000), len(steps))

    assert padding_share(steps, lengths_N) < 0.1
    assert padding_share(chance, lengths_N) > 0.4


# --- parts ------------------------------------------------------------------------------------------


@given(costs, st.integers(1, 300))
def test_parts_put_together_are_the_rows_in_order(rows: Costs, batch_tokens: int) -> None:
    order = np.arange(len(rows.longest_N))

    assert flat(split_by_cost(order, rows, batch_tokens)) == order.tolist()


@given(costs, st.integers(1, 300))
def test_a_part_ends_only_where_the_next_row_would_not_fit(rows: Costs, batch_tokens: int) -> None:
    parts = split_by_cost(np.arange(len(rows.longest_N)), rows, batch_tokens)

    joined = [np.append(left, right[0]) for left, right in itertools.pairwise(parts)]
    assert all(cost(part, rows) > batch_tokens for part in joined)


def test_windows_count_like_rows() -> None:
    rows = Costs(np.array([10, 10, 10]), np.array([1, 3, 2]))

    assert [part.tolist() for part in split_by_cost(np.arange(3), rows, 40)] == [[0, 1], [2]]


# --- prediction -------------------------------------------------------------------------------------


@given(costs, st.integers(1, 300), st.integers(1, 9))
def test_prediction_batches_hold_every_row_once_and_few_at_a_time(
    rows: Costs, batch_tokens: int, max_rows: int
) -> None:
    batches = prediction_batches(rows, batch_tokens=batch_tokens, max_rows=max_rows)

    assert sorted(flat(batches)) == list(range(len(rows.longest_N)))
    assert all(len(part) <= max_rows for part in batches)
    assert all(len(part) == 1 or cost(part, rows) <= batch_tokens for part in batches)


@given(costs)
def test_the_longest_rows_are_predicted_first(rows: Costs) -> None:
    """So that memory that does not suffice is found at once."""
    lengths = rows.longest_N[flat(prediction_batches(rows, batch_tokens=100))].tolist()

    assert lengths == sorted(lengths, reverse=True)


def test_the_share_of_padding_counts_each_part_by_its_longest_row() -> None:
    costs = Costs.single([10, 10, 4, 4])
    assert epoch_padding(costs, batch_size=2, batch_tokens=100, seed=0) == 0
    assert epoch_padding(costs, batch_size=4, batch_tokens=100, seed=0) == pytest.approx(1 - 28 / 40)
    assert epoch_padding(costs, batch_size=4, batch_tokens=20, seed=0) == 0  # cut into two parts


def test_padded_tokens_count_all_windows_of_a_row() -> None:
    costs = Costs(np.array([10, 8, 5]), np.array([3, 1, 2]))
    steps = [[np.array([0]), np.array([1, 2])], [np.array([2])]]

    assert padded_tokens(steps, costs).tolist() == [3 * 10 + (1 + 2) * 8, 2 * 5]


def test_the_middle_step_is_told_with_its_share_of_all_tokens() -> None:
    """Of 100, 8, 8 and 4 tokens the mean is 30: the step of 8 is nearest, and all together are 15 of it."""
    costs = Costs(np.array([10, 8, 8, 4]), np.array([10, 1, 1, 1]))
    steps = [[np.array([row])] for row in range(4)]

    chosen, times = middle_step(steps, costs)

    assert (flat(list(chosen)), times) == ([1], 15.0)
