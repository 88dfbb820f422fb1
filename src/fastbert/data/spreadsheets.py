"""Rows of the first sheet of an XLSX workbook.

Knows nothing of other formats. Formulas count as the value that was saved with them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO

from fastbert.data.cells import to_cell
from fastbert.data.columnar import load_package
from fastbert.data.files import InputFile
from fastbert.data.header import SAMPLE_ROWS, Header, column_names, has_header, numbered_columns
from fastbert.data.row_problems import RowProblems
from fastbert.data.table import Cell, Row, RowStream, TableFormat
from fastbert.errors import DataError, FastBertError

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # ST_Xstring, ECMA-376 part 1, 22.9.2.19: _x000D_ is a return
SheetRow = tuple[int, list[Cell]]


def open_xlsx(file: InputFile, *, header: Header = None) -> RowStream:
    """Open the first sheet of a workbook. Rows keep their numbers; blank rows are skipped.

    header: True or False to say whether the first row names the columns, None to detect, or
        the names by which to know it.
    Raises DataError if it cannot be read, is empty or holds only a header; a row with more
    cells than columns raises it while the rows are read.
    """
    others: list[str] = []
    rows = _sheet_rows(file, others)
    sample = list(islice(rows, SAMPLE_ROWS + 1))  # one pass: parsing a workbook twice is what takes the time
    first, below = sample[0][1], [cells for _, cells in sample[1:]]
    named = has_header(first, below, header)
    columns = column_names(first, file.name) if named else numbered_columns(max(len(c) for _, c in sample))
    if named and not below:
        raise DataError(
            f"{file.name} holds only a header row ({len(columns)} columns) and no data.",
            "Add rows below it. If the first row is data, use --no-header (from Python, header=False).",
        )
    described = TableFormat("xlsx", header=named, gzipped=file.gzipped, other_sheets=tuple(others))
    body = chain(sample[1:] if named else sample, rows)
    return RowStream(file.name, columns, described, _padded(file.name, body, columns))


def _padded(name: str, rows: Iterable[SheetRow], columns: Sequence[str]) -> Iterator[Row]:
    """Yield rows with None for the cells that a sheet leaves out at the end."""
    problems = RowProblems(name)
    width = len(columns)
    for number, cells in rows:
        if len(cells) > width:
            problems.add(number, f"{len(cells)} cells found, expected at most {width}, as in the first rows")
        elif problems.count == 0:
            yield Row(number, tuple(cells + [None] * (width - len(cells))))
    problems.raise_if_any("Give each column a name in the header row, or clear the cells beside the table.")


def _sheet_rows(file: InputFile, others: list[str]) -> Iterator[SheetRow]:
    """Yield the rows that hold anything, without the empty cells at their end.

    others: gets the names of the sheets that are not read.
    """
    num_rows = 0
    with file.open_seekable() as stream, _damage_explained(file.name), _workbook(file, stream) as book:
        sheet: ReadOnlyWorksheet = book.worksheets[0]
        others += [other.title for other in book.worksheets[1:]]
        sheet.reset_dimensions()  # some writers declare A1:A1 for a full sheet
        for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            end = len(values)
            while end and values[end - 1] is None:
                end -= 1
            if end:
                num_rows += 1
                yield number, [_cell(value) for value in values[:end]]
    if num_rows == 0:
        hint = f"Only the first sheet is read; the others are: {', '.join(others)}." if others else "Fill the sheet."
        raise DataError(f"{file.name} is empty: its first sheet has no cells; expected rows.", hint)


def _cell(value: object) -> Cell:
    if isinstance(value, str) and "_x" in value:
        written = ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
        value = written.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # a sign may be two escapes
    return to_cell(value)


@contextmanager
def _workbook(file: InputFile, stream: BinaryIO) -> Iterator[Workbook]:
    openpyxl = load_package("openpyxl", f"Reading {file.name}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that hold no text
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
    try:
        yield book
    finally:
        book.close()


@contextmanager
def _damage_explained(name: str) -> Iterator[None]:
    try:
        yield
    except FastBertError:
        raise
    except Exception as error:  # openpyxl lets those of zipfile and the XML parser through, and KeyError
        raise DataError(
            f"{name} cannot be read as xlsx: {type(error).__name__}: {str(error)[:200]}",
            "The file is damaged or of another format. Save it again as .xlsx, or as CSV.",
        ) from error
