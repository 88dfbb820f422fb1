"""From a file to examples through the one door."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.config import DataConfig
from fastbert.data.examples import ValueExample
from fastbert.data.reading import layout_from_json, read_file, read_like, read_training_file
from fastbert.errors import DataError
from fastbert.labels import Labels
from tests.helpers import write_csv

RATED = [{"text": f"text number {row}", "stars": row / 4} for row in range(40)]
LABELLED = [{"text": f"text number {row}", "label": "ab"[row % 2]} for row in range(10)]


def test_numbers_become_value_examples() -> None:
    layout, read = read_training_file(RATED, DataConfig(labels=("stars",)))

    assert layout.task == "regression"
    assert read.examples[2] == ValueExample("text number 2", None, 0.5, "rows, row 3")


def test_a_layout_comes_back_from_json_and_reads_another_file() -> None:
    layout, read = read_training_file(LABELLED, DataConfig())

    again = read_file(LABELLED, layout_from_json(layout.to_json()), DataConfig(), labels=Labels(("a", "b")))

    assert [example.truth for example in again.examples] == [example.truth for example in read.examples]


def test_a_file_may_have_other_columns_than_the_training_file(tmp_path: Path) -> None:
    layout, _ = read_training_file(RATED, DataConfig(labels=("stars",)))
    table = write_csv(tmp_path / "new.csv", ["text", "score"], [["fine", 3.5], ["bad", 1]])

    read = read_like(table, layout, DataConfig(labels=("score",)), "regression")

    assert [example.truth for example in read.examples] == [3.5, 1.0]


def test_rows_without_a_number_are_rows_to_predict() -> None:
    layout, _ = read_training_file(RATED, DataConfig(labels=("stars",)))

    read = read_like([{"text": "fine"}], layout, DataConfig(), "regression", truth_required=False)

    assert [example.truth for example in read.examples] == [None]


def test_a_missing_number_is_an_error_or_left_out() -> None:
    rows = [*RATED, {"text": "no stars", "stars": None}]
    config = DataConfig(labels=("stars",), on_bad_row="skip")

    assert len(read_training_file(rows, config)[1].examples) == len(RATED)
    with pytest.raises(DataError, match="1 of 41 rows cannot be used: column 'stars' is empty"):
        read_training_file(rows, config.changed(on_bad_row="error"))
