"""What `benchmarks/tuning.py` concludes; no search is run here."""

from __future__ import annotations

from typing import Any

from benchmarks import tuning


def line(seed: int, defaults: float, tuned: float, winner: int = 3) -> dict[str, Any]:
    return {
        "dataset": "trec6",
        "seed": seed,
        "metric": "accuracy",
        "scores": {which: {"test": {"accuracy": one}} for which, one in (("defaults", defaults), ("tuned", tuned))},
        "valid": {"defaults": 0.5, "tuned": 0.75},
        "trials": 10 + seed,
        "seconds": 1190.0 + seed,
        "winner": winner,
    }


def test_the_table_has_means_over_seeds_and_the_longest_time() -> None:
    found = tuning.table([line(0, 0.9, 0.92), line(1, 0.8, 0.8, winner=0)])

    assert "| trec6 | accuracy | 0.850 | 0.860 | 0.500 | 0.750 | 10/11 | 1191 |" in found
    assert found.endswith("1 of 2 searches kept the defaults.")


def test_choosing_the_best_ships_worse_models_than_choosing_by_the_expected_gain() -> None:
    found = tuning.simulate(200, -0.01, 0.005, repeats=60)

    assert found["the best"][1] > 2 * found["expected gain > 0"][1]
    assert found["the best"][0] < found["expected gain > 0"][0] <= 0.1


def test_large_gains_are_taken_by_every_rule() -> None:
    found = tuning.simulate(1000, 0.0, 0.04, repeats=30)

    assert min(gain for gain, _ in found.values()) > 4
