"""F1 on each level of labels that are paths, against hand-computed numbers."""

from __future__ import annotations

import pytest

from fastbert.metrics.levels import level_scores

NAMES = ("A > x", "A > y", "B > z")


def test_labels_that_are_no_paths_have_no_levels() -> None:
    assert level_scores(("a", "b"), [("a",)], [("b",)]) == {}


def test_a_sibling_is_right_on_the_level_above() -> None:
    scores = level_scores(NAMES, [("A > x",), ("B > z",)], [("A > y",), ("B > z",)])

    assert scores["f1_micro_level_1"] == 1.0
    assert scores["f1_micro_level_2"] == 0.5
    assert scores["f1_macro_level_2"] == pytest.approx(1 / 3)


def test_an_answer_that_stops_early_is_missed_below() -> None:
    scores = level_scores(NAMES, [("A > x",)], [("A",)])

    assert scores["f1_micro_level_1"] == 1.0
    assert scores["f1_micro_level_2"] == 0.0


def test_labels_of_one_parent_count_once_there() -> None:
    assert level_scores(NAMES, [("A > x", "A > y")], [("A > x",)])["f1_micro_level_1"] == 1.0


def test_no_rows_have_no_scores() -> None:
    assert level_scores(NAMES, [], []) == {}
