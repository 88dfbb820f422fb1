"""What `benchmarks/imbalance.py` shows; nothing is trained here."""

from __future__ import annotations

from typing import Any

from benchmarks import imbalance


def line(loss: str, seed: int, score: float) -> dict[str, Any]:
    scores = {"f1_macro": score, "average_precision_macro": 0.5, "log_loss": 0.25}
    return {"dataset": "sst2_rare", "loss": loss, "seed": seed, "scores": scores, "steps": 680}


def test_the_table_has_a_row_for_each_loss_that_was_measured() -> None:
    resampled = {**line("resampled", 0, 0.5), "with_goal_f1": {"f1_macro": 0.75}}

    found = imbalance.table([resampled, line("default", 0, 0.5), line("default", 1, 0.7)])

    assert found.splitlines()[2:] == [
        "| sst2_rare | default | 2 | 0.600 ± 0.141 | - | 0.500 ± 0.000 | 0.250 ± 0.000 | 680 |",
        "| sst2_rare | resampled | 1 | 0.500 | 0.750 | 0.500 | 0.250 | 680 |",
    ]


def test_every_data_set_of_the_losses_has_a_loader() -> None:
    assert imbalance.LOSSES.keys() == imbalance.LOADERS.keys()
