"""What `benchmarks/label_noise.py` says of rankings, by hand; the measurements themselves are not run here."""

from __future__ import annotations

import numpy as np

from benchmarks import label_noise
from benchmarks.datasets import Benchmark
from benchmarks.noise import add_noise

CLEAN = Benchmark("s", [(f"t{i}", None, ("ab"[i % 2],)) for i in range(400)], {}, ("a", "b"), False, "accuracy")


def test_precision_and_recall_are_of_the_first_rows() -> None:
    wrong_N = np.zeros(300, np.bool_)
    wrong_N[[0, 1, 60, 250]] = True

    found = label_noise._ranked(wrong_N, np.linspace(0, 1, 300))

    assert (found["precision_at_wrong"], found["recall_at_wrong"]) == (0.5, 0.5)
    assert (found["precision_at_50"], found["recall_at_50"], found["recall_at_100"]) == (0.04, 0.5, 0.75)
    assert found["average_precision"] == round((1 + 1 + 3 / 61 + 4 / 251) / 4, 4)


def test_a_model_that_knows_the_truth_finds_all() -> None:
    rows, wrong_N = add_noise(CLEAN, 0.05, 0)
    scores_NC = np.array([[0.9, 0.1] if names == ("a",) else [0.1, 0.9] for _, _, names in CLEAN.train])

    found = label_noise.measure(CLEAN, rows, wrong_N, scores_NC)

    assert found["accuracy_on_clean_labels"] == 1.0
    assert found["rankings"]["self_confidence"]["average_precision"] == 1.0
    assert found["chosen"]["confident_learning"] == {"rows": 20, "precision": 1.0, "recall": 1.0}
    assert found["rankings"]["random"]["average_precision"] < 0.3
