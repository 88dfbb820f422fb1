"""Values as cells: nothing is lost, missing is None, and what cannot be a cell says so."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import IntEnum

import numpy as np
import pandas
import pytest

from fastbert.data.cells import to_cell
from fastbert.data.table import Cell, ObjectText


class Stars(IntEnum):
    FIVE = 5


@pytest.mark.parametrize("text", ["", " ", "nan", "NA", "None", "null", "0", "a\r\nb", "é", "e\u0301", "😀", "שלום"])
def test_texts_stay_what_they_are(text: str) -> None:
    assert to_cell(text) == text


@pytest.mark.parametrize("value", [None, True, False, 0, 1, -5, 2**70, 0.1, float("inf")])
def test_plain_values_keep_value_and_type(value: Cell) -> None:
    assert to_cell(value) == value
    assert type(to_cell(value)) is type(value)


@pytest.mark.parametrize(
    "value", [float("nan"), np.nan, np.float32("nan"), pandas.NA, pandas.NaT, np.datetime64("NaT"), Decimal("NaN")]
)
def test_missing_values_are_none(value: object) -> None:
    assert to_cell(value) is None


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([1, 2]), [1, 2]),
        (np.array([[1.5], [2.0]]), [[1.5], [2.0]]),
        (("a", None), ["a", None]),
        ([np.int32(1), [float("nan")]], [1, [None]]),
        (Stars.FIVE, 5),
        (Decimal("2.50"), 2.5),
        (Decimal("42"), 42),
        (Decimal("12345678901234567.0"), 12345678901234567),
        (Decimal("0.12345678901234567890"), "0.12345678901234567890"),
        (Decimal("Infinity"), float("inf")),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        (datetime.datetime(2024, 2, 29, 12), "2024-02-29T12:00:00"),
        (datetime.time(12, 30), "12:30:00"),
        (datetime.timedelta(minutes=1), 60.0),
        (np.datetime64("2024-02-29"), "2024-02-29"),
        ("é".encode(), "é"),
        (b"\xff\x00", "ff00"),
        ({"é": [1, np.int64(2)]}, ObjectText('{"é": [1, 2]}')),
    ],
)
def test_values_of_libraries_become_python_values(value: object, cell: Cell) -> None:
    assert to_cell(value) == cell
    assert type(to_cell(value)) is type(cell)


def test_half_a_character_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"half of a surrogate pair \(U\+D83D\) at character 1; expected whole"):
        to_cell("a\ud83d")


def test_an_unknown_type_is_an_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="a value of type object; expected text, number, true or false, date, list"):
        to_cell(object())
