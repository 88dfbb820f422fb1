"""Weights of labels that exclude each other: better means over labels on new rows, or none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import fbeta_score

from fastbert.decisions import weights
from fastbert.decisions.weights import fit_weights, macro_f_beta

# N rows, C labels


def drawn(rows: int, shares: list[float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return right probabilities of rows of normal features, one mean a label, and their labels."""
    rng = np.random.default_rng(seed)
    targets_N = rng.choice(len(shares), rows, p=shares)
    points = rng.normal(size=(rows, len(shares))) + 1.2 * np.eye(len(shares))[targets_N]
    logits_NC = 1.2 * points + np.log(shares)
    probs_NC = np.exp(logits_NC - logits_NC.max(axis=1, keepdims=True))
    return probs_NC / probs_NC.sum(axis=1, keepdims=True), targets_N


def test_rare_labels_gain_on_new_rows() -> None:
    shares = [0.8, 0.1, 0.06, 0.04]
    probs_NC, targets_N = drawn(3000, shares)
    new_NC, truth_N = drawn(30_000, shares, seed=1)

    found = fit_weights(probs_NC, targets_N)

    plain, ours = (macro_f_beta(truth_N, (new_NC * w).argmax(axis=1), 4, 1.0) for w in (1.0, found.weight_C))
    assert ours > plain + 0.03
    assert found.weight_C[0] < found.weight_C[1:].min()
    assert found.value == pytest.approx(ours, abs=0.03)


def test_labels_of_equal_shares_keep_the_highest_score() -> None:
    found = fit_weights(*drawn(600, [0.25] * 4))

    assert found.weight_C.tolist() == [1.0] * 4


def test_few_rows_keep_the_highest_score() -> None:
    found = fit_weights(*drawn(25, [0.6, 0.2, 0.2]))

    assert found.weight_C.tolist() == [1.0] * 3


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30), st.sampled_from([0.5, 1, 2]))
def test_the_value_is_that_of_scikit_learn(rows: list[tuple[int, int]], beta: float) -> None:
    true, decided = (np.array(column) for column in zip(*rows, strict=True))

    expected = fbeta_score(true, decided, beta=beta, average="macro", zero_division=0)
    assert macro_f_beta(true, decided, 4, beta) == pytest.approx(expected)


@settings(max_examples=20)
@given(st.integers(0, 200))
def test_one_sweep_finds_what_trying_every_weight_finds(seed: int) -> None:
    """The sweep averages neighbours; with so few rows that it does not, it must find the best."""
    probs_NC, targets_N = drawn(12, [0.5, 0.3, 0.2], seed)
    logs_NC = np.log(probs_NC)
    found = weights._best_of_one(logs_NC, targets_N, np.zeros(3), 1, 1.0)

    tried = np.linspace(-4, 4, 801)
    values = [macro_f_beta(targets_N, (logs_NC + np.array([0, w, 0])).argmax(axis=1), 3, 1.0) for w in tried]
    at_found = macro_f_beta(targets_N, (logs_NC + np.array([0, found, 0])).argmax(axis=1), 3, 1.0)
    assert at_found >= np.quantile(values, 0.8) - 0.15
