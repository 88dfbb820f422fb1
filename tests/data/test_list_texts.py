"""Lists that cells say: which columns hold them."""

from __future__ import annotations

import pytest

from fastbert.data.list_texts import with_lists
from fastbert.data.table import Cell, Table
from tests.data.tables import make_table


def column(*cells: Cell) -> list[Cell]:
    """Return the cells of a column as they are read, beside one of texts."""
    table = make_table("text other", *[["a b", cell] for cell in cells])
    return [row.cells[1] for row in with_lists(table).rows]


@pytest.mark.parametrize(
    "cells",
    [
        ("['O', 'B-X']", "['O']"),
        ('["O", "B-X"]', '["O"]'),
        ("['O' 'B-X']", "['O']"),
        ("['O'\n 'B-X']", "['O']"),
        ("O B-X", "O"),
    ],
)
def test_lists_are_read_however_they_are_written(cells: tuple[Cell, ...]) -> None:
    assert column(*cells) == [["O", "B-X"], ["O"]]


def test_tags_of_a_token_a_row_are_no_lists() -> None:
    assert column("O", "B-X", "I-X") == ["O", "B-X", "I-X"]


@pytest.mark.parametrize("odd", ["", None, "O B-", "[a]", 3])
def test_a_single_cell_may_be_something_else(odd: Cell) -> None:
    cells = [*["['O']"] * 10, odd]

    assert column(*cells) == [*[["O"]] * 10, odd]


@pytest.mark.parametrize("cells", [("['O']", "no list"), ("", ""), ("['a' b]", "['c']"), (3, 4), (["a"], "['b']")])
def test_other_columns_stay_as_they_are(cells: tuple[Cell, ...]) -> None:
    assert column(*cells) == list(cells)


def test_an_empty_table_stays_empty() -> None:
    assert with_lists(Table("a.csv", ("text",), ())).rows == ()
