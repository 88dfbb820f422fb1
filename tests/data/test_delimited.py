"""Delimited files: columns, rows, row numbers, and what is said about rows that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastbert.data.delimited import open_delimited
from fastbert.data.files import find_file
from fastbert.data.header import ExpectedHeader, Header
from fastbert.data.table import Cell, RowStream
from fastbert.errors import DataError


def opened(folder: Path, text: str, name: str = "train.csv", header: Header = None) -> RowStream:
    path = folder / name
    path.write_bytes(text.encode())
    return open_delimited(find_file(path), header=header)


def cells(stream: RowStream) -> list[tuple[Cell, ...]]:
    return [row.cells for row in stream.rows]


def read_error(stream: RowStream) -> DataError:
    with pytest.raises(DataError) as caught:
        list(stream.rows)
    return caught.value


# --- columns ----------------------------------------------------------------------------------------


def test_a_header_row_names_the_columns(tmp_path: Path) -> None:
    stream = opened(tmp_path, "text,label\na,b\n")

    assert (stream.columns, stream.format.header, cells(stream)) == (("text", "label"), True, [("a", "b")])


def test_columns_without_a_header_are_numbered(tmp_path: Path) -> None:
    stream = opened(tmp_path, "good film\t1\nbad film\t0\n", "train.tsv")

    assert (stream.columns, stream.format.header) == (("0", "1"), False)
    assert cells(stream) == [("good film", "1"), ("bad film", "0")]


@pytest.mark.parametrize(
    ("header", "columns", "num_rows"), [(True, ("good", "1"), 1), (False, ("0", "1"), 2), (None, ("0", "1"), 2)]
)
def test_what_the_user_says_of_the_header_counts(
    tmp_path: Path, header: bool | None, columns: tuple[str, ...], num_rows: int
) -> None:
    stream = opened(tmp_path, "good,1\nbad,0\n", header=header)

    assert (stream.columns, len(cells(stream))) == (columns, num_rows)


def test_names_can_be_kept_as_a_row(tmp_path: Path) -> None:
    stream = opened(tmp_path, "text,label\na,b\n", header=False)

    assert cells(stream) == [("text", "label"), ("a", "b")]


def test_lines_without_a_delimiter_are_one_column_of_texts(tmp_path: Path) -> None:
    stream = opened(tmp_path, "Hello, you\nBye\n", "texts.txt")

    assert (stream.columns, stream.format.delimiter, stream.format.header) == (("text",), None, False)
    assert cells(stream) == [("Hello, you",), ("Bye",)]


def test_one_column_may_have_a_header(tmp_path: Path) -> None:
    stream = opened(tmp_path, 'sentence\n"Hello, you"\n')

    assert (stream.columns, cells(stream)) == (("sentence",), [("Hello, you",)])


def test_the_format_says_what_was_found(tmp_path: Path) -> None:
    stream = opened(tmp_path, '"a" b\t1\n', "train.tsv")

    assert stream.format.describe() == "tab-separated, quotes are data, utf-8, no header"


def test_the_nameless_index_of_pandas_becomes_a_column(tmp_path: Path) -> None:
    stream = opened(tmp_path, ",text,label\n0,a,b\n1,c,d\n")

    assert stream.columns == ("0", "text", "label")


# --- cells and row numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["", " ", " a ", "nan", "NA", "None", "null", "0", "1.0", "TRUE", "'a'", "a\rb"])
def test_cells_stay_as_they_are_written(tmp_path: Path, cell: str) -> None:
    assert cells(opened(tmp_path, f"text,label\n{cell},x\n")) == [(cell, "x")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_no_part_of_a_cell(tmp_path: Path, end: str) -> None:
    assert cells(opened(tmp_path, f"text,label{end}a,b{end}c,d")) == [("a", "b"), ("c", "d")]


def test_a_row_number_is_the_line_on_which_the_row_starts(tmp_path: Path) -> None:
    stream = opened(tmp_path, 'text,label\n"a\nb",x\n\nc,y\n')

    assert [row.number for row in stream.rows] == [2, 5]


def test_blank_lines_between_rows_are_skipped(tmp_path: Path) -> None:
    assert cells(opened(tmp_path, "\ntext,label\n\na,b\n  \nc,d\n\n")) == [("a", "b"), ("c", "d")]


def test_an_empty_line_among_texts_is_an_empty_text(tmp_path: Path) -> None:
    stream = opened(tmp_path, "one\n\n \nfour\n\n\n", "texts.txt")

    assert [(row.number, row.cells[0]) for row in stream.rows] == [(1, "one"), (2, ""), (3, " "), (4, "four")]


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["\n", "\n\n\n", "\ufeff"])
def test_a_file_without_rows_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError) as caught:
        opened(tmp_path, text)

    assert caught.value.message == "train.csv is empty; expected rows of text."


def test_a_header_without_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        opened(tmp_path, "text,label\n")

    assert caught.value.message == "train.csv holds only a header row (2 columns) and no data."
    assert (
        caught.value.hint == "Add rows below it. If the first row is data, use --no-header (from Python, header=False)."
    )


def test_names_that_stand_twice_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 column name.s. stand more than once: 'text'"):
        opened(tmp_path, "text,text\na,b\n")


def test_a_ragged_row_is_named_with_both_counts(tmp_path: Path) -> None:
    error = read_error(opened(tmp_path, "text,label\na,b\nHello, you,b\n"))

    assert error.message == "train.csv, row 3: 3 cells found, the header has 2."
    assert error.hint == (
        'A cell that contains a comma must stand in double quotes ("...");'
        ' a double quote inside such a cell is written twice ("").'
    )


def test_ragged_rows_are_counted_to_the_end_of_the_file(tmp_path: Path) -> None:
    error = read_error(opened(tmp_path, "a b\t0\n" * 100 + "a\n" * 7 + "a\t1\n", "train.tsv"))

    assert error.message.splitlines() == [
        "train.tsv: 7 rows cannot be read.",
        *(f"  row {row}: 1 cell found, most rows have 2" for row in range(101, 106)),
        "  and 2 more",
    ]


def test_a_ragged_row_among_quotes_that_are_data_gets_another_hint(tmp_path: Path) -> None:
    error = read_error(opened(tmp_path, '"a" b\t0\n' * 20 + "c\td\t1\n", "train.tsv"))

    assert error.hint == ("Cells may not contain a tab here, because double quotes are part of the text in this file.")


def test_rows_before_a_bad_one_are_given(tmp_path: Path) -> None:
    stream = opened(tmp_path, "text,label\na,b\nc\n")

    assert next(stream.rows).cells == ("a", "b")
    read_error(stream)


def test_a_quote_that_is_never_closed_is_named_where_it_opens(tmp_path: Path) -> None:
    error = read_error(opened(tmp_path, 'text,label\n"a, b",x\n"c, d",y\n"e, f,z\ng,h\n'))

    assert error.message == "train.csv, row 4: a double quote opens a cell and is never closed."


def test_text_behind_a_closing_quote_is_named(tmp_path: Path) -> None:
    error = read_error(opened(tmp_path, 'text,label\n"a, b",x\n"the "best" app",y\n'))

    assert error.message == (
        "train.csv, row 3: text follows the closing double quote of a cell;"
        " expected a delimiter or the end of the line."
    )


def test_a_broken_first_row_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train.csv, row 1: text follows the closing double quote"):
        opened(tmp_path, '"te"xt,label\n"a, b",x\n"c, d",y\n')


def test_messages_do_not_repeat_the_texts_of_users(tmp_path: Path) -> None:
    secret = "my card number is " + "1234 " * 20
    error = read_error(opened(tmp_path, f"text,label\na,b\n{secret},{secret},x\n"))

    assert "1234" not in str(error)


def test_a_header_is_known_by_the_names_of_another_table(tmp_path: Path) -> None:
    text = "feedback,kind\nthe app works,praise\n"

    assert opened(tmp_path, text).columns == ("0", "1")
    assert opened(tmp_path, text, header=ExpectedHeader(("feedback",))).columns == ("feedback", "kind")
