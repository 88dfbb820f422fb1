"""The table of `benchmarks/few_labels.py`, and the rows that it draws from; the measurements are not run here."""

from __future__ import annotations

from benchmarks.few_labels import ARMS, SCORES, rows_of, table


def test_the_table_has_a_row_for_each_arm_in_their_order() -> None:
    def line(arm: str, seed: int, value: float) -> dict[str, object]:
        scores = dict.fromkeys(SCORES, value)
        return {"dataset": "feedback", "rows": 24, "arm": arm, "seed": seed, "scores": scores, "cpu_seconds": 10.0}

    rows = table([line("folds", 0, 0.5), line("share", 0, 0.25), line("share", 1, 0.5)]).splitlines()

    assert rows[2:] == [
        "| feedback | 24 (2) | share | 0.375 | 0.375 | 0.375 | 10 |",
        "| feedback | 24 (1) | folds | 0.500 | 0.500 | 0.500 | 10 |",
    ]


def test_the_sample_has_a_column_for_each_label() -> None:
    rows, labels = rows_of("feedback")

    assert len(rows) > 500 and len(labels) == 11
    assert all(set(row) == {"text", *labels} and {row[label] for label in labels} <= {"0", "1"} for row in rows)
    assert "share" in ARMS
