"""Tables built in memory, as `sources.read_table` would have read them from a file."""

from __future__ import annotations

from collections.abc import Sequence

from fastbert.data.columns import Column
from fastbert.data.table import Cell, FormatKind, Row, Table, TableFormat


def make_table(
    columns: str | Sequence[str],
    *rows: Sequence[Cell],
    name: str = "train.csv",
    header: bool = True,
    kind: FormatKind = "delimited",
) -> Table:
    """Return a table. Row numbers are those of a file: from 2 under a header, else from 1.

    columns: names, or one string of names separated by blanks.
    """
    names = tuple(columns.split() if isinstance(columns, str) else columns)
    first = 2 if header and kind == "delimited" else 1
    numbered = [Row(number, tuple(cells)) for number, cells in enumerate(rows, start=first)]
    return Table(name, names, numbered, TableFormat(kind, header=header))


def make_column(*cells: Cell, name: str = "value") -> Column:
    """Return the only column of a table."""
    return Column(make_table([name], *([cell] for cell in cells)), name)


def sentence(index: int) -> str:
    """Return a text that no other index has."""
    words = "export invoice login search button picture calendar contact message window".split()
    return f"the {words[index % 10]} does not work after step {index} of the guide"
