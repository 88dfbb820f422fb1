"""Columns of numbers and of times, as numbers.

Knows nothing of what they are used for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from fastbert.data.cell_values import is_empty, parse_number
from fastbert.data.columns import Column
from fastbert.data.table import Cell

MOSTLY = 0.9  # of the filled cells: a few may hold something else
TIME_WORDS = frozenset("date time timestamp datetime created updated posted year month day at".split())
TIME_LIKE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
# Day first where both would do: nothing here depends on more than the order of most rows.
_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y")
_YEARS, _SECONDS, _MILLISECONDS = (1900, 2100), (3e8, 5e9), (3e11, 5e12)  # both since 1970: 1979 to 2128


def numbers_of(cells: Sequence[Cell]) -> list[float] | None:
    """Return cells as numbers, NaN where there is none; None if fewer than MOSTLY of the filled ones are numbers."""
    found = [parse_number(cell) for cell in cells]
    filled = sum(not is_empty(cell) for cell in cells)
    if not filled or sum(value is not None for value in found) < MOSTLY * filled:
        return None
    return [math.nan if value is None else value for value in found]


def times_of(column: Column) -> list[float] | None:
    """Return the cells of a column of dates as seconds, NaN where there is none; None if it is no such column.

    A column of numbers is one if its name says so and they are years, or seconds or milliseconds since 1970.
    """
    if not column.cells:
        return None
    filled = max(column.num_filled, 1)
    if sum(bool(TIME_LIKE.match(value)) for value in column.sample) >= MOSTLY * max(len(column.sample), 1) > 0:
        found = [_parse_time(cell) for cell in column.cells]
        return found if sum(not math.isnan(value) for value in found) >= MOSTLY * filled else None
    if not TIME_WORDS.intersection(column.words):
        return None
    numbers = numbers_of(column.cells)
    known = [value for value in numbers or () if not math.isnan(value)]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    inside = any(least <= low and high <= most for least, most in (_YEARS, _SECONDS, _MILLISECONDS))
    return numbers if inside and low < high else None


def _parse_time(cell: Cell) -> float:
    if not isinstance(cell, str):
        return math.nan
    text = cell.strip()
    found: datetime | None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _parse_day(text.split()[0].split("T")[0]) if text else None
    if found is None:
        return math.nan
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=1 << 14)  # rows share their days: 100,000 of "28-01-2020 13:05" took 21 s without it, 0.7 s with it
def _parse_day(day: str) -> datetime | None:
    for form in _FORMATS:
        try:
            return datetime.strptime(day, form)
        except ValueError:
            continue
    return None
