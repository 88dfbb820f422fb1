"""Rows of JSON files and of lists in memory: records that name their own columns.

Knows nothing of delimited or columnar formats.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from fastbert.data.cells import to_cell
from fastbert.data.encoding import TextFacts, examine_text, text_lines
from fastbert.data.files import InputFile
from fastbert.data.header import TEXT_COLUMN, column_names, numbered_columns
from fastbert.data.json_values import describe_json_error, whole_json_error
from fastbert.data.row_problems import RowProblems, excerpt
from fastbert.data.table import Row, RowStream, TableFormat
from fastbert.errors import DataError

MEMORY_NAME = "rows"
JSON_HINT = 'Write one object a line, such as {"text": "...", "label": "..."}, or one array of such objects.'
Record = Mapping[str, object]


def open_json(file: InputFile) -> RowStream:
    """Open JSON lines, or an array of objects (which is held in memory).

    The columns are all keys of all records in the order of their appearance; a record
    without a key has None there. Every line is checked before the first row is returned.
    """
    facts = examine_text(file)
    described = TableFormat("jsonl", facts.encoding, gzipped=file.gzipped)
    begin = next((line.strip() for line in text_lines(file, facts) if line.strip()), "")
    if begin == "{":
        raise DataError(f"{file.name} spreads an object over several lines; expected one on each line.", JSON_HINT)
    if begin.startswith("["):
        array = _read_array(file, facts)
        columns = _all_keys(record for _, record in array)
        checked = list(_to_rows(array, columns, file.name))
        return RowStream(file.name, columns, described, iter(checked))
    columns = _checked_columns(file, facts)
    rows = _to_rows(_records(file, facts, RowProblems(file.name)), columns, file.name)
    return RowStream(file.name, columns, described, rows)


def open_list(source: Sequence[object], *, header: bool | None = None) -> RowStream:
    """Open a list of texts (column "text"), of dicts, or of tuples (columns "0", "1", ...).

    header: True if the first tuple holds the names of the columns; for tuples only.
    """
    if not source:
        raise DataError("The list of rows is empty; expected at least one row.")
    kind = _kind_of(source)
    described = TableFormat("memory", header=kind is dict)
    if kind is dict:
        numbered = list(enumerate(cast(Sequence[Record], source), start=1))
        columns = _all_keys(record for _, record in numbered)
        if not all(isinstance(name, str) for name in columns):
            raise DataError("The dicts have keys that are no text; expected names of columns.")
        return RowStream(MEMORY_NAME, columns, described, _to_rows(numbered, columns, MEMORY_NAME))
    if kind is str:
        rows = to_rows(((number, (text,)) for number, text in enumerate(source, start=1)), (TEXT_COLUMN,), MEMORY_NAME)
        return RowStream(MEMORY_NAME, (TEXT_COLUMN,), described, rows)
    return _open_tuples(cast(Sequence[Sequence[object]], source), header)


def to_rows(records: Iterable[tuple[int, Sequence[object]]], columns: Sequence[str], name: str) -> Iterator[Row]:
    """Yield numbered values as rows of cells; all values that cannot be cells are one error."""
    problems = RowProblems(name)
    for number, values in records:
        try:
            cells = tuple(map(to_cell, values))
        except (TypeError, ValueError):
            problems.add(number, _first_problem(columns, values))
            continue
        if problems.count == 0:
            yield Row(number, cells)
    problems.raise_if_any("Change these values, or leave the column out.")


def _first_problem(columns: Sequence[str], values: Sequence[object]) -> str:
    for column, value in zip(columns, values, strict=True):
        try:
            to_cell(value)
        except (TypeError, ValueError) as error:
            return f"column {excerpt(column)} holds {error}"
    raise AssertionError("called for a row without a problem")


def _to_rows(records: Iterable[tuple[int, Record]], columns: Sequence[str], name: str) -> Iterator[Row]:
    return to_rows(((number, [record.get(key) for key in columns]) for number, record in records), columns, name)


def _all_keys(records: Iterable[Record]) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    for record in records:
        if not record.keys() <= keys.keys():
            keys.update(dict.fromkeys(record))
    return tuple(keys)


def _checked_columns(file: InputFile, facts: TextFacts) -> tuple[str, ...]:
    """Return the keys of all lines. Raises DataError for what is not JSON lines."""
    problems = RowProblems(file.name)
    num_records = 0
    only_objects = True
    keys: dict[str, None] = {}
    for _, record in _records(file, facts, problems):
        num_records += 1
        only_objects = only_objects and all(isinstance(value, dict) for value in record.values())
        if not record.keys() <= keys.keys():
            keys.update(dict.fromkeys(record))
    problems.raise_if_any(JSON_HINT)
    if num_records == 0:
        raise DataError(f"{file.name} is empty; expected JSON objects.", JSON_HINT)
    if num_records == 1 and keys and only_objects:
        raise DataError(
            f"{file.name} holds one object whose values are objects; expected one object for each row.",
            "From pandas, write it with to_json(path, orient='records', lines=True).",
        )
    if not keys:
        raise DataError(f"{file.name} has no columns: all its objects are empty.", JSON_HINT)
    return tuple(keys)


def _records(file: InputFile, facts: TextFacts, problems: RowProblems) -> Iterator[tuple[int, Record]]:
    """Yield the objects of JSON lines; what is none is noted as a problem."""
    for number, line in enumerate(text_lines(file, facts), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.rstrip("\r\n"))
        except (ValueError, RecursionError) as error:
            problems.add(number, describe_json_error(error))
            continue
        if isinstance(record, dict):
            yield number, record
        else:
            problems.add(number, f"found {_json_kind(record)}, expected an object")


def _read_array(file: InputFile, facts: TextFacts) -> list[tuple[int, Record]]:
    text = "".join(text_lines(file, facts))
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise whole_json_error(file.name, error, JSON_HINT, line_word="row") from error
    if not values:
        raise DataError(f"{file.name} is an empty array; expected JSON objects.", JSON_HINT)
    problems = RowProblems(file.name)
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            problems.add(number, f"found {_json_kind(value)}, expected an object")
    problems.raise_if_any(JSON_HINT)
    return list(enumerate(values, start=1))


def _json_kind(value: object) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "an array"}
    return names.get(type(value), "null")


def _kind_of(source: Sequence[object]) -> type:
    """Return str, dict or tuple: what all entries of a list are."""
    kinds = {str: str, Mapping: dict, list | tuple: tuple}
    kind = next((simple for wide, simple in kinds.items() if isinstance(source[0], wide)), None)
    wanted = next((wide for wide, simple in kinds.items() if simple is kind), None)
    if kind is None or wanted is None:
        raise DataError(
            f"The list of rows begins with a value of type {type(source[0]).__name__}; expected texts, dicts or tuples."
        )
    problems = RowProblems(MEMORY_NAME)
    for number, entry in enumerate(source, start=1):
        if not isinstance(entry, wanted):
            found = type(entry).__name__
            problems.add(number, f"found {found}, expected {kind.__name__} as in the first row")
    problems.raise_if_any("Give rows of one kind: all texts, all dicts or all tuples.")
    return kind


def _open_tuples(source: Sequence[Sequence[object]], header: bool | None) -> RowStream:
    width = len(source[0])
    problems = RowProblems(MEMORY_NAME)
    for number, entry in enumerate(source, start=1):
        if len(entry) != width:
            problems.add(number, f"found a tuple of {len(entry)}, expected {width} values as in the first row")
    problems.raise_if_any("Give every row the same number of values; use None for one that is missing.")
    names = column_names([to_cell(cell) for cell in source[0]], MEMORY_NAME) if header else None
    if names is not None and len(source) == 1:
        raise DataError(
            "The list of rows holds only column names and no data.",
            "Add rows, or use --no-header (from Python, header=False).",
        )
    columns = names or numbered_columns(width)
    body = ((number, entry) for number, entry in enumerate(source, start=1) if number > 1 or names is None)
    return RowStream(
        MEMORY_NAME, columns, TableFormat("memory", header=bool(header)), to_rows(body, columns, MEMORY_NAME)
    )
