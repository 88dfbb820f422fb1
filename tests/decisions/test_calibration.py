"""Maps of probabilities: each finds back the distortion that it can undo, and keeps the order of scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from fastbert.decisions import calibration
from fastbert.decisions.calibration import METHODS, Calibration, Link, Method, fit, row_losses, to_logits, to_probs
from fastbert.errors import BundleError

# N rows, C labels
LINKS: tuple[Link, ...] = ("softmax", "sigmoid")


def drawn(link: Link, rows: int = 3000, labels: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return true logits, and truths drawn by them."""
    rng = np.random.default_rng(seed)
    logits_NC = rng.normal(size=(rows, labels)) * 2
    probs_NC = to_probs(logits_NC, link)
    if link == "sigmoid":
        return logits_NC, rng.random(probs_NC.shape) < probs_NC
    chosen_N = (probs_NC.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1)
    return logits_NC, np.arange(labels) == np.minimum(chosen_N, labels - 1)[:, None]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_a_temperature_is_found_back(link: Link, temperature: float) -> None:
    logits_NC, targets_NC = drawn(link)

    found = fit("temperature", to_probs(logits_NC / temperature, link), targets_NC, link)

    assert found.scale == pytest.approx([temperature] * 3, rel=0.06)


def test_lines_of_labels_are_found_back() -> None:
    logits_NC, targets_NC = drawn("sigmoid", rows=20_000)
    distorted_NC = (logits_NC - np.array([1.0, 0.0, -2.0])) / np.array([2.0, 1.0, 0.5])

    found = fit("platt", to_probs(distorted_NC, "sigmoid"), targets_NC, "sigmoid")

    assert found.scale == pytest.approx([2.0, 1.0, 0.5], rel=0.1)
    assert found.shift == pytest.approx([1.0, 0.0, -2.0], abs=0.1)


def test_without_its_ridge_platt_is_the_logistic_regression_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "RIDGE", 1e-6)
    logits_NC, targets_NC = drawn("sigmoid", labels=1, rows=500)

    found = fit("platt", to_probs(logits_NC * 0.7 + 1, "sigmoid"), targets_NC, "sigmoid")

    peer = LogisticRegression(C=1e6).fit(logits_NC * 0.7 + 1, targets_NC[:, 0])
    assert found.scale[0] == pytest.approx(peer.coef_[0, 0], rel=1e-3)
    assert found.shift[0] == pytest.approx(peer.intercept_[0], abs=1e-3)


def test_shifts_of_labels_that_exclude_each_other_are_found_back() -> None:
    logits_NC, targets_NC = drawn("softmax", rows=20_000)
    distorted_NC = (logits_NC - np.array([1.0, 0.0, -1.0])) / 2.0

    found = fit("platt", to_probs(distorted_NC, "softmax"), targets_NC, "softmax")

    assert found.scale == pytest.approx([2.0] * 3, rel=0.06)
    assert np.diff(found.shift) == pytest.approx([-1.0, -1.0], abs=0.1)


def test_a_label_with_few_rows_stays_nearer_to_no_shift() -> None:
    logits_NC, targets_NC = drawn("sigmoid", rows=2000)
    probs_NC = to_probs(logits_NC + np.array([2.0, 0.0, -2.0]), "sigmoid")

    few, many = (fit("platt", probs_NC[:rows], targets_NC[:rows], "sigmoid").shift for rows in (30, 2000))

    assert 0 < -few[0] < -many[0]
    assert 0 < few[2] < many[2]


