"""The calibration that is chosen: the simplest that held-out rows cannot tell from a better one."""

from __future__ import annotations

import numpy as np
import pytest

from fastbert.decisions.calibration import Link, fit, row_losses, to_probs
from fastbert.decisions.calibration_choice import FOLDS, LEAST_ROWS, choose_calibration, folds_of
from tests.decisions.test_calibration import drawn


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_scores_that_are_right_are_left_alone(link: Link) -> None:
    logits_NC, targets_NC = drawn(link, rows=2000, seed=3)

    found = choose_calibration(to_probs(logits_NC, link), targets_NC, link)

    assert found.calibration.method == "none"
    assert found.error_before == found.error_after


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_model_that_is_too_sure_gets_a_temperature(link: Link) -> None:
    logits_NC, targets_NC = drawn(link, rows=2000)

    found = choose_calibration(to_probs(logits_NC * 3, link), targets_NC, link)

    assert found.calibration.method == "temperature"
    assert found.error_after < found.error_before / 3
    assert found.losses["temperature"] < found.losses["none"]


def test_labels_that_are_off_in_different_ways_get_lines() -> None:
    logits_NC, targets_NC = drawn("sigmoid", rows=2000)

    found = choose_calibration(to_probs(logits_NC + np.array([2, 0, -2]), "sigmoid"), targets_NC, "sigmoid")

    assert found.calibration.method == "platt"


def test_scores_of_another_shape_get_an_isotonic_function() -> None:
    rng = np.random.default_rng(0)
    probs_NC = rng.random((4000, 1))
    targets_NC = rng.random((4000, 1)) < np.where(probs_NC < 0.5, 0.1, 0.6)  # a step, which no line has

    assert choose_calibration(probs_NC, targets_NC, "sigmoid").calibration.method == "isotonic"


def test_the_losses_are_of_rows_that_were_not_fitted_to() -> None:
    """Of noise nothing can be learned: on its own rows every method looks better than it is."""
    rng = np.random.default_rng(0)
    probs_NC, targets_NC = rng.random((LEAST_ROWS, 4)), rng.random((LEAST_ROWS, 4)) < 0.5

    found = choose_calibration(probs_NC, targets_NC, "sigmoid", methods=("isotonic", "none"))

    own_NC = fit("isotonic", probs_NC, targets_NC, "sigmoid").apply(probs_NC, "sigmoid")
    assert found.losses["isotonic"] > row_losses(own_NC, targets_NC, "sigmoid").mean()


def test_too_few_rows_decide_nothing() -> None:
    logits_NC, targets_NC = drawn("sigmoid", rows=LEAST_ROWS - 1)

    assert choose_calibration(to_probs(logits_NC * 5, "sigmoid"), targets_NC, "sigmoid").calibration.method == "none"


def test_a_method_that_is_asked_for_is_taken() -> None:
    logits_NC, targets_NC = drawn("softmax", rows=50)

    found = choose_calibration(to_probs(logits_NC * 5, "softmax"), targets_NC, "softmax", methods=("platt",))

    assert found.calibration.method == "platt"
    assert found.losses["platt"] < found.losses["none"]  # both of rows held out
    assert found.error_after < found.error_before


def test_no_rows_choose_nothing() -> None:
    found = choose_calibration(np.zeros((0, 2)), np.zeros((0, 2), np.bool_), "sigmoid")

    assert found.to_json() == {
        "method": "none", "log_losses": {}, "error_before": 0.0, "error_after": 0.0, "before": [], "after": [],
    }  # fmt: skip


def test_each_row_is_held_out_once_and_parts_are_equal() -> None:
    fold_N = folds_of(103, seed=5)

    assert np.bincount(fold_N, minlength=FOLDS).tolist() == [21, 21, 21, 20, 20]
    np.testing.assert_array_equal(fold_N, folds_of(103, seed=5))
    assert not np.array_equal(fold_N, folds_of(103, seed=6))
