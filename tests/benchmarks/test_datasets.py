"""What the benchmarks take for training and test rows, on files in the shape of the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import datasets
from benchmarks.datasets import Row


def write_sst2(root: Path, num_rows: int) -> None:
    (root / "sst2").mkdir(parents=True)
    lines = [f"sentence {number}\t{number % 2}" for number in range(num_rows)]
    (root / "sst2" / "train.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "sst2" / "test.tsv").write_text("a test sentence\t1\n", encoding="utf-8")


def write_cola(root: Path, num_rows: int) -> None:
    (root / "cola").mkdir(parents=True)
    sources = ("cj99", "ks08", "l-93")
    lines = [f"{sources[number % 3]}\t{number % 2}\t*\tsentence {number}" for number in range(num_rows)]
    for name in ("in_domain_train", "in_domain_dev", "out_of_domain_dev"):
        (root / "cola" / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def texts(rows: list[Row]) -> set[str]:
    return {text for text, _, _ in rows}


def test_rows_that_were_not_drawn_are_held_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "SST2_TRAIN_ROWS", 60)
    monkeypatch.setattr(datasets, "HELD_OUT_ROWS", 30)
    write_sst2(tmp_path, 100)

    whole, held = datasets.load("sst2", tmp_path), datasets.held_out("sst2", tmp_path)

    assert held.train == whole.train
    assert len(held.train) == 60
    assert len(held.tests["held_out"]) == 30
    assert not texts(held.train) & texts(held.tests["held_out"])


def test_where_all_rows_are_drawn_a_share_of_them_is_held_out(tmp_path: Path) -> None:
    write_sst2(tmp_path, 200)

    whole, held = datasets.load("sst2", tmp_path), datasets.held_out("sst2", tmp_path)

    assert sorted(held.train + held.tests["held_out"]) == sorted(whole.train)
    assert 0.1 < len(held.tests["held_out"]) / 200 < 0.3


def test_whole_sources_of_cola_are_held_out(tmp_path: Path) -> None:
    write_cola(tmp_path, 300)

    held = datasets.held_out("cola", tmp_path)

    assert set(held.tests) == {"held_out", "held_out_sources"}
    assert texts(held.tests["held_out_sources"]) == {f"sentence {number}" for number in range(0, 300, 3)}
    assert len(held.train) + len(held.tests["held_out"]) == 200


def test_no_test_row_is_among_what_is_held_out(tmp_path: Path) -> None:
    write_sst2(tmp_path, 200)

    held = datasets.held_out("sst2", tmp_path)

    assert "a test sentence" not in texts(held.train) | texts(held.tests["held_out"])


def test_a_few_rows_of_each_label_are_drawn_by_the_seed_and_no_text_twice(tmp_path: Path) -> None:
    write_sst2(tmp_path, 100)
    path = tmp_path / "sst2" / "train.tsv"
    path.write_text(path.read_text(encoding="utf-8") + "Sentence  0\t0\n" * 50, encoding="utf-8")

    drawn = [datasets.few("sst2", 40, seed, tmp_path).train for seed in (0, 0, 1)]

    assert drawn[0] == drawn[1] != drawn[2]
    assert [sum(row[2] == (label,) for row in drawn[2]) for label in ("0", "1")] == [40, 40]
    assert len({" ".join(text.lower().split()) for text in texts(drawn[2])}) == 80
    with pytest.raises(ValueError, match="fewer than 60 rows"):
        datasets.few("sst2", 60, 0, tmp_path)
