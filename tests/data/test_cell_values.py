"""One reading of a cell for every format."""

import math

import pytest

from fastbert.data.cell_values import (
    is_empty,
    is_number,
    label_text,
    parse_flag,
    parse_list,
    parse_number,
    parse_whole,
    split_cell,
)
from fastbert.data.table import Cell


@pytest.mark.parametrize("cell", [None, "", " \t\n", "\u00a0", math.nan])
def test_nothing_blanks_and_nan_are_empty(cell: Cell) -> None:
    assert is_empty(cell)


@pytest.mark.parametrize("cell", ["nan", "NA", "None", "0", 0, False, []])
def test_words_for_nothing_zero_and_empty_lists_are_not_empty(cell: Cell) -> None:
    assert not is_empty(cell)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (" bug report ", "bug report"),
        ("3.0", "3.0"),
        (3, "3"),
        (3.0, "3"),
        (-1, "-1"),
        (0.25, "0.25"),
        (math.inf, "inf"),
        (True, "True"),
        (False, "False"),
        (None, ""),
        (math.nan, ""),
        ("nan", "nan"),
    ],
)
def test_a_label_is_the_trimmed_text_of_its_cell(cell: Cell, expected: str) -> None:
    assert label_text(cell) == expected


def test_a_list_is_not_one_label() -> None:
    with pytest.raises(TypeError):
        label_text(["a"])


@pytest.mark.parametrize("cell", [1, 1.0, True, "1", " 1 ", "1.0", "true", "True", "TRUE"])
def test_true_flags(cell: Cell) -> None:
    assert parse_flag(cell) is True


@pytest.mark.parametrize("cell", [0, 0.0, False, "0", "0.0", "False"])
def test_false_flags(cell: Cell) -> None:
    assert parse_flag(cell) is False


@pytest.mark.parametrize("cell", [2, 0.7, "2", "", None, "yes", math.nan, [1]])
def test_other_cells_are_no_flags(cell: Cell) -> None:
    assert parse_flag(cell) is None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (7, 7),
        ("7", 7),
        ("-7", -7),
        (7.0, 7),
        ("7.0", 7),
        (7.5, None),
        ("7,5", None),
        ("a", None),
        ("", None),
        (None, None),
        (True, None),
        ([7], None),
        (math.inf, None),
        ("9" * 5000, None),
        ("٣", None),
    ],
)
def test_whole_numbers(cell: Cell, expected: int | None) -> None:
    assert parse_whole(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(1, True), (0.5, True), ("-1.5e3", True), (".5", True), (True, False), ("nan", False), ("1_0", False)],
)
def test_numbers(cell: Cell, expected: bool) -> None:
    assert is_number(cell) is expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (["a"], ["a"]),
        ('["a", "b"]', ["a", "b"]),
        (" [] ", []),
        ("[1, 2]", [1, 2]),
        ("['a', \"b's\"]", ["a", "b's"]),
        (repr(['it\'s "x"', "a\\b\n"]), ['it\'s "x"', "a\\b\n"]),
        (r"['\xzz']", None),
        ("['a' 'b']", None),
        ("[UNK]", None),
        ('[{"a": 1}]', None),
        ("[" * 100_000, None),
        ("a", None),
        ("", None),
        (None, None),
        (3, None),
    ],
)
def test_lists(cell: Cell, expected: list[Cell] | None) -> None:
    assert parse_list(cell) == expected


def test_a_cell_is_split_without_blanks_and_empty_parts() -> None:
    assert split_cell(" a ||b c| ", "|") == ["a", "b c"]


@pytest.mark.parametrize("cell", [10**400, "1e999", float("inf"), float("nan"), "nan", True, None, ["1"]])
def test_a_number_beyond_a_float_is_no_number(cell: Cell) -> None:
    assert parse_number(cell) is None
