"""What `benchmarks/adaptation.py` draws and concludes; nothing is trained here."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks import adaptation
from benchmarks.datasets import Row


def line(seed: int, plain: float, adapted: float, **choice: object) -> dict[str, Any]:
    """choice: gain of the adapted encoder on rows held out, and its standard error."""
    scores = {"plain": {"f1_macro": plain}, "adapted": {"f1_macro": adapted}}
    held_out = {"plain": {"f1_macro": 0.0}, "adapted": {"f1_macro": choice.pop("gain")}}
    known = {"kept": "nobody's", "monitor": "f1_macro", "scores": held_out, **choice}
    return {"dataset": "imdb", "per_class": 50, "seed": seed, "scores": scores, "choice": known}


def test_the_same_number_of_each_label_is_drawn_by_seed() -> None:
    rows: list[Row] = [(f"text {number}", None, ("ab"[number % 2],)) for number in range(50)]

    drawn = adaptation.draw(rows, 5, seed=1)

    assert Counter(row["label"] for row in drawn) == {"a": 5, "b": 5}
    assert drawn == adaptation.draw(rows, 5, seed=1) != adaptation.draw(rows, 5, seed=2)


def test_the_table_says_what_is_shipped_and_whether_it_is_the_better_one() -> None:
    found = adaptation.table([line(0, 0.5, 0.7, gain=0.25, error=0.12), line(1, 0.6, 0.7, gain=0.25, error=0.13)])

    assert "| imdb | 50 | 0.550 ± 0.071 | 0.700 ± 0.000 | 0.650 ± 0.071 | 1 of 2 | 1 of 2 |" in found


def test_an_old_line_without_the_error_is_judged_by_its_gain() -> None:
    assert adaptation.chosen(line(0, 0.5, 0.7, gain=-0.01)["choice"]) == "plain"
