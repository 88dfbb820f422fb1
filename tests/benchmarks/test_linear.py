"""The table of `benchmarks/linear.py`."""

from __future__ import annotations

from typing import Any

from benchmarks.linear import table


def test_the_baselines_stand_beside_the_mean_of_the_trained_models() -> None:
    linear: dict[str, Any] = {"dataset": "trec6", "metric": "accuracy", "cpu_seconds": 2.25}
    lines = [
        linear | {"kind": "majority", "scores": {"test": 0.188}},
        linear | {"kind": "tfidf", "scores": {"test": 0.89}},
    ]
    fastbert = {"dataset": "trec6", "system": "fastbert", "metric": "accuracy"}
    trained = [fastbert | {"scores": {"test": {"accuracy": score}}} for score in (0.95, 0.97)]

    assert table(lines, trained).splitlines()[2] == "| trec6 | accuracy | 0.188 | 0.890 | 0.960 | 2.2 |"
