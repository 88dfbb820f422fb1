"""The windows of a split by example, with what each example costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.features import EncodedRows
from fastbert.tasks.base import Feature


def features_of(lengths: list[list[int]]) -> list[Feature]:
    """Make windows of these lengths for each example; the ids are all 7."""
    return [
        Feature(
            example, window, len(sizes), np.full(size, 7, np.int32), np.zeros(size, np.int32), (), 100 + example, None
        )
        for example, sizes in enumerate(lengths)
        for window, size in enumerate(sizes)
    ]


lengths = st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=4), max_size=9)


@given(lengths, st.integers(0, 99))
def test_windows_come_in_the_order_of_the_rows_asked_for(sizes: list[list[int]], seed: int) -> None:
    rows = np.random.default_rng(seed).permutation(len(sizes))

    found = EncodedRows.of(features_of(sizes), len(sizes)).windows_of(rows)

    assert [len(feature.input_ids_L) for feature in found] == [size for row in rows for size in sizes[row]]
    assert [feature.example for feature in found] == [row for row in rows for _ in sizes[row]]


@given(lengths)
def test_a_row_costs_its_longest_window_times_their_number(sizes: list[list[int]]) -> None:
    costs = EncodedRows.of(features_of(sizes), len(sizes)).costs

    assert costs.longest_N.tolist() == [max(row) for row in sizes]
    assert costs.windows_N.tolist() == [len(row) for row in sizes]


@pytest.mark.parametrize(("sizes", "starts"), [([], [0]), ([[3]], [0, 1]), ([[3, 3], [2], [4, 4, 4]], [0, 2, 3, 6])])
def test_starts_mark_the_windows_of_each_row(sizes: list[list[int]], starts: list[int]) -> None:
    encoded = EncodedRows.of(features_of(sizes), len(sizes))

    assert list(encoded.starts) == starts
    assert len(encoded) == len(sizes)


def test_the_full_length_counts_what_was_cut() -> None:
    encoded = EncodedRows.of(features_of([[3, 3], [2]]), 2)

    assert encoded.num_tokens_N.tolist() == [100, 101]
