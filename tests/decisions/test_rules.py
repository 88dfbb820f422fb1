"""The threshold of a multi-label model: how it is fitted, and how decisions are saved and read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbert.decisions.rules import DEFAULT_THRESHOLD, Decisions, fit_threshold
from fastbert.errors import BundleError

# N rows, C labels


def column(values: list[float]) -> np.ndarray:
    return np.array(values)[:, None]


def test_the_fitted_threshold_matches_the_hand_computed_example() -> None:
    """One label; positives score 0.2, 0.3, 0.3, negatives 0.1, 0.1.

    F1 by threshold: up to 0.10 all five are given, 2*3/(5+3) = 0.75; above 0.10 up to 0.20 the
    three positives, 1; above 0.20 up to 0.30 two, 2*2/(2+3) = 0.8; above 0.30 none, 0. The mean
    of five neighbours is 1 where all five lie from 0.11 to 0.20: centres 0.13 to 0.18. Nearest
    to 0.5 of these is 0.18.
    """
    scores_NC = column([0.2, 0.3, 0.3, 0.1, 0.1])
    targets_NC = column([1, 1, 1, 0, 0]).astype(np.bool_)

    assert fit_threshold(scores_NC, targets_NC) == 0.18


def test_scores_that_are_clearly_apart_keep_one_half() -> None:
    assert fit_threshold(column([0.9, 0.8, 0.1]), column([1, 1, 0]).astype(np.bool_)) == 0.5


@pytest.mark.parametrize(("positive", "negative", "low", "high"), [(0.95, 0.7, 0.7, 0.95), (0.3, 0.05, 0.05, 0.3)])
def test_the_threshold_moves_to_where_the_scores_are(positive: float, negative: float, low: float, high: float) -> None:
    threshold = fit_threshold(column([positive] * 3 + [negative] * 3), column([1, 1, 1, 0, 0, 0]).astype(np.bool_))

    assert low < threshold <= high


def test_labels_without_a_positive_row_do_not_count() -> None:
    scores_N1, targets_N1 = column([0.2, 0.3, 0.3, 0.1, 0.1]), column([1, 1, 1, 0, 0]).astype(np.bool_)
    scores_NC = np.hstack([scores_N1, np.full((5, 3), 0.45)])
    targets_NC = np.hstack([targets_N1, np.zeros((5, 3), np.bool_)])

    assert fit_threshold(scores_NC, targets_NC) == fit_threshold(scores_N1, targets_N1)


@pytest.mark.parametrize("rows", [0, 4])
def test_no_positive_cell_leaves_the_default(rows: int) -> None:
    assert fit_threshold(np.full((rows, 2), 0.9), np.zeros((rows, 2), np.bool_)) == DEFAULT_THRESHOLD


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20))
def test_a_fitted_threshold_can_always_be_saved(rows: list[tuple[float, bool]]) -> None:
    threshold = fit_threshold(column([score for score, _ in rows]), column([hit for _, hit in rows]).astype(np.bool_))

    assert 0.05 <= threshold <= 0.95
    assert Decisions.from_json(Decisions(threshold).to_json()) == Decisions(threshold)


def test_a_bundle_without_a_threshold_takes_the_default() -> None:
    assert Decisions.from_json({}) == Decisions(0.5)


@pytest.mark.parametrize("value", ["0.5", None, -0.1, 1.1, float("nan"), [0.5]])
def test_a_threshold_that_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(BundleError) as caught:
        Decisions.from_json({"threshold": value})

    assert str(caught.value) == (f"bundle.json: the decision threshold is {value!r}; expected a number from 0 to 1.")


def test_a_margin_of_no_answer_comes_back_and_is_0_in_older_bundles() -> None:
    saved = Decisions(no_answer_margin=-2.5).to_json()

    assert Decisions.from_json(saved) == Decisions(0.5, -2.5)
    assert Decisions.from_json({"threshold": 0.25}) == Decisions(0.25, 0.0)


@pytest.mark.parametrize("value", ["1", None, float("inf"), float("nan")])
def test_a_margin_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(BundleError) as caught:
        Decisions.from_json({"no_answer_margin": value})

    assert str(caught.value) == f"bundle.json: the margin of no answer is {value!r}; expected a number."
