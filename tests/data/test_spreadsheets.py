"""Workbooks: the first sheet as rows, with sheet row numbers and whole texts."""

from __future__ import annotations

import datetime
import gc
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from fastbert.data.corpus import read_corpus
from fastbert.data.files import InputFile, find_file
from fastbert.data.header import ExpectedHeader
from fastbert.data.spreadsheets import open_xlsx
from fastbert.data.table import Cell, RowStream
from fastbert.errors import DataError

SheetRows = Sequence[Sequence[object]]


def workbook(folder: Path, *sheets: SheetRows) -> InputFile:
    book = openpyxl.Workbook(write_only=True)
    for index, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {index + 1}")
        for row in rows:
            sheet.append(row)
    book.save(folder / "train.xlsx")
    return find_file(folder / "train.xlsx")


def cells(stream: RowStream) -> list[tuple[Cell, ...]]:
    return [row.cells for row in stream.rows]


def test_sheets_that_are_not_read_are_named(tmp_path: Path) -> None:
    rows: SheetRows = [["review", "stars"], ["good", 5]]
    file = workbook(tmp_path, rows, rows, rows)

    assert open_xlsx(file).format.describe() == "xlsx, the first sheet alone, not Sheet 2, Sheet 3"
    assert "train.xlsx: the first sheet alone, not 'Sheet 2', 'Sheet 3'." in read_corpus(tmp_path / "train.xlsx").notes


def test_the_first_sheet_is_read_under_its_header(tmp_path: Path) -> None:
    file = workbook(tmp_path, [["review", "stars"], ["good", 5]], [["other"], ["x"]])

    stream = open_xlsx(file)

    assert (stream.columns, stream.format.header, cells(stream)) == (("review", "stars"), True, [("good", 5)])


@pytest.mark.parametrize(
    ("header", "columns", "num_rows"), [(True, ("good", "5"), 1), (False, ("0", "1"), 2), (None, ("0", "1"), 2)]
)
def test_what_the_user_says_of_the_header_counts(
    tmp_path: Path, header: bool | None, columns: tuple[str, ...], num_rows: int
) -> None:
    stream = open_xlsx(workbook(tmp_path, [["good", 5], ["bad", 1]]), header=header)

    assert (stream.columns, len(cells(stream))) == (columns, num_rows)


def test_values_keep_their_types(tmp_path: Path) -> None:
    row = ["1", 1, 1.5, True, None, datetime.datetime(2024, 2, 29), "nan", "x"]

    stream = open_xlsx(workbook(tmp_path, [row]), header=False)

    assert repr(cells(stream)) == "[('1', 1, 1.5, True, None, '2024-02-29T00:00:00', 'nan', 'x')]"


def test_rows_keep_their_sheet_numbers_and_blank_ones_are_skipped(tmp_path: Path) -> None:
    rows: SheetRows = [[], ["text", "label"], ["a", "x"], [None, None], ["b"], [], []]

    stream = open_xlsx(workbook(tmp_path, rows))

    assert [(row.number, row.cells) for row in stream.rows] == [(3, ("a", "x")), (5, ("b", None))]


def test_escaped_control_characters_are_read(tmp_path: Path) -> None:
    stream = open_xlsx(workbook(tmp_path, [["text"], ["a_x000D_\nb"], ["_x005F_x000D_"]]))

    assert cells(stream) == [("a\r\nb",), ("_x000D_",)]


def test_a_sign_may_be_two_escapes(tmp_path: Path) -> None:
    stream = open_xlsx(workbook(tmp_path, [["text"], ["nice _xD83D__xDE00_ page"], ["half _xD83D_"]]))

    assert cells(stream) == [("nice \U0001f600 page",), ("half \ufffd",)]


def test_rows_beyond_the_sample_are_read_in_the_same_pass(tmp_path: Path) -> None:
    rows: SheetRows = [["text", "count"], *([f"text {index}", index] for index in range(500))]

    assert cells(open_xlsx(workbook(tmp_path, rows)))[-1] == ("text 499", 499)


def test_a_cell_beside_the_table_is_an_error(tmp_path: Path) -> None:
    stream = open_xlsx(workbook(tmp_path, [["text", "label"], ["a", "x"], ["b", "y", "a note"]]))

    with pytest.raises(DataError) as caught:
        list(stream.rows)

    assert caught.value.message == "train.xlsx, row 3: 3 cells found, expected at most 2, as in the first rows."
    assert "clear the cells beside the table" in str(caught.value.hint)


def test_an_empty_first_sheet_is_an_error_that_names_the_others(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_xlsx(workbook(tmp_path, [], [["text"], ["a"]]))

    assert caught.value.message == "train.xlsx is empty: its first sheet has no cells; expected rows."
    assert caught.value.hint == "Only the first sheet is read; the others are: Sheet 2."


def test_a_header_without_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train.xlsx holds only a header row .2 columns. and no data"):
        open_xlsx(workbook(tmp_path, [["text", "label"]]))


def test_names_that_stand_twice_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="stand more than once: 'text'"):
        open_xlsx(workbook(tmp_path, [["text", "text"], ["a", "b"]]))


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_cut_workbook_is_an_error(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "train.xlsx"
    workbook(tmp_path, [["text", "label"], ["a", "x"]])
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])

    with pytest.raises(DataError) as caught:
        open_xlsx(find_file(path))

    assert caught.value.message == "train.xlsx cannot be read as xlsx: BadZipFile: File is not a zip file"
    assert caught.value.hint == "The file is damaged or of another format. Save it again as .xlsx, or as CSV."


def test_an_opened_workbook_may_be_left_unread(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = workbook(tmp_path, [["text"], *([f"a {index}"] for index in range(500))])

    next(open_xlsx(path).rows)
    gc.collect()
    assert list(recwarn) == []  # no ResourceWarning of a file left open


def test_a_header_is_known_by_the_names_of_another_table(tmp_path: Path) -> None:
    file = workbook(tmp_path, [["feedback", "kind"], ["the app works", "praise"]])

    assert open_xlsx(file).columns == ("0", "1")
    assert open_xlsx(file, header=ExpectedHeader(("feedback",))).columns == ("feedback", "kind")
