"""The values of a JSON file as they are: one on each line, or the items of one array.

`records` makes a table of the same files; here a value may be nested in any way. Knows nothing of what it means.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Literal

from fastbert.data.encoding import examine_text, text_lines
from fastbert.data.files import InputFile
from fastbert.data.row_problems import RowProblems
from fastbert.errors import DataError

_AROUND_ANNOTATIONS = re.compile(r'\s*\{\s*"classes"\s*:\s*\[[^][]*\]\s*,\s*"annotations"\s*:\s*\[')  # NER annotators
MOST_FIRST_VALUES = 1000  # many may have nothing marked
JSON_HINT = 'Write one object on each line, such as {"text": "Fly to Berlin", "label": [[7, 13, "LOC"]]}.'


def read_json_values(file: InputFile) -> list[tuple[int, object]]:
    """Return the values with their line, or with their number in an array, both counted from 1.

    An object that holds a list of examples under "annotations" and no text of its own stands for these; null in it is
    an empty line.
    Raises DataError if the file is empty or no JSON, with the first lines that are none.
    """
    lines = list(text_lines(file, examine_text(file)))
    text = "".join(lines)
    begin = text.lstrip()[:1]
    if not begin:
        raise DataError(f"{file.name} is empty; expected JSON.", "Check that it was saved or copied whole.")
    values: list[tuple[int, object]] = []
    problems = RowProblems(file.name)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values.append((number, json.loads(line.rstrip("\r\n"))))
        except (ValueError, RecursionError) as error:
            problems.add(number, describe_json_error(error))
    if problems.count == 0 and len(values) > 1:
        return values
    whole = values[0][1] if problems.count == 0 else _whole(text, problems)
    if isinstance(whole, Mapping):  # NER annotators write null for each empty line of a text
        return [(number, value) for number, value in enumerate(_items(whole), start=1) if value is not None]
    return list(enumerate(_items(whole), start=1))


def first_values(file: InputFile) -> list[object]:
    """Return the first values of a JSON file: those of its first 64 KB, or of more where none ends in these."""
    found = (read_first_values(head.decode("utf-8-sig", "ignore")) for head in file.heads())
    return next(filter(None, found), [])


def read_first_values(text: str, limit: int = MOST_FIRST_VALUES) -> list[object]:
    """Return the first values of the beginning of a JSON file, as many as are complete in it."""
    decoder = json.JSONDecoder()
    values: list[object] = []
    stripped = text.lstrip()
    position = len(text) - len(stripped)
    wrapped = _AROUND_ANNOTATIONS.match(text)
    if wrapped:
        position = wrapped.end()
    elif stripped.startswith("[") and stripped[1:].lstrip()[:1] in ("{", "["):
        position += 1  # an array: its items, not itself
    while len(values) < limit:
        while position < len(text) and text[position] in " \t\r\n,":
            position += 1
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return values
        if not wrapped or value is not None:
            values.append(value)
    return values


def describe_json_error(error: ValueError | RecursionError) -> str:
    """Return in words why `json.loads` could not read a text."""
    if isinstance(error, json.JSONDecodeError):
        return f"no valid JSON at column {error.colno} ({error.msg})"
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    return f"a number has more than {sys.get_int_max_str_digits():,} digits"  # the only other thing that it refuses


def whole_json_error(
    name: str, error: ValueError | RecursionError, hint: str, *, line_word: Literal["line", "row"] = "line"
) -> DataError:
    """Return the error for a file that `json.loads` could not read as one value. line_word: what a line is called."""
    line = f", {line_word} {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
    return DataError(f"{name}{line}: {describe_json_error(error)}.", hint)


def _whole(text: str, problems: RowProblems) -> object:
    """Return the only value of a file that spreads it over lines."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("[\n") or text.rstrip().endswith("\n]"):
            raise whole_json_error(problems.name, error, JSON_HINT) from error
        raise problems.error(JSON_HINT) from error


def _items(whole: object) -> list[object]:
    if isinstance(whole, Mapping) and "text" not in whole and "data" not in whole:
        inner = whole.get("annotations")
        return inner if isinstance(inner, list) else [whole]
    if isinstance(whole, list) and not (len(whole) == 2 and isinstance(whole[0], str)):
        return whole
    return [whole]
