"""Labels that are paths: parents follow their children."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.decisions.hierarchy import Hierarchy, at_level, is_at_or_below, levels_of

NAMES = ("A", "A > x", "A > x > deep", "B", "Ab > c")


@pytest.mark.parametrize("names", [("a", "b"), ("a > b", "c"), ("a>b", "c>d")])
def test_names_that_are_no_paths_span_no_tree(names: tuple[str, ...]) -> None:
    assert Hierarchy.of(names) is None


def test_the_nodes_are_labels_and_their_parents() -> None:
    tree = Hierarchy(NAMES)

    assert tree.nodes == ("A", "A > x", "A > x > deep", "B", "Ab", "Ab > c")
    assert tree.depth == 3


def test_a_name_that_only_begins_alike_is_no_child() -> None:
    assert not is_at_or_below("Ab > c", "A")
    assert is_at_or_below("A > x", "A")


def test_the_probability_of_a_node_is_the_sum_below_it() -> None:
    sums = Hierarchy(NAMES).node_sums(np.array([[0.1, 0.2, 0.3, 0.25, 0.15]]))[0]

    assert sums == pytest.approx([0.6, 0.5, 0.3, 0.25, 0.15, 0.15])


@given(st.lists(st.lists(st.floats(0, 1), min_size=5, max_size=5), min_size=1, max_size=4))
def test_no_parent_scores_less_than_its_child(scores: list[list[float]]) -> None:
    made = Hierarchy(NAMES).consistent(np.array(scores))

    assert (made[:, 0] >= made[:, 1]).all()
    assert (made[:, 1] >= made[:, 2]).all()
    np.testing.assert_array_equal(made[:, 2:], np.array(scores)[:, 2:])


@given(st.lists(st.booleans(), min_size=5, max_size=5))
def test_parents_of_what_is_given_are_given(cells: list[bool]) -> None:
    made = Hierarchy(NAMES).closed(np.array([cells]))[0]

    assert made[0] == (cells[0] or cells[1] or cells[2])
    assert made[1] == (cells[1] or cells[2])
    assert made[2:].tolist() == cells[2:]


def test_paths_are_cut_to_a_level_once() -> None:
    assert levels_of("A > x > deep")[1] == "A > x"
    assert at_level(NAMES, 1) == ("A", "B", "Ab")
    assert at_level(NAMES, 3) == ("A > x > deep",)
