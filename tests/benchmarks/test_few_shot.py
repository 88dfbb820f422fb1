"""What `benchmarks/few_shot.py` shows; nothing is trained here."""

from __future__ import annotations

from typing import Any

from benchmarks import few_shot


def line(system: str, seed: int, f1: float) -> dict[str, Any]:
    scores = {"accuracy": f1 + 0.1, "f1_macro": f1}
    return {"dataset": "trec6", "rows": 8, "system": system, "seed": seed, "scores": scores, "cpu_seconds": 30.0}


def test_the_table_shows_the_mean_of_both_scores_over_seeds() -> None:
    found = few_shot.table([line("fastbert", 0, 0.5), line("fastbert", 1, 0.7), line("setfit", 0, 0.5)])

    unmeasured = " - | - |" * (len(few_shot.SYSTEMS) - 2)
    assert found.splitlines()[2] == f"| trec6 | 8 | 0.650 ± 0.141 (2) | 30 | 0.550 (1) | 30 |{unmeasured}"
    assert len(found.splitlines()) == 2 + len(few_shot.DATA) * len(few_shot.ROWS)
