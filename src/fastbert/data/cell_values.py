"""What one cell of a table says: a label, a 0/1 flag, a number, a list, or nothing.

One reading for every format: an int of a spreadsheet and its digits in a CSV file give
the same label. Knows nothing of columns, tables or tasks, nor how a cell was decoded (`cells`).
"""

from __future__ import annotations

import ast
import json
import math
import re

from fastbert.data.table import Cell

_FLAGS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
_WHOLE = re.compile(r"-?[0-9]{1,18}(\.0+)?")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_ESCAPE = r"""\\[\\'"nrtxuU]"""
_ITEM = rf"""('([^'\\]|{_ESCAPE})*'|"([^"\\]|{_ESCAPE})*"|-?[0-9]+(\.[0-9]+)?)"""
# What pandas writes for a list column. Python would read "['a' 'b']" of NumPy as one string 'ab':
# the commas are therefore part of the pattern.
_PYTHON_LIST = re.compile(rf"\[\s*({_ITEM}(\s*,\s*{_ITEM})*)?\s*\]")


def is_empty(cell: Cell) -> bool:
    """Return True for None, a float NaN and a string of blanks.

    The words "nan" and "NA" are text, and an empty list says "no label": neither is empty.
    """
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def label_text(cell: Cell) -> str:
    """Return the label that a cell holds, as text without surrounding blanks.

    An empty cell gives "". Raises TypeError for a list: that is several labels.

    >>> [label_text(cell) for cell in (" bug ", 3, 3.0, 0.5, True, None)]
    ['bug', '3', '3', '0.5', 'True', '']
    """
    if isinstance(cell, list):
        raise TypeError("a list has no single label")
    if isinstance(cell, str):
        return cell.strip()
    if is_empty(cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def parse_flag(cell: Cell) -> bool | None:
    """Return the truth value of a 0/1 cell, None if it is anything else.

    >>> [parse_flag(cell) for cell in (1, "0", 1.0, "True", 2, "yes", "")]
    [True, False, True, True, None, None, None]
    """
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, (int, float)):
        return bool(cell) if cell in (0, 1) else None
    if isinstance(cell, str):
        return _FLAGS.get(cell.strip().casefold())
    return None


def parse_whole(cell: Cell) -> int | None:
    """Return the whole number in a cell, None if it is anything else.

    >>> [parse_whole(cell) for cell in ("27", "3.0", 3.0, "3.5", "a", True)]
    [27, 3, 3, None, None, None]
    """
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int):
        return cell
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else None
    if isinstance(cell, str) and _WHOLE.fullmatch(cell.strip()):
        return int(cell.strip().partition(".")[0])
    return None


def is_number(cell: Cell) -> bool:
    """Return True for a number, or a string of digits that reads as one; not for a bool."""
    if isinstance(cell, str):
        return _NUMBER.fullmatch(cell.strip()) is not None
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def parse_number(cell: Cell) -> float | None:
    """Return the number in a cell, None if it is anything else or beyond the range of a float.

    >>> [parse_number(cell) for cell in ("-3.5", 2, "1e999", 10**400, "a", True)]
    [-3.5, 2.0, None, None, None, None]
    """
    if isinstance(cell, list) or cell is None or not is_number(cell):
        return None
    try:
        number = float(cell)
    except OverflowError:  # a whole number of more than 308 digits
        return None
    return number if math.isfinite(number) else None


def parse_list(cell: Cell) -> list[Cell] | None:
    """Return the items of a list cell, or of a string that is a JSON or Python list.

    None if the cell is anything else.

    >>> parse_list('["a", "b"]'), parse_list("['a', 'b']"), parse_list("[UNK]")
    (['a', 'b'], ['a', 'b'], None)
    """
    if isinstance(cell, list):
        return cell
    if not isinstance(cell, str) or not cell.lstrip().startswith("["):
        return None
    try:
        items = json.loads(cell)
    except (ValueError, RecursionError):
        items = _python_list(cell.strip())
    flat = isinstance(items, list) and not any(isinstance(item, dict) for item in items)
    return items if flat else None


def _python_list(text: str) -> object:
    """Return the list that `repr` wrote, None for any other text."""
    if not _PYTHON_LIST.fullmatch(text):
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):  # an escape that is none
        return None


def split_cell(text: str, delimiter: str) -> list[str]:
    """Return the parts of a delimited cell without blanks; empty parts are left out.

    >>> split_cell("bug | praise|", "|")
    ['bug', 'praise']
    """
    parts = (part.strip() for part in text.split(delimiter))
    return [part for part in parts if part]
