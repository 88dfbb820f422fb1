"""Thresholds for labels: what holds on new rows, and not what fits the rows at hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbert.decisions.aims import FBetaAim
from fastbert.decisions.thresholds import (
    GRID,
    Candidates,
    Counts,
    drawn_toward,
    fit_thresholds,
    nearest_best,
    smoothed,
)

# N rows, C labels, G thresholds of the grid


def drawn(rows: int, shares: list[float], shifts: list[float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and truth: each label has its own share of the rows, and its scores are off by its own shift."""
    rng = np.random.default_rng(seed)
    targets_NC = rng.random((rows, len(shares))) < np.array(shares)
    logits_NC = rng.normal(size=targets_NC.shape) + 2.5 * targets_NC - 1.5 + np.array(shifts)
    return 1 / (1 + np.exp(-logits_NC)), targets_NC


def macro_f1(given_NC: np.ndarray, targets_NC: np.ndarray) -> float:
    hits_C = (given_NC & targets_NC).sum(axis=0)
    return float(np.mean(2 * hits_C / np.maximum(given_NC.sum(axis=0) + targets_NC.sum(axis=0), 1)))


@settings(max_examples=30)
@given(st.integers(0, 99))
def test_counts_are_those_of_every_threshold_tried_by_itself(seed: int) -> None:
    scores_NC, targets_NC = drawn(20, [0.3, 0.5], [0, 0], seed)
    weight_N = np.random.default_rng(seed).poisson(1.0, 20).astype(np.float64)

    counts = Counts.of(Candidates.of_cells(scores_NC, targets_NC), weight_N)

    given_NCG = scores_NC[:, :, None] >= GRID
    np.testing.assert_allclose(counts.given, (given_NCG * weight_N[:, None, None]).sum(axis=0))
    right_NCG = given_NCG & targets_NC[:, :, None]
    np.testing.assert_allclose(counts.hits, (right_NCG * weight_N[:, None, None]).sum(axis=0))
    np.testing.assert_allclose(counts.positives, weight_N @ targets_NC)


def test_what_was_no_candidate_is_missed_at_every_threshold() -> None:
    missed = Candidates(np.array([-1.0]), np.array([True]), np.array([0]), np.array([0]), 1)

    counts = Counts.of(missed)

    assert counts.positives.tolist() == [1.0]
    assert counts.given.max() == 0


def test_labels_that_are_off_in_their_own_ways_get_thresholds_that_hold_on_new_rows() -> None:
    shares, shifts = [0.3, 0.2, 0.1], [1.5, 0.0, -1.5]
    scores_NC, targets_NC = drawn(1500, shares, shifts)
    new_NC, truth_NC = drawn(20_000, shares, shifts, seed=1)

    found = fit_thresholds(Candidates.of_cells(scores_NC, targets_NC), FBetaAim(), len(scores_NC))

    assert found.own
    assert found.threshold_C[0] > found.threshold_C[1] > found.threshold_C[2]
    own, shared = (macro_f1(new_NC >= some_C, truth_NC) for some_C in (found.threshold_C, found.shared_C))
    best = max_macro_f1(new_NC, truth_NC)
    assert own > shared + 0.03
    assert own > best - 0.02
    assert found.value == pytest.approx(own, abs=0.03)  # the value on rows held out is an honest one


def max_macro_f1(scores_NC: np.ndarray, targets_NC: np.ndarray) -> float:
    counts = Counts.of(Candidates.of_cells(scores_NC, targets_NC))
    return float((2 * counts.hits / (counts.given + counts.positives[:, None])).max(axis=1).mean())


def test_rare_labels_of_equal_scores_keep_the_shared_threshold() -> None:
    """Twenty labels with about ten rows each, all off alike: a threshold of its own for each would fit noise."""
    shares = [0.02] * 20
    scores_NC, targets_NC = drawn(500, shares, [0.0] * 20)
    new_NC, truth_NC = drawn(20_000, shares, [0.0] * 20, seed=1)

    found = fit_thresholds(Candidates.of_cells(scores_NC, targets_NC), FBetaAim(), len(scores_NC))

    counts = Counts.of(Candidates.of_cells(scores_NC, targets_NC))
    greedy_C = GRID[(2 * counts.hits / (counts.given + counts.positives[:, None])).argmax(axis=1)]
    ours, greedy = (macro_f1(new_NC >= some_C, truth_NC) for some_C in (found.threshold_C, greedy_C))
    assert ours > greedy + 0.01


def test_the_same_rows_and_seed_give_the_same_thresholds() -> None:
    scores_NC, targets_NC = drawn(300, [0.3, 0.1], [1.0, -1.0])
    cells = Candidates.of_cells(scores_NC, targets_NC)

    first, second = (fit_thresholds(cells, FBetaAim(), 300, seed=4) for _ in range(2))

    np.testing.assert_array_equal(first.threshold_C, second.threshold_C)
    assert first.to_json() == second.to_json()


def test_what_was_measured_is_plain_values() -> None:
    scores_NC, targets_NC = drawn(100, [0.3], [0.0])

    facts = fit_thresholds(Candidates.of_cells(scores_NC, targets_NC), FBetaAim(), 100).to_json()

    assert facts.keys() == {"held_out", "held_out_shared", "error", "own_thresholds", "met"}


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0, 1000), st.floats(0.1, 1000))
def test_a_drawn_threshold_lies_between_its_own_and_the_shared_one(
    own: float, shared: float, support: float, belief: float
) -> None:
    (found,) = drawn_toward(np.array([own]), np.array([shared]), np.array([support]), belief)

    assert min(own, shared) - 1e-3 <= found <= max(own, shared) + 1e-3


def test_a_label_with_no_rows_has_the_shared_threshold() -> None:
    assert drawn_toward(np.array([0.9]), np.array([0.4]), np.array([0.0]), 5.0)[0] == pytest.approx(0.4)


def test_values_are_averaged_with_their_neighbours() -> None:
    assert smoothed(np.array([0.0, 0, 5, 0, 0])).tolist() == [1.0] * 5
    assert smoothed(np.array([[0.0, 0, 0, 0, 0, 10]]))[0].tolist() == [0, 0, 0, 2.0, 4.0, 6.0]


def test_of_equal_values_the_one_in_the_middle_counts() -> None:
    assert nearest_best(np.ones(len(GRID))) == 0.5
    assert math.isclose(nearest_best((GRID > 0.6).astype(np.float64)), 0.61)
