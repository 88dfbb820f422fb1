"""What a table says of itself: its format in words, and the place of a row."""

from __future__ import annotations

import pytest

from fastbert.data.table import Row, Table, TableFormat

TABLE = Table("train.csv", ("text", "label"), (Row(2, ("good", "praise")), Row(5, ("bad", "bug"))))


@pytest.mark.parametrize(
    ("table_format", "phrase"),
    [
        (TableFormat("delimited", "utf-8", ","), "comma-separated, utf-8"),
        (
            TableFormat("delimited", "cp1252", "\t", quoting=False, header=False),
            "tab-separated, quotes are data, cp1252, no header",
        ),
        (TableFormat("delimited", "utf-8", "^", gzipped=True), "'^'-separated, utf-8, gzip"),
        (TableFormat("parquet"), "parquet"),
        (TableFormat("jsonl", "utf-8"), "jsonl, utf-8"),
    ],
)
def test_a_format_describes_what_was_detected(table_format: TableFormat, phrase: str) -> None:
    assert table_format.describe() == phrase


def test_a_place_names_file_row_and_column() -> None:
    assert TABLE.where(TABLE.rows[1]) == "train.csv, row 5"
    assert TABLE.where(TABLE.rows[1], "text") == "train.csv, row 5, column 'text'"


def test_a_column_is_found_by_name() -> None:
    assert TABLE.index_of("label") == 1


def test_an_absent_column_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        TABLE.index_of("title")


def test_the_length_is_the_number_of_rows() -> None:
    assert len(TABLE) == 2
