"""Values of any origin (JSON, NumPy, pandas, Arrow, spreadsheets) as the cells of a table.

Knows nothing of files or of what a column means. A number that is not a number (NaN) and
the missing values of pandas are the missing cell, None; texts are kept as they are.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from fastbert.data.table import Cell, ObjectText

PANDAS_MISSING = ("NAType", "NaTType")  # recognised by name: pandas need not be installed


def to_cell(value: object) -> Cell:
    """Return a value as a cell.

    Lists and arrays become lists, NumPy numbers Python numbers, dates ISO 8601 text,
    bytes text (or hexadecimal digits if they are no UTF-8), and objects JSON text.
    Raises ValueError for a text with half a surrogate pair, which no encoding can hold,
    and TypeError for anything else.

    >>> to_cell(np.float32(0.5)), to_cell(float("nan")), to_cell({"a": 1})
    (0.5, None, '{"a": 1}')
    """
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, Decimal):
        return _from_decimal(value)
    if isinstance(value, list | tuple):
        return [to_cell(part) for part in value]
    if isinstance(value, Mapping):
        return ObjectText(_text(json.dumps(value, ensure_ascii=False, default=_plain)))
    return _from_library(value)


def _from_decimal(value: Decimal) -> Cell:
    """Return a whole number exactly, as it may be an id; a fraction as a number, as text where that would round it."""
    if value.is_nan():
        return None
    if not value.is_finite():
        return float(value)
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            half = f"half of a surrogate pair (U+{ord(value[error.start]):04X})"
            raise ValueError(f"{half} at character {error.start}; expected whole characters") from error
    return str(value)


def _from_library(value: object) -> Cell:
    if type(value).__name__ in PANDAS_MISSING:
        return None
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, np.generic | np.ndarray):
        return to_cell(value.tolist())
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return _from_bytes(value)
    kinds = "text, number, true or false, date, list or nothing"
    raise TypeError(f"a value of type {type(value).__name__}; expected {kinds}")


def _from_bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()


def _plain(value: object) -> Cell:
    """Return what `json` cannot write, inside an object, as a cell."""
    return to_cell(value)
