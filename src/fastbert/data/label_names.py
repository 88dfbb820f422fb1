"""Reads a labels file: one name a line, or a JSON list. The order of the file is kept.

Knows nothing of tables; whether the names fit the data is seen when the rows are read.
"""

from __future__ import annotations

import csv
import json
import os

from fastbert.data.cell_values import is_empty, label_text
from fastbert.data.encoding import examine_text, text_lines
from fastbert.data.files import InputFile, find_file
from fastbert.data.row_problems import excerpt
from fastbert.errors import DataError

HEADER_NAMES = {"label", "labels", "label_name", "name", "names", "class", "category", "tag"}
_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t", "": "\t"}


def read_label_names(source: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the label names of a file, in order and without surrounding blanks.

    A CSV file has no header, and only its first column counts; in a text file a name is the
    whole line up to a tab. A file that starts with "[" is read as a JSON list of strings.
    Raises DataError with the row for an empty or repeated name.
    """
    file = find_file(source)
    lines = list(text_lines(file, examine_text(file)))
    if file.suffix == ".json" or "".join(lines).lstrip().startswith("["):
        numbered = _names_of_json(file, "".join(lines))
    else:
        numbered = _names_of_lines(file, lines)
    if len(numbered) > 1 and numbered[0][1].casefold() in HEADER_NAMES:
        raise DataError(
            f"{file.name}, row 1: '{numbered[0][1]}' looks like a header, which would shift every number by one.",
            "A labels file has no header: remove that line.",
        )
    first_seen: dict[str, int] = {}
    for number, name in numbered:
        if not name:
            raise DataError(
                f"{file.name}, row {number}: a label name is empty.",
                "Remove the empty line; the position of a name is its number.",
            )
        if name in first_seen:
            raise DataError(
                f"{file.name}, row {number}: label {excerpt(name)} is already in row {first_seen[name]}.",
                "Label names must be unique.",
            )
        first_seen[name] = number
    if not first_seen:
        raise DataError(f"{file.name} holds no label names.", "Write one label name on each line.")
    return tuple(first_seen)


def _names_of_lines(file: InputFile, lines: list[str]) -> list[tuple[int, str]]:
    """Return line numbers and names; blank lines at the end are no names."""
    while lines and is_empty(lines[-1]):
        lines = lines[:-1]
    delimiter = _DELIMITERS.get(file.suffix, "\t")
    if delimiter == "\t":
        return [(number, line.split("\t")[0].strip()) for number, line in enumerate(lines, start=1)]
    reader = csv.reader(lines, delimiter=delimiter)
    rows = [(reader.line_num, cells) for cells in reader]
    width = len(rows[0][1]) if rows else 0
    for number, cells in rows:
        if cells and len(cells) != width:
            raise DataError(
                f"{file.name}, row {number}: has {len(cells)} columns, but row 1 has {width}.",
                "A name that contains a comma stands in double quotes; or use a .txt file.",
            )
    if width > 1 and [cells[0].strip() for _, cells in rows if cells] == [str(index) for index in range(len(rows))]:
        raise DataError(
            f"{file.name}: its first column holds the numbers 0 to {len(rows) - 1}; expected the names there.",
            "Remove the numbers: the position of a name is its number.",
        )
    return [(number, cells[0].strip() if cells else "") for number, cells in rows]


def _names_of_json(file: InputFile, text: str) -> list[tuple[int, str]]:
    hint = 'Write ["first", "second"], or one name on each line of a .txt file.'
    try:
        items = json.loads(text)
    except ValueError as error:
        raise DataError(f"{file.name} is not a JSON list: {error}.", hint) from error
    if not isinstance(items, list) or any(isinstance(item, (list, dict)) for item in items):
        raise DataError(f"{file.name} is JSON, but not a list of label names.", hint)
    return [(number, label_text(item)) for number, item in enumerate(items, start=1)]