def test_an_isotonic_function_is_that_of_scikit_learn_on_groups_of_rows() -> None:
    rng = np.random.default_rng(1)
    probs_M = np.sort(rng.random(2000))
    targets_M = rng.random(2000) < probs_M**2

    (knots,) = fit("isotonic", probs_M[:, None], targets_M[:, None], "sigmoid").knots

    groups = np.array_split(np.arange(2000), 200)
    peer = IsotonicRegression().fit([probs_M[g].mean() for g in groups], [targets_M[g].mean() for g in groups])
    at = [x for x, _ in knots]
    assert [y for _, y in knots] == pytest.approx(peer.predict(at), abs=0.06)  # half a row is added to each pool


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("method", METHODS)
def test_no_map_makes_its_own_rows_less_likely(method: Method, link: Link) -> None:
    logits_NC, targets_NC = drawn(link, rows=800)
    probs_NC = to_probs(logits_NC * 3 + 1, link)

    after_NC = fit(method, probs_NC, targets_NC, link).apply(probs_NC, link)

    assert row_losses(after_NC, targets_NC, link).mean() <= row_losses(probs_NC, targets_NC, link).mean() + 1e-9
    assert after_NC.min() >= 0
    assert after_NC.max() <= 1
    assert link == "sigmoid" or after_NC.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=10))
def test_a_map_never_turns_the_scores_of_a_label_around(method: Method, scores: list[float]) -> None:
    logits_NC, targets_NC = drawn("sigmoid", rows=300)
    found = fit(method, to_probs(logits_NC * 2, "sigmoid"), targets_NC, "sigmoid")

    mapped_N3 = found.apply(np.repeat(np.sort(scores)[:, None], 3, axis=1), "sigmoid")

    assert (np.diff(mapped_N3, axis=0) >= -1e-12).all()


@pytest.mark.parametrize("link", LINKS)
def test_one_scale_never_changes_which_label_is_first(link: Link) -> None:
    logits_NC, targets_NC = drawn(link, rows=300)
    probs_NC = to_probs(logits_NC * 2, link)

    after_NC = fit("temperature", probs_NC, targets_NC, link).apply(probs_NC, link)

    np.testing.assert_array_equal(after_NC.argmax(axis=1), probs_NC.argmax(axis=1))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("method", METHODS)
def test_a_map_comes_back_from_a_bundle_and_does_the_same(method: Method, link: Link) -> None:
    logits_NC, targets_NC = drawn(link, rows=300)
    probs_NC = to_probs(logits_NC * 2, link)
    found = fit(method, probs_NC, targets_NC, link)

    again = Calibration.from_json(json.loads(json.dumps(found.to_json())))

    assert again == found
    np.testing.assert_array_equal(again.apply(probs_NC, link), found.apply(probs_NC, link))


@pytest.mark.parametrize(
    "values",
    [
        {"method": "spline"},
        {"method": "platt"},
        {"method": "platt", "scale": [1.0], "shift": []},
        {"method": "platt", "scale": ["a"], "shift": [0.0]},
        {"method": "temperature", "scale": [float("nan")], "shift": [0.0]},
        {"method": "isotonic", "knots": [[0.5]]},
    ],
)
def test_a_damaged_calibration_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(BundleError, match=r"bundle\.json: the (calibration|numbers of the calibration)"):
        Calibration.from_json(values)


def test_a_calibration_of_another_number_of_labels_is_refused() -> None:
    with pytest.raises(BundleError) as caught:
        Calibration("temperature", (1.0, 1.0), (0.0, 0.0)).check_labels(3)

    assert str(caught.value) == "bundle.json: the calibration is for 2 labels, the model has 3."


@pytest.mark.parametrize("link", LINKS)
def test_certain_probabilities_stay_finite(link: Link) -> None:
    assert np.isfinite(to_logits(np.array([[0.0, 1.0]]), link)).all()
    targets_NC = np.array([[True, False]])
    assert np.isfinite(row_losses(np.array([[0.0, 1.0]]), targets_NC, link)).all()


def test_no_rows_have_no_map() -> None:
    assert fit("platt", np.zeros((0, 3)), np.zeros((0, 3), np.bool_), "sigmoid") == Calibration()


def test_people_read_a_temperature() -> None:
    assert Calibration("temperature", (0.5,), (0.0,)).describe() == "temperature 2"
