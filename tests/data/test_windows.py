"""Flat arrays of windows: selection, padding positions, and joining in slices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.windows import WINDOW, Windows


def windows_of(ids: list[list[int]], types: list[list[int]] | None = None) -> Windows:
    """Make one window a text."""
    sizes = [len(one) for one in ids]
    table_W = np.zeros(len(ids), WINDOW)
    table_W["start"] = np.cumsum([0, *sizes])[: len(ids)]
    table_W["length"] = sizes
    table_W["example"] = np.arange(len(ids))
    flat = [token for one in ids for token in one]
    return Windows(
        np.array(flat, np.int32),
        None if types is None else np.array([kind for one in types for kind in one], np.uint8),
        table_W,
    )


rows = st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=6), max_size=9)


@given(rows, st.lists(st.integers(0, 9)))
def test_parts_are_joined_as_if_they_had_been_one(ids: list[list[int]], borders: list[int]) -> None:
    places = sorted({0, len(ids), *(border for border in borders if border <= len(ids))})
    parts = [windows_of(ids[start:end]) for start, end in zip(places, places[1:], strict=False)]

    joined, whole = Windows.join(parts), windows_of(ids)

    assert joined.ids_T.tolist() == whole.ids_T.tolist()
    assert joined.table_W.tolist() == whole.table_W.tolist()
    assert joined.types_T is None


@pytest.mark.parametrize("typed", [[0], [1], [2], [0, 2], [0, 1, 2]])
def test_types_stay_with_their_windows_where_some_parts_have_none(typed: list[int]) -> None:
    parts = [windows_of([[1, 2], [3]], [[0, 1], [1]] if part in typed else None) for part in range(3)]

    joined = Windows.join(parts)

    expected = [[0, 1], [1]], [[0, 0], [0]]
    assert [joined.types_of(window).tolist() for window in range(6)] == [
        types for part in range(3) for types in expected[part not in typed]
    ]
    assert joined.types_T is not None
    assert len(joined.types_T) == len(joined.ids_T)


def test_a_selection_shares_the_tokens_and_keeps_the_order_asked_for() -> None:
    whole = windows_of([[1, 2], [3], [4, 5]])

    chosen = whole.select(np.array([2, 0]))

    assert [chosen.ids_of(window).tolist() for window in range(2)] == [[4, 5], [1, 2]]
    assert chosen.ids_T is whole.ids_T


def test_places_lead_from_a_padded_batch_to_its_tokens() -> None:
    places_WL, mask_WL = windows_of([[1, 2, 3], [4]]).places_WL()

    assert places_WL.tolist() == [[0, 1, 2], [3, 0, 0]]
    assert mask_WL.tolist() == [[True] * 3, [True, False, False]]


def test_examples_can_be_counted_from_another_number() -> None:
    whole = windows_of([[1], [2]])

    assert whole.counted_from(10).table_W["example"].tolist() == [10, 11]
    assert whole.table_W["example"].tolist() == [0, 1]
