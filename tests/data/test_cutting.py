"""Which tokens windows keep, as numbers. What they hold of a text is tested in `test_tokens.py`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.config import Truncation
from fastbert.data.cutting import Cuts, Slide, plan_cuts

WAYS: tuple[Truncation, ...] = ("head", "tail", "head_tail", "windows")
lengths = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(2, 30)), min_size=1, max_size=8)


def plan(
    rows: list[tuple[int, int, int]], truncation: Truncation, slide: Slide = "text", overlap: int | None = None
) -> Cuts:
    """Plan texts of (tokens, tokens of the pair, room)."""
    first_N, second_N, room_N = np.array(rows, np.int64).T
    return plan_cuts(first_N, second_N, room_N, truncation, slide, overlap)


@pytest.mark.parametrize(
    ("truncation", "starts", "sizes"),
    [
        ("head", [0, 8, 0, 0], [8, 0, 0, 0]),
        ("tail", [0, 2, 0, 0], [0, 8, 0, 0]),
        ("head_tail", [0, 4, 0, 0], [2, 6, 0, 0]),
    ],
)
def test_one_long_text_is_cut_as_asked(truncation: Truncation, starts: list[int], sizes: list[int]) -> None:
    cuts = plan([(10, 0, 8)], truncation)

    kept = cuts.sizes_WR[0] > 0
    assert cuts.sizes_WR.tolist() == [sizes]
    assert cuts.starts_WR[0][kept].tolist() == np.array(starts)[kept].tolist()
    assert cuts.unread_N.tolist() == [True]


def test_windows_overlap_by_a_quarter_and_the_last_ends_with_the_text() -> None:
    cuts = plan([(3, 0, 8), (17, 0, 8)], "windows")

    assert cuts.text_W.tolist() == [0, 1, 1, 1]
    assert cuts.starts_WR[:, 0].tolist() == [0, 0, 6, 9]
    assert cuts.sizes_WR[:, 0].tolist() == [3, 8, 8, 8]
    assert cuts.windows_N.tolist() == [1, 3]


@given(rows=lengths, truncation=st.sampled_from(WAYS))
def test_no_window_holds_more_than_its_room_or_what_is_not_there(
    rows: list[tuple[int, int, int]], truncation: Truncation
) -> None:
    cuts = plan(rows, truncation)

    first_N, second_N, room_N = np.array(rows, np.int64).T
    ends_WR = cuts.starts_WR + cuts.sizes_WR
    assert (cuts.sizes_WR.sum(axis=1) <= room_N[cuts.text_W]).all()
    assert (cuts.starts_WR >= 0).all()
    assert (ends_WR[:, :2] <= first_N[cuts.text_W, None]).all()
    assert (ends_WR[:, 2:] <= second_N[cuts.text_W, None]).all()


@given(rows=lengths, truncation=st.sampled_from(WAYS))
def test_each_text_is_planned_as_if_it_were_alone(rows: list[tuple[int, int, int]], truncation: Truncation) -> None:
    together = plan(rows, truncation)

    alone = [plan([row], truncation) for row in rows]
    assert together.sizes_WR.tolist() == [sizes for one in alone for sizes in one.sizes_WR.tolist()]
    kept = together.sizes_WR > 0
    assert together.starts_WR[kept].tolist() == [
        start for one in alone for start in one.starts_WR[one.sizes_WR > 0].tolist()
    ]
    assert together.unread_N.tolist() == [one.unread_N[0] for one in alone]
    assert together.text_W.tolist() == [row for row, one in enumerate(alone) for _ in one.text_W]


@given(rows=lengths)
def test_windows_leave_nothing_of_the_first_text_unread(rows: list[tuple[int, int, int]]) -> None:
    cuts = plan(rows, "windows")

    for row, (num_tokens, _, _) in enumerate(rows):
        starts, sizes = cuts.starts_WR[cuts.text_W == row, 0], cuts.sizes_WR[cuts.text_W == row, 0]
        assert starts[0] == 0
        assert starts[-1] + sizes[-1] == num_tokens
        assert (starts[1:] <= (starts + sizes)[:-1]).all()


# --- sliding over the pair, and the overlap ---------------------------------------------------------


def test_windows_over_the_pair_repeat_the_text() -> None:
    """A question of 3 tokens and a context of 20 in windows of 11 tokens: 8 for the context, 2 of them shared."""
    cuts = plan([(3, 20, 11)], "windows", "pair")

    assert cuts.starts_WR[:, [0, 2]].tolist() == [[0, 0], [0, 6], [0, 12]]
    assert cuts.sizes_WR.tolist() == [[3, 0, 8, 0]] * 3
    assert (cuts.windows_N.tolist(), cuts.unread_N.tolist()) == ([3], [False])


def test_windows_over_the_pair_say_when_the_text_is_cut() -> None:
    cuts = plan([(9, 20, 8)], "windows", "pair")

    assert set(cuts.sizes_WR[:, 0].tolist()) == {4}
    assert cuts.unread_N.tolist() == [True]


def test_a_text_without_a_pair_to_slide_over_is_cut_to_one_window() -> None:
    cuts = plan([(9, 0, 8)], "windows", "pair")

    assert (cuts.sizes_WR.tolist(), cuts.unread_N.tolist()) == ([[8, 0, 0, 0]], [True])


@given(rows=lengths, overlap=st.none() | st.integers(0, 40))
def test_sliding_over_the_pair_is_sliding_over_the_text_with_both_swapped(
    rows: list[tuple[int, int, int]], overlap: int | None
) -> None:
    cuts = plan(rows, "windows", "pair", overlap)

    swapped = plan([(second, first, room) for first, second, room in rows], "windows", "text", overlap)
    assert cuts.starts_WR[:, [2, 3, 0, 1]].tolist() == swapped.starts_WR.tolist()
    assert cuts.sizes_WR[:, [2, 3, 0, 1]].tolist() == swapped.sizes_WR.tolist()
    assert cuts.unread_N.tolist() == swapped.unread_N.tolist()


@pytest.mark.parametrize(("overlap", "starts"), [(0, [0, 8, 9]), (3, [0, 5, 9]), (4, [0, 4, 8, 9]), (99, [0, 4, 8, 9])])
def test_neighbours_share_as_many_tokens_as_asked_but_at_most_half(overlap: int, starts: list[int]) -> None:
    assert plan([(17, 0, 8)], "windows", "text", overlap).starts_WR[:, 0].tolist() == starts


@given(rows=lengths, overlap=st.integers(0, 40))
def test_any_overlap_leaves_nothing_unread(rows: list[tuple[int, int, int]], overlap: int) -> None:
    cuts = plan(rows, "windows", "text", overlap)

    for row, (num_tokens, _, _) in enumerate(rows):
        starts, sizes = cuts.starts_WR[cuts.text_W == row, 0], cuts.sizes_WR[cuts.text_W == row, 0]
        assert (starts[0], starts[-1] + sizes[-1]) == (0, num_tokens)
        assert (starts[1:] <= (starts + sizes)[:-1]).all()
        assert (np.diff(starts) > 0).all()


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
@given(rows=lengths)
def test_what_windows_slide_over_means_nothing_to_other_ways(
    truncation: Truncation, rows: list[tuple[int, int, int]]
) -> None:
    cuts, other = plan(rows, truncation, "pair", 3), plan(rows, truncation)

    assert cuts.starts_WR.tolist() == other.starts_WR.tolist()
    assert cuts.sizes_WR.tolist() == other.sizes_WR.tolist()


def test_windows_slide_over_the_longer_text_of_each_two() -> None:
    rows = [(2, 20, 8), (20, 2, 8), (9, 0, 8)]

    cuts = plan(rows, "windows", "longer")

    assert cuts.unread_N.tolist() == [False] * 3
    assert {tuple(sizes) for sizes in cuts.sizes_WR[cuts.text_W == 0].tolist()} == {(2, 0, 6, 0)}
    assert {tuple(sizes) for sizes in cuts.sizes_WR[cuts.text_W == 1].tolist()} == {(6, 0, 2, 0)}
