"""A table as it was read: named columns, rows of cells, and where each row came from.

Knows nothing of how a format is decoded (`sources`) nor of what a column means (`layout`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

Cell = str | int | float | bool | None | list["Cell"]


class ObjectText(str):
    """An object of a JSON file or a frame, as JSON text; who writes the row again writes the object."""

    __slots__ = ()


FormatKind = Literal["delimited", "jsonl", "parquet", "arrow", "xlsx", "memory"]


@dataclass(frozen=True)
class TableFormat:
    """How a table was decoded: what was detected, for the plan that is printed.

    kind: decoder used.    encoding: text encoding, None for binary formats.
    delimiter: cell separator of a delimited file, None for the others.
    quoting: True if double quotes wrap cells, False if they are data (CoLA, MRPC).
    header: True if the first row holds the column names.    gzipped: read through gzip.
    other_sheets: of a workbook, which are not read.
    """

    kind: FormatKind
    encoding: str | None = None
    delimiter: str | None = None
    quoting: bool = True
    header: bool = True
    gzipped: bool = False
    other_sheets: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return one phrase for people, such as "tab-separated, utf-8, no header"."""
        names = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe", " ": "space"}
        parts: list[str] = [self.kind]
        if self.delimiter is not None:
            parts = [f"{names.get(self.delimiter, repr(self.delimiter))}-separated"]
            if not self.quoting:
                parts.append("quotes are data")
        if self.encoding is not None:
            parts.append(self.encoding)
        if not self.header:
            parts.append("no header")
        if self.gzipped:
            parts.append("gzip")
        if self.other_sheets:
            parts.append(f"the first sheet alone, not {', '.join(self.other_sheets)}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Row:
    """One row. number: what the user sees in an editor or spreadsheet, counted from 1.

    For a delimited or JSON-lines file this is the line on which the row starts; for a
    spreadsheet the sheet row; for Parquet, Arrow and memory the record, counted from 1.
    """

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class RowStream:
    """A table that is read row by row, in constant memory. `rows` can be used once."""

    name: str
    columns: tuple[str, ...]
    format: TableFormat
    rows: Iterator[Row]

    @property
    def notes(self) -> tuple[str, ...]:
        """Return which parts of the file are not read."""
        return _unread(self.name, self.format)


def _unread(name: str, described: TableFormat) -> tuple[str, ...]:
    others = ", ".join(f"'{sheet}'" for sheet in described.other_sheets)
    return (f"{name}: the first sheet alone, not {others}.",) if others else ()


@dataclass(frozen=True)
class Table:
    """A table held in memory. name: file name (or "rows" for memory) used in messages.

    columns: header names, or "0", "1", ... where the file has no header.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    format: TableFormat = field(default=TableFormat("memory"))

    @property
    def notes(self) -> tuple[str, ...]:
        """Return which parts of the file are not read."""
        return _unread(self.name, self.format)

    def where(self, row: Row, column: str | None = None) -> str:
        """Return "train.csv, row 418" or "train.csv, row 418, column 'text'"."""
        place = f"{self.name}, row {row.number}"
        return place if column is None else f"{place}, column '{column}'"

    def index_of(self, column: str) -> int:
        """Return the position of a column name. Raises ValueError if it is absent."""
        return self.columns.index(column)

    def __len__(self) -> int:
        return len(self.rows)
