"""Columns of lists that a table holds as text, as CSV files do: of Python, JSON or numpy, and tags between blanks.

Knows nothing of which column means what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from fastbert.data.cell_values import is_empty, parse_list
from fastbert.data.table import Cell, Table
from fastbert.data.tag_schemes import is_tag

MOSTLY_FITTING = 0.9  # of the rows: single ones may be wrong, which is for the reader to say
_NUMPY_ITEM = re.compile(r"""'[^'\\]*'|"[^"\\]*\"""")
_NUMPY_LIST = re.compile(rf"\[\s*({_NUMPY_ITEM.pattern})(\s+({_NUMPY_ITEM.pattern}))*\s*\]")


def with_lists(table: Table) -> Table:
    """Return the table with lists where a column holds lists written as text, as CSV files have them.

    Single cells may be something else, which is for the reader to say.
    """
    read = {column: _as_lists([row.cells[place] for row in table.rows]) for place, column in enumerate(table.columns)}
    lists = {table.index_of(column): cells for column, cells in read.items() if cells is not None}
    if not lists:
        return table
    places = range(len(table.columns))
    rows = [
        replace(row, cells=tuple(lists[place][number] if place in lists else row.cells[place] for place in places))
        for number, row in enumerate(table.rows)
    ]
    return replace(table, rows=rows)


def _as_lists(cells: Sequence[Cell]) -> list[Cell] | None:
    """Return a column with the lists that its texts say, None if nearly all say none."""
    filled = [cell for cell in cells if not is_empty(cell)]
    if not filled or not isinstance(filled[0], str):
        return None
    for read in (_list_in, _tags_in):
        found = [read(cell) for cell in filled] if read(filled[0]) is not None else []
        lists = [one for one in found if one is not None]
        several = read is _list_in or any(len(one) > 1 for one in lists)  # else it may be a tag for each token
        if lists and several and len(lists) >= MOSTLY_FITTING * len(filled):
            return [cell if (one := read(cell)) is None else one for cell in cells]
    return None


def _list_in(cell: Cell) -> list[Cell] | None:
    """Return the list that a text says, with commas between its items or, as numpy writes it, without."""
    found = parse_list(cell)
    if found is None and isinstance(cell, str) and _NUMPY_LIST.fullmatch(cell.strip()):
        return [item[1:-1] for item in _NUMPY_ITEM.findall(cell)]
    return found


def _tags_in(cell: Cell) -> list[Cell] | None:
    """Return the tags of a text that is nothing but tags between blanks."""
    tags = cell.split() if isinstance(cell, str) else []
    return list(tags) if tags and all(map(is_tag, tags)) else None
