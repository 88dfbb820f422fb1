"""Rows of CSV, TSV and plain text files.

Puts together what `encoding`, `dialect` and `header` have found, and checks every row
against it. Knows nothing of other formats or of what a column means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fastbert.data.dialect import (
    Dialect,
    RawRecord,
    detect_delimiter,
    detect_quoting,
    is_blank,
    read_records,
)
from fastbert.data.encoding import TextFacts, examine_text, text_lines
from fastbert.data.files import InputFile
from fastbert.data.header import SAMPLE_ROWS, TEXT_COLUMN, Header, column_names, has_header, numbered_columns
from fastbert.data.row_problems import RowProblems
from fastbert.data.table import Row, RowStream, TableFormat
from fastbert.errors import DataError


@dataclass(frozen=True)
class _Layout:
    """What is expected of each record. header_line: 0 if there is no header."""

    columns: tuple[str, ...]
    header_line: int

    @property
    def expected(self) -> str:
        origin = "the header has" if self.header_line else "most rows have"
        return f"{origin} {len(self.columns)}"


def open_delimited(file: InputFile, *, header: Header = None) -> RowStream:
    """Open a delimited file and find out how it is written.

    header: True or False to say whether the first row names the columns, None to detect, or
        the names by which to know it.
    Raises DataError if the file is empty or cannot be decoded; ragged rows and open
    quotes raise it while the rows are read, after the rest of the file was checked.
    """
    facts = examine_text(file)
    dialect = _detect_dialect(file, facts)
    sample = list(islice(_filled_records(file, facts, dialect), SAMPLE_ROWS + 1))
    if not sample:
        raise DataError(f"{file.name} is empty; expected rows of text.", "Check that it was saved or copied whole.")
    layout = _layout(file.name, sample, dialect, header)
    described = TableFormat(
        "delimited", facts.encoding, dialect.delimiter, dialect.quoting, layout.header_line > 0, file.gzipped
    )
    rows = _rows(file, facts, dialect, layout)
    return RowStream(file.name, layout.columns, described, rows)


def _detect_dialect(file: InputFile, facts: TextFacts) -> Dialect:
    delimiter = detect_delimiter(text_lines(file, facts), file.suffix)
    quoting = not facts.has_quotes or detect_quoting(text_lines(file, facts), delimiter, file.suffix)
    return Dialect(delimiter, quoting)


def _filled_records(file: InputFile, facts: TextFacts, dialect: Dialect) -> Iterator[RawRecord]:
    records = read_records(text_lines(file, facts), dialect)
    if dialect.delimiter is None:
        return _blank_lines_as_cells(records)
    return (record for record in records if not is_blank(record))


def _layout(name: str, sample: Sequence[RawRecord], dialect: Dialect, header: Header) -> _Layout:
    first, below = sample[0], [record.cells for record in sample[1:]]
    if first.problem is not None:
        raise RowProblems(name, [(first.line, first.problem)], 1).error(_ragged_hint(dialect))
    if has_header(first.cells, below, header):
        columns = column_names(first.cells, name)
        if not below:
            raise DataError(
                f"{name} holds only a header row ({len(columns)} columns) and no data.",
                "Add rows below it. If the first row is data, use --no-header (from Python, header=False).",
            )
        return _Layout(columns, first.line)
    if dialect.delimiter is None:
        return _Layout((TEXT_COLUMN,), 0)
    widths = Counter(len(record.cells) for record in sample if record.problem is None)
    return _Layout(numbered_columns(widths.most_common(1)[0][0] if widths else 1), 0)


def _rows(file: InputFile, facts: TextFacts, dialect: Dialect, layout: _Layout) -> Iterator[Row]:
    """Yield the rows; at the first bad one read on to count the others, then raise."""
    problems = RowProblems(file.name)
    width = len(layout.columns)
    for record in _filled_records(file, facts, dialect):
        if record.line <= layout.header_line:
            continue
        if record.problem is not None:
            problems.add(record.line, record.problem)
        elif len(record.cells) != width:
            problems.add(record.line, f"{_count(len(record.cells))} found, {layout.expected}")
        elif problems.count == 0:
            yield Row(record.line, tuple(record.cells))
    problems.raise_if_any(_ragged_hint(dialect))


def _blank_lines_as_cells(records: Iterable[RawRecord]) -> Iterator[RawRecord]:
    """Yield an empty line between others as an empty text: line numbers keep their texts.

    Parallel files and predictions are matched line by line; only the end of a file may
    have empty lines that mean nothing.
    """
    pending: list[int] = []
    for record in records:
        if record.problem is None and not record.cells:
            pending.append(record.line)
            continue
        yield from (RawRecord(line, [""]) for line in pending)
        pending.clear()
        yield record


def _count(num_cells: int) -> str:
    return "1 cell" if num_cells == 1 else f"{num_cells} cells"


def _ragged_hint(dialect: Dialect) -> str:
    sign = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe", None: "line break"}[dialect.delimiter]
    if dialect.quoting:
        return (
            f'A cell that contains a {sign} must stand in double quotes ("...");'
            ' a double quote inside such a cell is written twice ("").'
        )
    return f"Cells may not contain a {sign} here, because double quotes are part of the text in this file."
