"""Columns of numbers and of times."""

from __future__ import annotations

import math

import pytest

from fastbert.data.columns import Column
from fastbert.data.table import Cell, Row, Table
from fastbert.insight.doctor.times import numbers_of, times_of


def column(name: str, cells: list[Cell]) -> Column:
    return Column(Table("t.csv", (name,), [Row(number, (cell,)) for number, cell in enumerate(cells, start=2)]), name)


@pytest.mark.parametrize("first", ["2021-03-01", "01.03.2021", "2021-03-01T00:00:00Z", "2021/03/01 00:00"])
def test_dates_become_seconds_in_their_order(first: str) -> None:
    found = times_of(column("x", [first, first, first]))

    assert found == [1614556800.0] * 3


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("year", ["2010", "2012"]),
        ("created_at", ["1600000000", "1600000100"]),
        ("timestamp", [1600000000000, 1600000000001]),
    ],
)
def test_numbers_are_times_if_name_and_range_say_so(name: str, cells: list[Cell]) -> None:
    assert times_of(column(name, cells)) == [float(str(cell)) for cell in cells]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("amount", ["2010", "2012"]),
        ("time", ["12", "13"]),
        ("x", ["hello", "you"]),
        ("date", ["soon", "later"]),
        ("x", []),
    ],
)
def test_other_columns_are_no_times(name: str, cells: list[Cell]) -> None:
    assert times_of(column(name, cells)) is None


def test_a_few_cells_may_be_no_numbers() -> None:
    found = numbers_of(["1"] * 19 + ["-"])

    assert found is not None and math.isnan(found[-1])
    assert numbers_of(["1", "-"]) is None


def test_empty_cells_do_not_count_against_numbers_or_times() -> None:
    numbers = numbers_of(["", None, "3"])

    assert numbers is not None and math.isnan(numbers[0]) and numbers[2] == 3.0
    assert numbers_of(["", None]) is None and numbers_of([]) is None
    assert times_of(column("year", ["2010", "", "", "2012"])) is not None
