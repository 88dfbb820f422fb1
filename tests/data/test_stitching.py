"""Merging of overlapping windows: the max-context rule, gaps and padding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.data.cutting import plan_cuts
from fastbert.data.stitching import best_windows, merge_windows

windows = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 12)), min_size=1, max_size=6)


def naive_best(starts: list[int], sizes: list[int], token: int) -> int:
    """Return what `_check_is_max_context` of run_squad.py finds, in hundredths; -1 where no window has the token."""
    best_score, best = -1, -1
    for window, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        end = start + size - 1
        if not start <= token <= end:
            continue
        score = 100 * min(token - start, end - token) + size
        if score > best_score:
            best_score, best = score, window
    return best


@given(windows)
def test_each_token_is_read_where_the_rule_of_the_squad_baseline_says(places: list[tuple[int, int]]) -> None:
    starts, sizes = (list(column) for column in zip(*places, strict=True))

    found = best_windows(np.array(starts), np.array(sizes), 32, allow_gaps=True)

    assert found.tolist() == [naive_best(starts, sizes, token) for token in range(32)]


def test_the_overlap_is_shared_by_both_windows() -> None:
    """Tokens 4 and 5 are in both: token 4 has 1 to its right in the first and 0 to its left in the second."""
    assert best_windows(np.array([0, 4]), np.array([6, 6]), 10).tolist() == [0] * 5 + [1] * 5


def test_of_windows_with_equal_context_the_longer_one_is_taken() -> None:
    assert best_windows(np.array([0, 0]), np.array([2, 4]), 4).tolist() == [1, 1, 1, 1]


def test_of_equal_windows_the_first_is_taken() -> None:
    assert best_windows(np.array([0, 0]), np.array([3, 3]), 3).tolist() == [0, 0, 0]


def test_a_token_in_no_window_is_refused() -> None:
    with pytest.raises(ValueError, match="2 of 6 tokens are in no window, the first is token 2"):
        best_windows(np.array([0, 4]), np.array([2, 2]), 6)


def test_the_unread_middle_of_head_and_tail_has_no_window() -> None:
    found = best_windows(np.array([0, 4]), np.array([2, 2]), 6, allow_gaps=True)

    assert found.tolist() == [0, 0, -1, -1, 1, 1]


@pytest.mark.parametrize(("start", "size"), [(-1, 5), (0, 5), (5, 0), (2, -1)])
def test_a_window_beyond_the_text_is_refused(start: int, size: int) -> None:
    with pytest.raises(ValueError, match="leave a text of 4 tokens"):
        best_windows(np.array([start]), np.array([size]), 4, allow_gaps=True)


def test_a_text_without_tokens_has_no_windows_to_choose() -> None:
    assert best_windows(np.array([], int), np.array([], int), 0).tolist() == []


def test_the_windows_of_a_planned_cut_cover_its_text() -> None:
    cuts = plan_cuts(np.array([100]), np.array([0]), np.array([16]), "windows")

    found = best_windows(cuts.starts_WR[:, 0], cuts.sizes_WR[:, 0], 100)

    assert sorted(set(found.tolist())) == list(range(len(cuts.text_W)))


@given(windows)
def test_merged_scores_are_those_of_the_best_window(places: list[tuple[int, int]]) -> None:
    starts, sizes = (list(column) for column in zip(*places, strict=True))
    scores = [
        np.stack([np.full(size, window), start + np.arange(size)], axis=1).astype(np.float32)
        for window, (start, size) in enumerate(places)
    ]

    merged = merge_windows(scores, np.array(starts), 32, unread_C=np.array([-1, -1], np.float32))

    best = [naive_best(starts, sizes, token) for token in range(32)]
    assert merged.tolist() == [[window, token if window >= 0 else -1] for token, window in enumerate(best)]


def test_padding_of_the_last_window_is_left_out() -> None:
    scores_WLC = np.arange(12, dtype=np.float32).reshape(2, 6, 1)

    assert merge_windows(scores_WLC, np.array([0, 4]), 8)[:, 0].tolist() == [0, 1, 2, 3, 4, 7, 8, 9]


def test_one_window_is_returned_as_it_is_in_its_own_dtype() -> None:
    scores_WLC = np.arange(6, dtype=np.float32).reshape(1, 3, 2)

    merged = merge_windows(scores_WLC, np.array([0]), 3)

    assert merged.dtype == np.float32
    assert merged.tolist() == scores_WLC[0].tolist()


def test_scores_of_unread_tokens_must_be_given() -> None:
    with pytest.raises(ValueError, match="1 of 4 tokens are in no window, the first is token 3"):
        merge_windows(np.zeros((1, 3, 2)), np.array([0]), 4)


@pytest.mark.parametrize("num_windows", [0, 2])
def test_there_must_be_a_start_for_each_window(num_windows: int) -> None:
    with pytest.raises(ValueError, match=f"{num_windows} windows and {num_windows // 2} starts"):
        merge_windows(np.zeros((num_windows, 3, 2)), np.zeros(num_windows // 2, int), 3)
